/** AES-256-GCM by OpenSSL. Source: NIST SP 800-38D. */
import { type CipherGCM, createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from "node:crypto";
import { TAG_BYTES } from "../layout.ts";
import { type Aead, release } from "./aead.ts";

export class AesGcm implements Aead {
  /** As an object: bytes would be wrapped anew for every chunk. */
  readonly #key: KeyObject;

  /** `key` has 32 bytes. */
  constructor(key: Uint8Array) {
    this.#key = createSecretKey(key);
  }

  seal(nonce: Uint8Array, associated: Uint8Array, plain: Uint8Array, into: Uint8Array): void {
    const cipher = createCipheriv("aes-256-gcm", this.#key, nonce);
    cipher.setAAD(associated);
    const sealed = cipher.update(plain);
    into.set(sealed);
    release(sealed);
    cipher.final();
    into.set(cipher.getAuthTag(), plain.length);
  }

  open(nonce: Uint8Array, associated: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    const end = sealed.length - TAG_BYTES;
    if (end < 0) return undefined;
    const decipher = createDecipheriv("aes-256-gcm", this.#key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(associated);
    decipher.setAuthTag(sealed.subarray(end));
    const plain = decipher.update(sealed.subarray(0, end));
    return closes(decipher) ? plain : undefined;
  }
}

/** Whether the tag is right; `final` throws if not. */
function closes(decipher: Pick<CipherGCM, "final">): boolean {
  try {
    decipher.final();
    return true;
  } catch {
    return false;
  }
}
