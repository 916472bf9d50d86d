/**
 * Matrices over GF(2^8): the generator of the code, and the rows that rebuild lost pieces from present ones.
 * Source: github.com/klauspost/reedsolomon, `WithCauchyMatrix` (buildMatrixCauchy); Blömer et al. 1995, Cauchy matrices.
 */
import { inverse, multiply } from "./field.ts";

/** Rows of field elements. */
export type Matrix = readonly Uint8Array[];

/**
 * The generator of a code of `k` data and `m` parity columns: the identity, then 1 / (row XOR column). Every k of its rows are
 * independent, so any k pieces restore the stripe.
 */
export const generator = (k: number, m: number): Matrix =>
  Array.from({ length: k + m }, (_, row) =>
    Uint8Array.from({ length: k }, (_, column) => (row < k ? Number(row === column) : inverse(row ^ column))),
  );

/** The inverse of a square matrix, by Gauss–Jordan elimination; throws on a singular one. */
export function invert(matrix: Matrix): Matrix {
  const size = matrix.length;
  const rows = matrix.map((row, i) =>
    Uint8Array.from({ length: 2 * size }, (_, c) => (c < size ? row[c]! : Number(c - size === i))),
  );
  for (let pivot = 0; pivot < size; pivot++) {
    const found = rows.findIndex((row, i) => i >= pivot && row[pivot] !== 0);
    if (found < 0) throw new RangeError("singular matrix");
    [rows[pivot], rows[found]] = [rows[found]!, rows[pivot]!];
    const lead = rows[pivot]!;
    const scale = inverse(lead[pivot]!);
    for (let c = 0; c < lead.length; c++) lead[c] = multiply(lead[c]!, scale);
    for (const row of rows) {
      const factor = row[pivot]!;
      if (row === lead || factor === 0) continue;
      for (let c = 0; c < row.length; c++) row[c] = row[c]! ^ multiply(factor, lead[c]!);
    }
  }
  return rows.map((row) => row.slice(size));
}

/** For each of `wanted`, its row over the pieces of `present` (exactly k columns of the code, in that order). */
export function recoveryRows(code: Matrix, present: readonly number[], wanted: readonly number[]): Matrix {
  const k = present.length;
  const decode = invert(present.map((column) => code[column]!));
  return wanted.map((column) => {
    const row = code[column]!;
    return Uint8Array.from({ length: k }, (_, c) => {
      let sum = 0;
      for (let i = 0; i < k; i++) sum ^= multiply(row[i]!, decode[i]![c]!);
      return sum;
    });
  });
}
