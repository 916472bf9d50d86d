/**
 * The types of validator keys that a chain of ours may have. Their public keys differ in length, so bytes alone say which type a key is.
 * Source: CometBFT v0.40 `crypto/ed25519`, `crypto/mldsa65`, proto `tendermint/crypto/keys.proto` (the numbers of the oneof).
 */
import { type Bytes, Fault } from "@xinglin/primitives";
import { ML_DSA_65_BYTES } from "../suite.ts";

/** Every type. `ml-dsa-65` is post-quantum: pure ML-DSA (FIPS 204) without a context. */
export const KEY_TYPES = ["ed25519", "ml-dsa-65"] as const;
export type KeyType = (typeof KEY_TYPES)[number];

/** Of each type: lengths in bytes, its number in `tendermint.crypto.PublicKey`, and its name in consensus parameters (`pub_key_types`). */
export const KEY_TYPE: Readonly<
  Record<KeyType, { readonly publicKey: number; readonly signature: number; readonly field: number; readonly name: string }>
> = {
  ed25519: { publicKey: 32, signature: 64, field: 1, name: "ed25519" },
  "ml-dsa-65": { publicKey: ML_DSA_65_BYTES.publicKey, signature: ML_DSA_65_BYTES.signature, field: 4, name: "ml_dsa_65" },
};

/** The type of a validator's key. Throws `Fault("malformed")` on bytes that are a key of none. */
export function keyTypeOf(publicKey: Bytes): KeyType {
  const type = KEY_TYPES.find((candidate) => KEY_TYPE[candidate].publicKey === publicKey.length);
  if (type === undefined) throw new Fault("malformed", { element: "validator.pub_key" });
  return type;
}

/** Whether a vote's signature can be one, by its length; whose it is and over what, a verifier says. */
export const isSignatureLength = (length: number): boolean => KEY_TYPES.some((type) => KEY_TYPE[type].signature === length);
