/**
 * The erasure code of one stripe, in WebAssembly memory: k data pieces and m parity pieces of equal length, of which any k restore
 * the rest. Pieces are read into and written from this memory directly, so nothing is copied for coding.
 * Source: design.md, "Archive"; github.com/klauspost/reedsolomon `WithCauchyMatrix` (byte-identical parity).
 */
import { invariant } from "@xinglin/primitives";
import { multiply } from "./field.ts";
import { kernelBase64 } from "./kernel.generated.ts";
import { generator, type Matrix, recoveryRows } from "./matrix.ts";

type Kernel = (
  inputs: number,
  count: number,
  tables: number,
  length: number,
  out0: number,
  out1: number,
  out2: number,
  out3: number,
) => void;

/** Bytes that the kernel takes at once, and outputs that it computes in one pass. */
const STEP = 32;
const OUTPUTS = 4;
const PAGE = 65_536;
/** Two tables of sixteen products, one for each nibble. */
const TABLE = 32;
/** Erasure patterns remembered by one instance: a store that is gone gives k + m of them, because columns rotate. */
const MAX_PLANS = 256;

const roundUp = (bytes: number): number => Math.ceil(bytes / STEP) * STEP;

let compiled: WebAssembly.Module | undefined;
const kernelModule = (): WebAssembly.Module => {
  compiled ??= new WebAssembly.Module(Buffer.from(kernelBase64, "base64"));
  return compiled;
};

/** Nibble tables of `rows` over k inputs, in groups of `OUTPUTS` rows: what the kernel reads beside the pieces. */
function nibbleTables(rows: Matrix, k: number): Uint8Array[] {
  const groups: Uint8Array[] = [];
  for (let first = 0; first < rows.length; first += OUTPUTS) {
    const tables = new Uint8Array(k * OUTPUTS * TABLE);
    for (let input = 0; input < k; input++)
      for (let output = 0; output < OUTPUTS; output++) {
        const factor = rows[first + output]?.[input] ?? 0;
        const at = (input * OUTPUTS + output) * TABLE;
        for (let nibble = 0; nibble < 16; nibble++) {
          tables[at + nibble] = multiply(factor, nibble);
          tables[at + 16 + nibble] = multiply(factor, nibble << 4);
        }
      }
    groups.push(tables);
  }
  return groups;
}

/**
 * A codec for stripes of `k` + `m` pieces of `pieceBytes`. `piece(column)` is a view into its memory, valid as long as the codec:
 * columns 0..k-1 are data, k..k+m-1 parity. Not shared between threads. Costs (k + m + 1) × `pieceBytes` of memory.
 */
export class ReedSolomon {
  readonly k: number;
  readonly m: number;
  readonly pieceBytes: number;
  readonly #matrix: Matrix;
  readonly #memory: Uint8Array;
  readonly #addresses: Uint32Array;
  readonly #kernel: Kernel;
  readonly #pieces: readonly Uint8Array[];
  readonly #stride: number;
  readonly #tables: number;
  readonly #base: number;
  readonly #encoding: readonly Uint8Array[];
  readonly #parity: readonly number[];
  readonly #data: readonly number[];
  readonly #plans = new Map<string, Uint8Array[]>();

  constructor(k: number, m: number, pieceBytes: number) {
    invariant(k >= 1 && m >= 0 && k + m <= 255 && pieceBytes >= 1, "code out of range");
    this.k = k;
    this.m = m;
    this.pieceBytes = pieceBytes;
    this.#stride = roundUp(pieceBytes);
    this.#tables = roundUp(k * 4); // the addresses of the inputs stand first, then the tables, then the pieces
    this.#base = roundUp(this.#tables + k * OUTPUTS * TABLE);
    const memory = new WebAssembly.Memory({ initial: Math.ceil((this.#base + (k + m + 1) * this.#stride) / PAGE) });
    this.#memory = new Uint8Array(memory.buffer);
    this.#addresses = new Uint32Array(memory.buffer, 0, k);
    this.#kernel = new WebAssembly.Instance(kernelModule(), { env: { memory } }).exports.multiply as Kernel;
    this.#pieces = Array.from({ length: k + m }, (_, column) => {
      const at = this.#address(column);
      return this.#memory.subarray(at, at + pieceBytes);
    });
    this.#matrix = generator(k, m);
    this.#encoding = nibbleTables(this.#matrix.slice(k), k);
    this.#data = Array.from({ length: k }, (_, i) => i);
    this.#parity = Array.from({ length: m }, (_, i) => k + i);
  }

  /** The memory of one column: write a piece here before coding, read it here after. */
  piece(column: number): Uint8Array {
    const piece = this.#pieces[column];
    invariant(piece !== undefined, "no such column");
    return piece;
  }

  /** Computes the parity columns from the data columns. */
  encode(): void {
    this.#apply(this.#encoding, this.#data, this.#parity);
  }

  /**
   * Computes the columns `wanted` from `present`, exactly k other columns whose pieces are right: a single wrong one would spoil all,
   * so callers check hashes first.
   */
  reconstruct(present: readonly number[], wanted: readonly number[]): void {
    invariant(present.length === this.k, "exactly k pieces rebuild the others");
    if (wanted.length === 0) return;
    const name = `${present.join()}:${wanted.join()}`;
    let plan = this.#plans.get(name);
    if (plan === undefined) {
      plan = nibbleTables(recoveryRows(this.#matrix, present, wanted), this.k);
      if (this.#plans.size >= MAX_PLANS) this.#plans.clear();
      this.#plans.set(name, plan);
    }
    this.#apply(plan, present, wanted);
  }

  #address(column: number): number {
    return this.#base + column * this.#stride;
  }

  #apply(groups: readonly Uint8Array[], inputs: readonly number[], outputs: readonly number[]): void {
    const scratch = this.#address(this.k + this.m);
    inputs.forEach((column, i) => {
      this.#addresses[i] = this.#address(column);
    });
    groups.forEach((group, g) => {
      this.#memory.set(group, this.#tables);
      const out = (i: number): number => {
        const column = outputs[g * OUTPUTS + i];
        return column === undefined ? scratch : this.#address(column);
      };
      this.#kernel(0, inputs.length, this.#tables, this.#stride, out(0), out(1), out(2), out(3));
    });
  }
}
