/**
 * ECDSA on P-256 over SHA-256, for every platform. Public keys are compressed points, signatures r and s of 32 bytes each with s in the
 * lower half, so that nobody can make a second valid signature from a first.
 * Source: FIPS 186-5 section 6.4; SEC 1 section 2.3.3; design.md, "Suites".
 */
import { p256 } from "@noble/curves/nist.js";
import { type Bytes, compare, concat } from "@xinglin/primitives";

const PART_BYTES = 32;
const ORDER = p256.Point.Fn.ORDER;
// As bytes, since comparing these is much cheaper than making integers of every signature.
const ZERO = new Uint8Array(PART_BYTES);
const ORDER_BYTES = toBigEndian(ORDER);
const HALF_ORDER_BYTES = toBigEndian(ORDER / 2n);

/** Whether `signature` over `message` is by `publicKey`; false for anything malformed or with a high s. About 2 ms. */
export function verifyP256(publicKey: Bytes, message: Bytes, signature: Bytes): boolean {
  if (!isP256PublicKeyForm(publicKey) || !isP256SignatureForm(signature)) return false;
  try {
    return p256.verify(signature, message, publicKey, { prehash: true, lowS: true, format: "compact" });
  } catch {
    return false;
  }
}

/** Whether these bytes have the form of a compressed point; whether they are on the curve shows when they are used. */
export const isP256PublicKeyForm = (key: Bytes): boolean => key.length === 33 && (key[0] === 2 || key[0] === 3);

/** Whether r and s are within 1 and the group order, and s in the lower half. */
export function isP256SignatureForm(signature: Bytes): boolean {
  if (signature.length !== 2 * PART_BYTES) return false;
  const r = signature.subarray(0, PART_BYTES);
  const s = signature.subarray(PART_BYTES);
  return compare(r, ZERO) > 0 && compare(r, ORDER_BYTES) < 0 && compare(s, ZERO) > 0 && compare(s, HALF_ORDER_BYTES) <= 0;
}

/** The same signature with s in the lower half, for signers that do not choose. `signature` is r and s of 32 bytes each. */
export function lowerS(signature: Bytes): Bytes {
  const s = signature.subarray(PART_BYTES);
  if (compare(s, HALF_ORDER_BYTES) <= 0) return signature;
  return concat(signature.subarray(0, PART_BYTES), toBigEndian(ORDER - bigEndian(s)));
}

/** The compressed public key of a 32-byte private key. */
export const p256PublicKey = (privateKey: Bytes): Bytes => p256.getPublicKey(privateKey, true);

/** A deterministic (RFC 6979) signature, r and s of 32 bytes each. */
export const signP256 = (privateKey: Bytes, message: Bytes): Bytes =>
  p256.sign(message, privateKey, { prehash: true, lowS: true, format: "compact" });

/** The compressed form of a point as WebCrypto exports it (0x04, x, y). */
export function compressP256(uncompressed: Bytes): Bytes {
  const odd = (uncompressed[64] as number) & 1;
  return concat(Uint8Array.of(2 + odd), uncompressed.subarray(1, 33));
}

const bigEndian = (bytes: Bytes): bigint => bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);

function toBigEndian(value: bigint): Bytes {
  const out = new Uint8Array(PART_BYTES);
  let rest = value;
  for (let i = PART_BYTES - 1; i >= 0; i--, rest >>= 8n) out[i] = Number(rest & 255n);
  return out;
}
