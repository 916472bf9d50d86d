/**
 * Keys and nonces of one object version. The content key is fresh and random for every version, and both working keys are derived
 * from it, so a counter serves as nonce and no key ever sees two messages under one nonce.
 * Source: design.md, "Archive"; NIST SP 800-38D section 8.2.1 (deterministic nonce); RFC 5869 (HKDF).
 */
import { invariant } from "@xinglin/primitives";
import { TAG_BYTES } from "./layout.ts";
import { type Aead, NONCE_BYTES } from "./profile/aead.ts";
import type { Profile } from "./profile/profile.ts";
import { CONTENT_KEY_BYTES, OBJECT_ID_BYTES } from "./reference.ts";

/** Seals and opens the chunks of one object version, in place of a key that is passed around. Buffers are reused: not for two callers at once. */
export class ChunkSeal {
  readonly #aead: Aead;
  /** Big-endian chunk index in the last eight bytes. */
  readonly #nonce = Buffer.alloc(NONCE_BYTES);
  /** Object id, then the index: a chunk of another object or place does not open. */
  readonly #associated = Buffer.alloc(OBJECT_ID_BYTES + 8);

  constructor(profile: Profile, contentKey: Uint8Array, objectId: Uint8Array) {
    invariant(contentKey.length === CONTENT_KEY_BYTES && objectId.length === OBJECT_ID_BYTES, "a content key and an object id");
    this.#aead = profile.aead(profile.derive(contentKey, objectId, "chunks"));
    this.#associated.set(objectId);
  }

  /** Writes the sealed form of chunk `index` to `piece`: ciphertext, then tag. */
  seal(index: number, chunk: Uint8Array, piece: Uint8Array): void {
    this.#address(index);
    this.#aead.seal(this.#nonce, this.#associated, chunk, piece);
  }

  /** The chunk of a sealed piece, for the caller to `release`, or `undefined` if the piece is not this object's chunk `index` under this key. */
  open(index: number, piece: Uint8Array): Uint8Array | undefined {
    this.#address(index);
    return this.#aead.open(this.#nonce, this.#associated, piece);
  }

  #address(index: number): void {
    this.#nonce.writeBigUInt64BE(BigInt(index), NONCE_BYTES - 8);
    this.#associated.writeBigUInt64BE(BigInt(index), OBJECT_ID_BYTES);
  }
}

/** The manifest of an object version has a key of its own, used once: the nonce is constant. */
const MANIFEST_NONCE = new Uint8Array(NONCE_BYTES);

const manifestAead = (profile: Profile, contentKey: Uint8Array, objectId: Uint8Array): Aead =>
  profile.aead(profile.derive(contentKey, objectId, "manifest"));

/** Ciphertext and tag of a manifest's plain bytes. */
export function sealManifestBytes(profile: Profile, plain: Uint8Array, contentKey: Uint8Array, objectId: Uint8Array): Uint8Array {
  const sealed = new Uint8Array(plain.length + TAG_BYTES);
  manifestAead(profile, contentKey, objectId).seal(MANIFEST_NONCE, objectId, plain, sealed);
  return sealed;
}

/** Plain bytes of a sealed manifest, or `undefined` under another key or profile. */
export function openManifestBytes(
  profile: Profile,
  sealed: Uint8Array,
  contentKey: Uint8Array,
  objectId: Uint8Array,
): Uint8Array | undefined {
  const plain = manifestAead(profile, contentKey, objectId).open(MANIFEST_NONCE, objectId, sealed);
  return plain === undefined ? undefined : new Uint8Array(plain);
}
