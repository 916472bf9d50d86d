/** The erasure code once more, one byte after the other and without tables, to hold the kernel against. */

/** The product in GF(2^8) mod 0x11d, by the schoolbook. */
export function slowProduct(a: number, b: number): number {
  let product = 0;
  for (let bit = 0; bit < 8; bit++) if ((b >> bit) & 1) product ^= a << bit;
  for (let bit = 14; bit >= 8; bit--) if ((product >> bit) & 1) product ^= 0x11d << (bit - 8);
  return product;
}

/** The inverse, by trying all. */
export function slowInverse(a: number): number {
  for (let b = 1; b < 256; b++) if (slowProduct(a, b) === 1) return b;
  throw new RangeError("0 has no inverse");
}

/** The parity pieces of data pieces of equal length: piece j is the sum of data[i] / ((k + j) XOR i). */
export function slowParity(data: readonly Uint8Array[], m: number): Uint8Array[] {
  const k = data.length;
  return Array.from({ length: m }, (_, j) => {
    const factors = data.map((_, i) => slowInverse((k + j) ^ i));
    return Uint8Array.from({ length: data[0]!.length }, (_, at) =>
      data.reduce((sum, piece, i) => sum ^ slowProduct(factors[i]!, piece[at]!), 0),
    );
  });
}
