/**
 * What the chain keeps of an archived object: two hashes and its rough size, whatever it holds.
 * Source: design.md, "Archive" (one operation of under 1 KB for an object of any size) and "Ledger" (nothing computed from plaintext).
 */
import { cbor, type Infer, schema } from "@xinglin/primitives";
import { codeParameters } from "./layout.ts";
import { profileMark } from "./profile/profile.ts";

/** The shape of an `ObjectReference`. */
export const objectReference = schema.object({
  /** Digest of the sealed manifest: SHA-256, or that of the profile. */
  manifest: schema.bytes(32),
  /** Root of the piece tree: RFC 6962 over the piece table's header, then over the digest of each piece. */
  root: schema.bytes(32),
  /** Bit length of the size in bytes. */
  sizeClass: schema.uint(53, 1),
  code: codeParameters,
  /** What sealed and hashed it: whoever reads, audits or repairs goes by this and refuses pieces and documents that say otherwise. */
  profile: profileMark,
});
export type ObjectReference = Infer<typeof objectReference>;

/** Far above what a reference needs: about 120 bytes. */
const MAX_REFERENCE_BYTES = 256;

/** Canonical bytes of a reference, as anchored. */
export const encodeReference = (reference: ObjectReference): Uint8Array => cbor.encode(reference);
/** The reference of canonical bytes. Faults: `malformed`. */
export const decodeReference = (bytes: Uint8Array): ObjectReference =>
  objectReference.parse(cbor.decode(bytes, MAX_REFERENCE_BYTES));

/** Bytes of a random object id. */
export const OBJECT_ID_BYTES = 16;
/** Bytes of a content key, fresh for each version of an object. */
export const CONTENT_KEY_BYTES = 32;
