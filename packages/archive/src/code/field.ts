/**
 * The field GF(2^8) with the polynomial x^8 + x^4 + x^3 + x^2 + 1 (0x11d) and the generator 2, as every Reed–Solomon library of
 * storage systems uses it.
 * Source: github.com/klauspost/reedsolomon, galois.go (the oracle of the tests).
 */
const POLYNOMIAL = 0x11d;
/** Powers of the generator, twice over, so that the sum of two logarithms needs no reduction. */
const powers = new Uint8Array(510);
const logarithms = new Uint8Array(256);
for (let exponent = 0, value = 1; exponent < 255; exponent++) {
  powers[exponent] = value;
  powers[exponent + 255] = value;
  logarithms[value] = exponent;
  value <<= 1;
  if (value > 255) value ^= POLYNOMIAL;
}

/** The product of two field elements; their sum is `^`. */
export const multiply = (a: number, b: number): number => (a === 0 || b === 0 ? 0 : powers[logarithms[a]! + logarithms[b]!]!);

/** The inverse of a field element other than 0. */
export function inverse(a: number): number {
  if (a === 0) throw new RangeError("0 has no inverse");
  return powers[255 - logarithms[a]!]!;
}
