/**
 * ML-DSA-65 in its pure form, for every platform. Nodes use OpenSSL's.
 * Source: FIPS 204; edge cases pinned in `spec/crypto/ml-dsa-65.json`.
 */
import { ml_dsa65 } from "@noble/post-quantum/ml-dsa.js";
import type { Bytes } from "@xinglin/primitives";
import { ML_DSA_65_BYTES } from "./pure/suite.ts";

/** The context of signatures that name none, as CometBFT's validators sign. */
export const NO_CONTEXT: Bytes = new Uint8Array(0);

/** Whether `signature` over `message` is by `publicKey` under `context`; false for anything malformed. About 2 ms. */
export function verifyMlDsa65(publicKey: Bytes, message: Bytes, signature: Bytes, context: Bytes): boolean {
  const { publicKey: keyBytes, signature: signatureBytes } = ML_DSA_65_BYTES;
  if (publicKey.length !== keyBytes || signature.length !== signatureBytes) return false;
  return ml_dsa65.verify(signature, message, publicKey, { context });
}

/** The key pair of a 32-byte seed: the public key, and the private key in FIPS 204's packed form (4,032 bytes), as CometBFT's key files hold it. */
export const mlDsa65KeyPair = (seed: Bytes): { readonly publicKey: Bytes; readonly packedPrivateKey: Bytes } => {
  const { publicKey, secretKey } = ml_dsa65.keygen(seed);
  return { publicKey, packedPrivateKey: secretKey };
};

/** A signature by a packed private key. Deterministic, as CometBFT signs. */
export const signMlDsa65 = (packedPrivateKey: Bytes, message: Bytes, context: Bytes): Bytes =>
  ml_dsa65.sign(message, packedPrivateKey, { context, extraEntropy: false });

/** A validator's key of a 32-byte seed: signs as CometBFT does, deterministically and without a context. */
export function mlDsa65Signer(seed: Bytes): { readonly publicKey: Bytes; sign(message: Bytes): Bytes } {
  const { publicKey, packedPrivateKey } = mlDsa65KeyPair(seed);
  return { publicKey, sign: (message) => signMlDsa65(packedPrivateKey, message, NO_CONTEXT) };
}
