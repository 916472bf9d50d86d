/**
 * Authenticated encryption, key derivation and randomness by the platform's own WebCrypto.
 * Source: NIST SP 800-38D (AES-GCM); RFC 5869 (HKDF); design.md, "Archive".
 */
import { type Bytes, concat, Fault } from "@xinglin/primitives";

/** Bytes of an AES-256 key, of a nonce and of an authentication tag. */
export const KEY_BYTES = 32;
export const NONCE_BYTES = 12;
export const TAG_BYTES = 16;

const MAX_RANDOM_BYTES = 65_536;

/** Bytes from the platform's cryptographic random source. */
export function randomBytes(length: number): Bytes {
  const out = new Uint8Array(length);
  for (let at = 0; at < length; at += MAX_RANDOM_BYTES) crypto.getRandomValues(out.subarray(at, at + MAX_RANDOM_BYTES));
  return out;
}

/** Seals with AES-256-GCM under a fresh random nonce: nonce, ciphertext, tag. At most 2^32 seals under one key. */
export async function seal(key: Bytes, plaintext: Bytes, aad: Bytes): Promise<Bytes> {
  const nonce = randomBytes(NONCE_BYTES);
  return concat(nonce, await sealWithNonce(key, nonce, plaintext, aad));
}

/** Opens what `seal` sealed. Throws `Fault("seal_broken")` for another key, other data or any changed byte. */
export async function open(key: Bytes, sealed: Bytes, aad: Bytes): Promise<Bytes> {
  return openWithNonce(key, sealed.subarray(0, NONCE_BYTES), sealed.subarray(NONCE_BYTES), aad);
}

/** As `seal`, with a nonce that the caller never uses twice under one key; returns ciphertext and tag only. */
export async function sealWithNonce(key: Bytes, nonce: Bytes, plaintext: Bytes, aad: Bytes): Promise<Bytes> {
  const imported = await importKey(key, "encrypt");
  const algorithm = { name: "AES-GCM", iv: own(checkedNonce(nonce)), additionalData: own(aad) };
  return new Uint8Array(await crypto.subtle.encrypt(algorithm, imported, own(plaintext)));
}

/** Opens what `sealWithNonce` sealed. Throws `Fault("seal_broken")`. */
export async function openWithNonce(key: Bytes, nonce: Bytes, sealed: Bytes, aad: Bytes): Promise<Bytes> {
  if (nonce.length !== NONCE_BYTES || sealed.length < TAG_BYTES) throw new Fault("seal_broken");
  const imported = await importKey(key, "decrypt");
  try {
    const algorithm = { name: "AES-GCM", iv: own(nonce), additionalData: own(aad) };
    return new Uint8Array(await crypto.subtle.decrypt(algorithm, imported, own(sealed)));
  } catch (cause) {
    throw new Fault("seal_broken", {}, { cause });
  }
}

/** HKDF with SHA-256: `length` bytes from `secret`, apart for each `info`. */
export async function hkdf(secret: Bytes, salt: Bytes, info: Bytes, length: number): Promise<Bytes> {
  const key = await crypto.subtle.importKey("raw", own(secret), "HKDF", false, ["deriveBits"]);
  const algorithm = { name: "HKDF", hash: "SHA-256", salt: own(salt), info: own(info) };
  return new Uint8Array(await crypto.subtle.deriveBits(algorithm, key, length * 8));
}

async function importKey(key: Bytes, usage: "encrypt" | "decrypt"): Promise<CryptoKey> {
  if (key.length !== KEY_BYTES) throw new Fault("malformed", { element: "key", expected: `${KEY_BYTES} bytes` });
  return crypto.subtle.importKey("raw", own(key), "AES-GCM", false, [usage]);
}

function checkedNonce(nonce: Bytes): Bytes {
  if (nonce.length !== NONCE_BYTES) throw new Fault("malformed", { element: "nonce", expected: `${NONCE_BYTES} bytes` });
  return nonce;
}

// WebCrypto's types want bytes over a plain ArrayBuffer; these are views over one already, unless they are shared between workers.
const own = (bytes: Bytes): Uint8Array<ArrayBuffer> =>
  bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes);
