/**
 * Signatures of validators, whose keys are of a type that their length tells.
 * Source: CometBFT v0.40 `crypto/ed25519`, `crypto/mldsa65` (pure, no context); design.md, "Proofs".
 */
import type { Bytes } from "@xinglin/primitives";
import { verifyEd25519 } from "./ed25519.ts";
import { KEY_TYPE } from "./pure/cometbft/key-type.ts";
import type { Curves } from "./verify.ts";

const NO_CONTEXT: Bytes = new Uint8Array(0);
const isMlDsa65 = (publicKey: Bytes): boolean => publicKey.length === KEY_TYPE["ml-dsa-65"].publicKey;

/** Whether a validator's signature is right, with the given implementations; false for anything malformed. */
export const verifyVoteWith =
  (curves: Pick<Curves, "ed25519" | "mlDsa65">) =>
  (publicKey: Bytes, message: Bytes, signature: Bytes): boolean =>
    isMlDsa65(publicKey)
      ? curves.mlDsa65(publicKey, message, signature, NO_CONTEXT)
      : curves.ed25519(publicKey, message, signature);

/**
 * The same with the portable implementations. That of ML-DSA-65 is loaded when the first such key is met: a page that follows a chain
 * without one never loads it.
 */
export function verifyVote(publicKey: Bytes, message: Bytes, signature: Bytes): boolean | Promise<boolean> {
  if (!isMlDsa65(publicKey)) return verifyEd25519(publicKey, message, signature);
  if (signature.length !== KEY_TYPE["ml-dsa-65"].signature) return false;
  // The library, not `ml-dsa.ts`: a bundler puts what a lazily loaded file shares with the page into one piece with it, and so loads both at once.
  return import("@noble/post-quantum/ml-dsa.js").then(({ ml_dsa65 }) =>
    ml_dsa65.verify(signature, message, publicKey, { context: NO_CONTEXT }),
  );
}
