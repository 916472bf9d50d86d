/**
 * The suite `ed25519-ml-dsa-65`: one key of two halves, one signature of two, both over the same representative of the message. A signature
 * is right only if both halves are, so it stands as long as one of the two algorithms does.
 *
 * Bytes and construction are those of `id-MLDSA65-Ed25519-SHA512` with an empty context, so that certificates and modules made for it carry over. Its prefix
 * and label stand in what each half signs, and the label is ML-DSA's context: half of a composite signature is no signature of any other suite,
 * and a signature of another suite is no half.
 * Source: draft-ietf-lamps-pq-composite-sigs (2025 prefix), sections on signing, verifying, serialization and the label table; FIPS 204; RFC 8032.
 */
import { sha512 } from "@noble/hashes/sha2.js";
import { type Bytes, concat, utf8 } from "@xinglin/primitives";
import { MAX_SIGNATURE_BYTES, ML_DSA_65_BYTES, PUBLIC_KEY_BYTES } from "./pure/suite.ts";
import type { Curves } from "./verify.ts";

/** Bytes of a private key: the seeds of ML-DSA-65 and of Ed25519. */
export const COMPOSITE_SECRET_BYTES = ML_DSA_65_BYTES.seed + 32;
/** The label of this pair of algorithms, which is also the context of its ML-DSA half. */
export const COMPOSITE_LABEL = utf8("COMPSIG-MLDSA65-Ed25519-SHA512");

const PREFIX = utf8("CompositeAlgorithmSignatures2025");
const EMPTY_CONTEXT_LENGTH = Uint8Array.of(0);

/** What both halves sign for `message`. */
export const compositeRepresentative = (message: Bytes, hash: (bytes: Bytes) => Bytes = sha512): Bytes =>
  concat(PREFIX, COMPOSITE_LABEL, EMPTY_CONTEXT_LENGTH, hash(message));

/** The two halves of a public key. */
export const compositeKeyHalves = (publicKey: Bytes): { readonly mlDsa65: Bytes; readonly ed25519: Bytes } => ({
  mlDsa65: publicKey.subarray(0, ML_DSA_65_BYTES.publicKey),
  ed25519: publicKey.subarray(ML_DSA_65_BYTES.publicKey),
});

/** Whether both halves of `signature` over `message` are by the halves of `publicKey`; false for anything malformed, a missing half above all. */
export function verifyComposite(
  curves: Pick<Curves, "ed25519" | "mlDsa65" | "sha512">,
  publicKey: Bytes,
  message: Bytes,
  signature: Bytes,
): boolean {
  if (publicKey.length !== PUBLIC_KEY_BYTES["ed25519-ml-dsa-65"]) return false;
  if (signature.length !== MAX_SIGNATURE_BYTES["ed25519-ml-dsa-65"]) return false;
  const { mlDsa65, ed25519 } = compositeKeyHalves(publicKey);
  const represented = compositeRepresentative(message, curves.sha512);
  const split = ML_DSA_65_BYTES.signature;
  // The cheaper half first: a forger who has neither costs little.
  return (
    curves.ed25519(ed25519, represented, signature.subarray(split)) &&
    curves.mlDsa65(mlDsa65, represented, signature.subarray(0, split), COMPOSITE_LABEL)
  );
}
