/**
 * What an institution computes of pixels under a key of its own: a name to find them again by, and a key that only who has the pixels can
 * make, under which the key of the object that keeps them is sealed. So neither the list of names nor the institution's key opens anything.
 * Source: docs/decisions/0012-shared-pixels.md; RFC 2104 (HMAC).
 */
import { randomBytes } from "node:crypto";
import { concat } from "@xinglin/primitives";
import { TAG_BYTES } from "../layout.ts";
import { type Aead, NONCE_BYTES } from "../profile/aead.ts";
import type { Profile } from "../profile/profile.ts";

/** Bytes of an institution's key for shared pixels. */
export const SHARING_KEY_BYTES = 32;

const derive = (profile: Profile, sharingKey: Uint8Array, digest: Uint8Array, purpose: string): Uint8Array =>
  profile.mac(sharingKey, `xinglin shared pixels v1 ${purpose}`, digest);

/** The name of pixels with this digest, inside one institution: 32 bytes, and nothing to others. */
export const nameOfPixels = (profile: Profile, sharingKey: Uint8Array, digest: Uint8Array): Uint8Array =>
  derive(profile, sharingKey, digest, "name");

const aeadOf = (profile: Profile, sharingKey: Uint8Array, digest: Uint8Array): Aead =>
  profile.aead(derive(profile, sharingKey, digest, "key"));

/** The key of the object that keeps these pixels, sealed for whoever has them. */
export function sealObjectKey(
  profile: Profile,
  sharingKey: Uint8Array,
  digest: Uint8Array,
  objectId: Uint8Array,
  key: Uint8Array,
): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES);
  const sealed = new Uint8Array(key.length + TAG_BYTES);
  aeadOf(profile, sharingKey, digest).seal(nonce, objectId, key, sealed);
  return concat(nonce, sealed);
}

/** The key that was sealed, or `undefined` if it was for other pixels, another institution, object or profile. */
export function openObjectKey(
  profile: Profile,
  sharingKey: Uint8Array,
  digest: Uint8Array,
  objectId: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | undefined {
  const nonce = sealed.subarray(0, NONCE_BYTES);
  const key = aeadOf(profile, sharingKey, digest).open(nonce, objectId, sealed.subarray(NONCE_BYTES));
  return key === undefined ? undefined : new Uint8Array(key);
}
