/**
 * One small record inside a pack, sealed under its own content key, so that ending one leaves its neighbours readable. Its length is padded: a
 * result's length must not tell the result.
 * Source: design.md, "Archive" (small records share packs, each under its own content key); NIST SP 800-38D section 8.2.1.
 */
import { type Infer, schema } from "@xinglin/primitives";
import { TAG_BYTES } from "../layout.ts";
import { NONCE_BYTES } from "../profile/aead.ts";
import type { Profile } from "../profile/profile.ts";
import { OBJECT_ID_BYTES } from "../reference.ts";

/** The true length, before the content. */
const LENGTH_BYTES = 4;
/** A content key is random and seals one record once: it is the profile's key as it is, under a constant nonce. */
const NONCE = new Uint8Array(NONCE_BYTES);
/** Sealed records have a multiple of this, or of an eighth of their power of two. */
const SMALLEST_STEP = 64;
const STEPS_A_DOUBLING = 8;

/** What is larger is an object of its own. */
export const MAX_SMALL_BYTES = 65_536;

/** Where a record's sealed bytes lie in the pack. */
export const packSlice = schema.object({
  at: schema.uint(2 ** 40),
  length: schema.uint(2 * MAX_SMALL_BYTES, SMALLEST_STEP),
});
export type PackSlice = Infer<typeof packSlice>;

/** Bytes that a record of `contentBytes` takes in a pack. */
export function sealedBytesOf(contentBytes: number): number {
  const wanted = LENGTH_BYTES + contentBytes + TAG_BYTES;
  const step = Math.max(SMALLEST_STEP, 2 ** (31 - Math.clz32(wanted - 1)) / STEPS_A_DOUBLING);
  return Math.ceil(wanted / step) * step;
}

/** The sealed form of `content`, at byte `at` of the pack. */
export function sealRecord(profile: Profile, content: Uint8Array, key: Uint8Array, packId: Uint8Array, at: number): Uint8Array {
  const plain = Buffer.alloc(sealedBytesOf(content.length) - TAG_BYTES);
  plain.writeUInt32BE(content.length);
  plain.set(content, LENGTH_BYTES);
  const sealed = new Uint8Array(plain.length + TAG_BYTES);
  profile.aead(key).seal(NONCE, placeOf(packId, at), plain, sealed);
  return sealed;
}

/** The content of a sealed record, or `undefined` under another key, in another place or pack. */
export function openRecord(
  profile: Profile,
  sealed: Uint8Array,
  key: Uint8Array,
  packId: Uint8Array,
  at: number,
): Uint8Array | undefined {
  if (sealed.length < LENGTH_BYTES + TAG_BYTES) return undefined;
  const plain = profile.aead(key).open(NONCE, placeOf(packId, at), sealed);
  if (plain === undefined) return undefined;
  const length = new DataView(plain.buffer, plain.byteOffset).getUint32(0);
  return length <= plain.length - LENGTH_BYTES ? Uint8Array.from(plain.subarray(LENGTH_BYTES, LENGTH_BYTES + length)) : undefined;
}

/**
 * The key that the pack itself is archived under. It follows from the pack's id and hides nothing: what is secret in a pack is sealed record by
 * record, and who repairs or audits it needs no key anyway.
 */
export const packKeyOf = (profile: Profile, packId: Uint8Array): Uint8Array => profile.derive(packId, packId, "pack");

function placeOf(packId: Uint8Array, at: number): Uint8Array {
  const place = Buffer.alloc(OBJECT_ID_BYTES + 8);
  place.set(packId);
  place.writeBigUInt64BE(BigInt(at), OBJECT_ID_BYTES);
  return place;
}
