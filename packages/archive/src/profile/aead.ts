/** What every profile's authenticated cipher looks like to the code that seals chunks, manifests, records and keys. */

/** 96 bits, as GCM has it; what is left of a block of 128 counts the blocks of one message. */
export const NONCE_BYTES = 12;
/** Bytes of every content key and of every key derived from one, whatever the cipher takes. */
export const KEY_BYTES = 32;

/** One key. Never two messages under one nonce. */
export interface Aead {
  /** Writes ciphertext, as long as `plain`, and then the tag to `into`. */
  seal(nonce: Uint8Array, associated: Uint8Array, plain: Uint8Array, into: Uint8Array): void;
  /** The plain bytes, for the caller to `release`; `undefined` if key, nonce, associated bytes or sealed bytes are not those of `seal`. */
  open(nonce: Uint8Array, associated: Uint8Array, sealed: Uint8Array): Uint8Array | undefined;
}

/**
 * Gives back the memory of bytes that are not needed any more. Ciphers allocate every result; left to the collector, each chunk costs
 * fresh pages and, every 64 MB, a full collection: twice the time of the cipher itself. Does nothing to a buffer that was handed over.
 */
export function release(bytes: Uint8Array): void {
  const buffer = bytes.buffer as ArrayBuffer;
  if (!buffer.detached && bytes.byteLength === buffer.byteLength) buffer.transfer(0);
}
