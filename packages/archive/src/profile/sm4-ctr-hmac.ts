/**
 * SM4 in counter mode, then HMAC-SM3 over nonce, associated bytes and ciphertext: OpenSSL has no SM4-GCM that Node can reach. The key of 32
 * bytes is split by HKDF-SM3 into SM4's 16 and HMAC's 32. What is sealed has the lengths that it has under AES-256-GCM.
 * Source: docs/decisions/0013-national-profile.md; GB/T 32907 (SM4), GB/T 17964 (counter mode), GB/T 32905 (SM3), GB/T 15852.2 (HMAC,
 * truncated to its left bytes), RFC 5869 (HKDF).
 */
import { createCipheriv, createHmac, createSecretKey, hkdfSync, type KeyObject, timingSafeEqual } from "node:crypto";
import { TAG_BYTES } from "../layout.ts";
import { type Aead, KEY_BYTES, NONCE_BYTES, release } from "./aead.ts";

const SM4_KEY_BYTES = 16;
const BLOCK_BYTES = 16;
const LENGTH_BYTES = 8;
const SPLIT = "xinglin sm4-ctr hmac-sm3 v1";
const NO_SALT = new Uint8Array(0);

export class Sm4CtrHmacSm3 implements Aead {
  readonly #cipherKey: KeyObject;
  readonly #macKey: KeyObject;
  /** The nonce, then 32 bits that count blocks from 0: 64 GB a message, and no counter of one nonce is a counter of another. */
  readonly #counter = Buffer.alloc(BLOCK_BYTES);
  /** The nonce, then the length of the associated bytes: so no other triple has the same bytes under the MAC. */
  readonly #head = Buffer.alloc(NONCE_BYTES + LENGTH_BYTES);

  /** `key` has 32 bytes. */
  constructor(key: Uint8Array) {
    const keys = new Uint8Array(hkdfSync("sm3", key, NO_SALT, SPLIT, SM4_KEY_BYTES + KEY_BYTES));
    this.#cipherKey = createSecretKey(keys.subarray(0, SM4_KEY_BYTES));
    this.#macKey = createSecretKey(keys.subarray(SM4_KEY_BYTES));
    keys.fill(0);
  }

  seal(nonce: Uint8Array, associated: Uint8Array, plain: Uint8Array, into: Uint8Array): void {
    const sealed = this.#crypt(nonce, plain);
    into.set(sealed);
    release(sealed);
    into.set(this.#tag(nonce, associated, into.subarray(0, plain.length)), plain.length);
  }

  open(nonce: Uint8Array, associated: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    const end = sealed.length - TAG_BYTES;
    if (end < 0) return undefined;
    const ciphertext = sealed.subarray(0, end);
    // Nothing is decrypted before it is known to be right.
    if (!timingSafeEqual(this.#tag(nonce, associated, ciphertext), sealed.subarray(end))) return undefined;
    return this.#crypt(nonce, ciphertext);
  }

  #crypt(nonce: Uint8Array, bytes: Uint8Array): Uint8Array {
    this.#counter.set(nonce);
    return createCipheriv("sm4-ctr", this.#cipherKey, this.#counter).update(bytes);
  }

  #tag(nonce: Uint8Array, associated: Uint8Array, ciphertext: Uint8Array): Uint8Array {
    this.#head.set(nonce);
    this.#head.writeBigUInt64BE(BigInt(associated.length), NONCE_BYTES);
    const mac = createHmac("sm3", this.#macKey).update(this.#head).update(associated).update(ciphertext);
    return mac.digest().subarray(0, TAG_BYTES);
  }
}
