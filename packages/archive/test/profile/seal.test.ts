/** The seals of both profiles: nothing opens but what was sealed, where and for whom it was sealed. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { TAG_BYTES } from "../../src/layout.ts";
import { PROFILES, profileNamed } from "../../src/profile/profile.ts";
import { ChunkSeal, openManifestBytes, sealManifestBytes } from "../../src/seal.ts";

const CHUNK = 262_144;
const bytes = (count: number): Uint8Array => new Uint8Array(randomBytes(count));

for (const name of PROFILES) {
  const profile = profileNamed(name);

  test(`${name}: a piece of another place, object, key or profile does not open, nor a changed one`, () => {
    const [key, id] = [bytes(32), bytes(16)];
    const seal = new ChunkSeal(profile, key, id);
    const chunk = bytes(1024);
    const piece = new Uint8Array(chunk.length + TAG_BYTES);
    seal.seal(7, chunk, piece);
    assert.deepEqual(new Uint8Array(seal.open(7, piece)!), chunk);
    assert.equal(seal.open(8, piece), undefined);
    assert.equal(seal.open(2 ** 32 + 7, piece), undefined);
    assert.equal(new ChunkSeal(profile, key, bytes(16)).open(7, piece), undefined);
    assert.equal(new ChunkSeal(profile, bytes(32), id).open(7, piece), undefined);
    for (const other of PROFILES)
      if (other !== name) assert.equal(new ChunkSeal(profileNamed(other), key, id).open(7, piece), undefined);
    for (let bit = 0; bit < 8 * piece.length; bit += bit < 8 * 1000 ? 97 : 1) {
      const changed = piece.with(bit >> 3, piece[bit >> 3]! ^ (1 << (bit & 7)));
      assert.equal(seal.open(7, changed), undefined, `bit ${bit}`);
    }
    for (const length of [0, 15, 16, 17, piece.length - 1]) assert.equal(seal.open(7, piece.subarray(0, length)), undefined);
    assert.equal(seal.open(7, piece.subarray(1)), undefined);
    assert.deepEqual(new Uint8Array(seal.open(7, piece)!), chunk);
  });

  test(`${name}: associated bytes do not flow into the ciphertext, and neither key opens what the other sealed`, () => {
    const [key, nonce] = [bytes(32), bytes(12)];
    const aead = profile.aead(key);
    const plain = bytes(64);
    const sealed = new Uint8Array(plain.length + TAG_BYTES);
    aead.seal(nonce, Uint8Array.of(1, 2), plain, sealed);
    assert.deepEqual(new Uint8Array(aead.open(nonce, Uint8Array.of(1, 2), sealed)!), plain);
    // The same bytes in the same order, cut in another place.
    const moved = new Uint8Array([2, ...sealed]);
    assert.equal(aead.open(nonce, Uint8Array.of(1), moved), undefined);
    assert.equal(aead.open(nonce, new Uint8Array([1, 2, sealed[0]!]), sealed.subarray(1)), undefined);
    const id = bytes(16);
    const manifest = sealManifestBytes(profile, plain, key, id);
    assert.deepEqual(openManifestBytes(profile, manifest, key, id), plain);
    assert.equal(new ChunkSeal(profile, key, id).open(0, manifest), undefined);
    assert.equal(openManifestBytes(profile, manifest, key, bytes(16)), undefined);
  });

  test(`${name}: no block of key stream comes twice, in neighbouring chunks of the largest size or in the manifest`, () => {
    const [key, id] = [bytes(32), bytes(16)];
    const seal = new ChunkSeal(profile, key, id);
    const zeros = new Uint8Array(CHUNK);
    const piece = new Uint8Array(CHUNK + TAG_BYTES);
    const seen = new Set<string>();
    const note = (sealed: Uint8Array): void => {
      for (let at = 0; at < sealed.length - TAG_BYTES; at += 16)
        seen.add(Buffer.from(sealed.subarray(at, at + 16)).toString("latin1"));
    };
    for (const index of [0, 1, 2, 255, 256, 2 ** 32]) {
      seal.seal(index, zeros, piece);
      note(piece);
    }
    note(sealManifestBytes(profile, zeros, key, id));
    assert.equal(seen.size, (7 * CHUNK) / 16);
  });
}
