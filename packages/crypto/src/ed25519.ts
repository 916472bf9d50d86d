/**
 * Ed25519 for every platform, with exactly the answers of libsodium, which decides block validity on nodes: a browser must not see a
 * signature as good that a block refused, or the other way round. So: canonical encodings only, no small-order key or R, S below the group
 * order, and the equation without the cofactor (R = S·B − k·A, compared as bytes).
 * Source: RFC 8032 section 5.1.7; libsodium `crypto_sign_verify_detached`; vectors in `spec/crypto/ed25519.json`.
 */
import { ed25519 } from "@noble/curves/ed25519.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { type Bytes, concat, equal } from "@xinglin/primitives";

const { Point } = ed25519;

/** Whether `signature` over `message` is by `publicKey`; false for anything malformed. About 1.5 ms. */
export function verifyEd25519(publicKey: Bytes, message: Bytes, signature: Bytes): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  const encodedR = signature.subarray(0, 32);
  const s = littleEndian(signature.subarray(32));
  if (s >= Point.Fn.ORDER) return false;
  try {
    const a = Point.fromBytes(publicKey);
    const r = Point.fromBytes(encodedR);
    if (a.isSmallOrder() || r.isSmallOrder()) return false;
    const k = littleEndian(sha512(concat(encodedR, publicKey, message))) % Point.Fn.ORDER;
    // Zero is no scalar to the library: S = 0 is valid, and k = 0 does not occur.
    const sb = s === 0n ? Point.ZERO : Point.BASE.multiplyUnsafe(s);
    return equal(sb.subtract(a.multiplyUnsafe(k)).toBytes(), encodedR);
  } catch {
    return false;
  }
}

/** The public key of a 32-byte seed. */
export const ed25519PublicKey = (seed: Bytes): Bytes => ed25519.getPublicKey(seed);

/** The 64-byte signature of a 32-byte seed. */
export const signEd25519 = (seed: Bytes, message: Bytes): Bytes => ed25519.sign(message, seed);

const littleEndian = (bytes: Bytes): bigint => bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
