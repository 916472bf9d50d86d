/**
 * Signatures of validators, whose keys are of a type that their length tells.
 *
 * Of Ed25519, CometBFT's rules are those of ZIP 215: with the cofactor, and any encoding. A transaction's are narrower (`ed25519.ts`); but a vote
 * that consensus took stands in a commit for good, and a validator that signs at the edge on purpose must not keep everyone from verifying the
 * header that the others signed.
 * Source: CometBFT v0.40 `crypto/ed25519` (ZIP 215), `crypto/mldsa65` (pure, no context); design.md, "Proofs".
 */
import { ed25519 } from "@noble/curves/ed25519.js";
import type { Bytes } from "@xinglin/primitives";
import { KEY_TYPE } from "./pure/cometbft/key-type.ts";
import type { Curves } from "./verify.ts";

const NO_CONTEXT: Bytes = new Uint8Array(0);
const isMlDsa65 = (publicKey: Bytes): boolean => publicKey.length === KEY_TYPE["ml-dsa-65"].publicKey;

/** Every signature that the narrower rules take is right by these, too. About 1.5 ms. */
function verifyByZip215(publicKey: Bytes, message: Bytes, signature: Bytes): boolean {
  if (publicKey.length !== KEY_TYPE.ed25519.publicKey || signature.length !== KEY_TYPE.ed25519.signature) return false;
  return ed25519.verify(signature, message, publicKey, { zip215: true });
}

/** Whether a validator's signature is right, with the given implementations; false for anything malformed. */
export const verifyVoteWith =
  (curves: Pick<Curves, "ed25519" | "mlDsa65">) =>
  (publicKey: Bytes, message: Bytes, signature: Bytes): boolean =>
    isMlDsa65(publicKey)
      ? curves.mlDsa65(publicKey, message, signature, NO_CONTEXT)
      : curves.ed25519(publicKey, message, signature) || verifyByZip215(publicKey, message, signature);

/**
 * The same with the portable implementations. That of ML-DSA-65 is loaded when the first such key is met: a page that follows a chain
 * without one never loads it.
 */
export function verifyVote(publicKey: Bytes, message: Bytes, signature: Bytes): boolean | Promise<boolean> {
  if (!isMlDsa65(publicKey)) return verifyByZip215(publicKey, message, signature);
  if (signature.length !== KEY_TYPE["ml-dsa-65"].signature) return false;
  // The library, not `ml-dsa.ts`: a bundler puts what a lazily loaded file shares with the page into one piece with it, and so loads both at once.
  return import("@noble/post-quantum/ml-dsa.js").then(({ ml_dsa65 }) =>
    ml_dsa65.verify(signature, message, publicKey, { context: NO_CONTEXT }),
  );
}
