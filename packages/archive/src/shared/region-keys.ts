/**
 * What an institution computes of pixels under a key of its own: a name to find them again by, and a key that only who has the pixels can
 * make, under which the key of the object that keeps them is sealed. So neither the list of names nor the institution's key opens anything.
 * Source: docs/decisions/0012-shared-pixels.md; RFC 2104 (HMAC); NIST SP 800-38D.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from "node:crypto";
import { TAG_BYTES } from "../layout.ts";

const NONCE_BYTES = 12;

/** Bytes of an institution's key for shared pixels. */
export const SHARING_KEY_BYTES = 32;

const derive = (sharingKey: Uint8Array, digest: Uint8Array, purpose: string): Uint8Array =>
  createHmac("sha256", sharingKey).update(`xinglin shared pixels v1 ${purpose}`).update(digest).digest();

/** The name of pixels with this SHA-256, inside one institution: 32 bytes, and nothing to others. */
export const nameOfPixels = (sharingKey: Uint8Array, digest: Uint8Array): Uint8Array => derive(sharingKey, digest, "name");

/** The key of the object that keeps these pixels, sealed for whoever has them. */
export function sealObjectKey(sharingKey: Uint8Array, digest: Uint8Array, objectId: Uint8Array, key: Uint8Array): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", derive(sharingKey, digest, "key"), nonce);
  cipher.setAAD(objectId);
  return new Uint8Array(Buffer.concat([nonce, cipher.update(key), cipher.final(), cipher.getAuthTag()]));
}

/** The key that was sealed, or `undefined` if it was for other pixels, another institution or another object. */
export function openObjectKey(
  sharingKey: Uint8Array,
  digest: Uint8Array,
  objectId: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | undefined {
  const decipher = createDecipheriv("aes-256-gcm", derive(sharingKey, digest, "key"), sealed.subarray(0, NONCE_BYTES));
  decipher.setAAD(objectId);
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  try {
    const end = sealed.length - TAG_BYTES;
    return new Uint8Array(Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, end)), decipher.final()]));
  } catch {
    return undefined;
  }
}
