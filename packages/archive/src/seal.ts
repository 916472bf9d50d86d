/**
 * Keys and nonces of one object version. The content key is fresh and random for every version, and both working keys are derived
 * from it, so a counter serves as nonce and no key ever sees two messages under one nonce.
 * Source: design.md, "Archive"; NIST SP 800-38D section 8.2.1 (deterministic nonce); RFC 5869 (HKDF).
 */
import { type CipherGCM, createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject } from "node:crypto";
import { invariant } from "@xinglin/primitives";
import { TAG_BYTES } from "./layout.ts";
import { CONTENT_KEY_BYTES, OBJECT_ID_BYTES } from "./reference.ts";

const NONCE_BYTES = 12;

const derive = (contentKey: Uint8Array, objectId: Uint8Array, purpose: string): Uint8Array =>
  new Uint8Array(hkdfSync("sha256", contentKey, objectId, `xinglin archive v1 ${purpose}`, 32));

/** Seals and opens the chunks of one object version, in place of a key that is passed around. Buffers are reused: not for two callers at once. */
export class ChunkSeal {
  /** As an object: bytes would be wrapped anew for every chunk. */
  readonly #key: KeyObject;
  /** Big-endian chunk index in the last eight bytes. */
  readonly #nonce = Buffer.alloc(NONCE_BYTES);
  /** Object id, then the index: a chunk of another object or place does not open. */
  readonly #associated = Buffer.alloc(OBJECT_ID_BYTES + 8);

  constructor(contentKey: Uint8Array, objectId: Uint8Array) {
    invariant(contentKey.length === CONTENT_KEY_BYTES && objectId.length === OBJECT_ID_BYTES, "a content key and an object id");
    this.#key = createSecretKey(derive(contentKey, objectId, "chunks"));
    this.#associated.set(objectId);
  }

  /** Writes the sealed form of chunk `index` to `piece`: ciphertext, then tag. */
  seal(index: number, chunk: Uint8Array, piece: Uint8Array): void {
    this.#address(index);
    const cipher = createCipheriv("aes-256-gcm", this.#key, this.#nonce);
    cipher.setAAD(this.#associated);
    const sealed = cipher.update(chunk);
    piece.set(sealed);
    release(sealed);
    cipher.final();
    piece.set(cipher.getAuthTag(), chunk.length);
  }

  /** The chunk of a sealed piece, for the caller to `release`, or `undefined` if the piece is not this object's chunk `index` under this key. */
  open(index: number, piece: Uint8Array): Uint8Array | undefined {
    this.#address(index);
    const decipher = createDecipheriv("aes-256-gcm", this.#key, this.#nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(this.#associated);
    decipher.setAuthTag(piece.subarray(piece.length - TAG_BYTES));
    const chunk = decipher.update(piece.subarray(0, piece.length - TAG_BYTES));
    return closes(decipher) ? chunk : undefined;
  }

  #address(index: number): void {
    this.#nonce.writeBigUInt64BE(BigInt(index), NONCE_BYTES - 8);
    this.#associated.writeBigUInt64BE(BigInt(index), OBJECT_ID_BYTES);
  }
}

/**
 * Gives back the memory of a chunk that is not needed any more. Ciphers allocate every result; left to the collector, each chunk costs
 * fresh pages and, every 64 MB, a full collection: twice the time of the cipher itself. Does nothing to a buffer that was handed over.
 */
export function release(bytes: Uint8Array): void {
  const buffer = bytes.buffer as ArrayBuffer;
  if (!buffer.detached && bytes.byteLength === buffer.byteLength) buffer.transfer(0);
}

/** The manifest of an object version has a key of its own, used once: the nonce is constant. */
const MANIFEST_NONCE = new Uint8Array(NONCE_BYTES);

/** Ciphertext and tag of a manifest's plain bytes. */
export function sealManifestBytes(plain: Uint8Array, contentKey: Uint8Array, objectId: Uint8Array): Uint8Array {
  const cipher = createCipheriv("aes-256-gcm", derive(contentKey, objectId, "manifest"), MANIFEST_NONCE);
  cipher.setAAD(objectId);
  return new Uint8Array(Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]));
}

/** Plain bytes of a sealed manifest, or `undefined` under another key. */
export function openManifestBytes(sealed: Uint8Array, contentKey: Uint8Array, objectId: Uint8Array): Uint8Array | undefined {
  if (sealed.length < TAG_BYTES) return undefined;
  const key = derive(contentKey, objectId, "manifest");
  const decipher = createDecipheriv("aes-256-gcm", key, MANIFEST_NONCE, { authTagLength: TAG_BYTES });
  decipher.setAAD(objectId);
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  const plain = decipher.update(sealed.subarray(0, sealed.length - TAG_BYTES));
  return closes(decipher) ? new Uint8Array(plain) : undefined;
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
