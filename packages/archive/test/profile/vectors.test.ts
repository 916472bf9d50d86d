/** What the two profiles compute, held against the standards' examples and two other implementations: spec/archive/vectors.json. */
import assert from "node:assert/strict";
import { createCipheriv, hkdfSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { merkle } from "@xinglin/crypto/pure";
import { fromHex, toHex } from "@xinglin/primitives";
import { openRecord, packKeyOf, sealRecord } from "../../src/packs/record-seal.ts";
import { type ProfileName, profileNamed } from "../../src/profile/profile.ts";
import { ChunkSeal, openManifestBytes, sealManifestBytes } from "../../src/seal.ts";

type Vector<Fields extends string> = { readonly profile: ProfileName } & Readonly<Record<Fields, string>>;
interface Vectors {
  readonly sm4: readonly { readonly key: string; readonly plain: string; readonly cipher: string; readonly times?: number }[];
  readonly sm3: readonly { readonly message: string; readonly digest: string }[];
  readonly "hmac-sm3": readonly { readonly key: string; readonly message: string; readonly mac: string }[];
  readonly "hkdf-sm3": readonly { readonly secret: string; readonly salt: string; readonly info: string; readonly key: string }[];
  readonly aead: readonly Vector<"key" | "nonce" | "associated" | "plain" | "sealed">[];
  readonly chunk: readonly (Vector<"contentKey" | "objectId" | "plain" | "piece" | "leaf"> & { readonly index: number })[];
  readonly manifest: readonly Vector<"contentKey" | "objectId" | "plain" | "sealed" | "digest">[];
  readonly record: readonly (Vector<"key" | "packId" | "content" | "sealed" | "packKey"> & { readonly at: number })[];
  readonly tree: readonly { readonly profile: ProfileName; readonly leaves: readonly string[]; readonly root: string }[];
}
const file = new URL("../../../../spec/archive/vectors.json", import.meta.url);
const vectors = JSON.parse(readFileSync(file, "utf8")) as Vectors;
const national = profileNamed("national");
const hex = (bytes: Uint8Array | undefined): string => toHex(new Uint8Array(bytes ?? []));

test("SM4 as in GB/T 32907, in the mode that is used", () => {
  for (const { key, plain, cipher, times } of vectors.sm4) {
    if (times !== undefined) continue; // a million blocks one by one: below, in a chain of the raw cipher
    const counted = createCipheriv("sm4-ctr", fromHex(key), fromHex(plain)).update(new Uint8Array(16));
    assert.equal(hex(counted), cipher);
  }
  const long = vectors.sm4.find(({ times }) => times !== undefined);
  assert.ok(long?.times === 1_000_000);
  const raw = createCipheriv("sm4-ecb", fromHex(long.key), null).setAutoPadding(false);
  let block: Uint8Array = fromHex(long.plain);
  for (let i = 0; i < long.times; i++) block = raw.update(block);
  assert.equal(hex(block), long.cipher);
});

test("SM3 as in GB/T 32905, HMAC and HKDF with it", () => {
  for (const { message, digest } of vectors.sm3) {
    assert.equal(hex(national.digest(fromHex(message))), digest);
    assert.equal(hex(national.startDigest().update(fromHex(message)).digest()), digest);
  }
  for (const { key, message, mac } of vectors["hmac-sm3"]) assert.equal(hex(national.mac(fromHex(key), fromHex(message))), mac);
  for (const { secret, salt, info, key } of vectors["hkdf-sm3"])
    assert.equal(hex(new Uint8Array(hkdfSync("sm3", fromHex(secret), fromHex(salt), info, key.length / 2))), key);
});

test("both profiles seal what the vectors say and open it", () => {
  for (const { profile, key, nonce, associated, plain, sealed } of vectors.aead) {
    const aead = profileNamed(profile).aead(fromHex(key));
    const made = new Uint8Array(sealed.length / 2);
    aead.seal(fromHex(nonce), fromHex(associated), fromHex(plain), made);
    assert.equal(hex(made), sealed);
    assert.equal(hex(aead.open(fromHex(nonce), fromHex(associated), made)), plain);
  }
  for (const { profile, contentKey, objectId, index, plain, piece, leaf } of vectors.chunk) {
    const seal = new ChunkSeal(profileNamed(profile), fromHex(contentKey), fromHex(objectId));
    const made = new Uint8Array(piece.length / 2);
    seal.seal(index, fromHex(plain), made);
    assert.equal(hex(made), piece);
    assert.equal(hex(profileNamed(profile).digest(made)), leaf);
    assert.equal(hex(seal.open(index, made)), plain);
  }
  for (const { profile, contentKey, objectId, plain, sealed, digest } of vectors.manifest) {
    const made = sealManifestBytes(profileNamed(profile), fromHex(plain), fromHex(contentKey), fromHex(objectId));
    assert.equal(hex(made), sealed);
    assert.equal(hex(profileNamed(profile).digest(made)), digest);
    assert.equal(hex(openManifestBytes(profileNamed(profile), made, fromHex(contentKey), fromHex(objectId))), plain);
  }
  for (const { profile, key, packId, at, content, sealed, packKey } of vectors.record) {
    const made = sealRecord(profileNamed(profile), fromHex(content), fromHex(key), fromHex(packId), at);
    assert.equal(hex(made), sealed);
    assert.equal(hex(openRecord(profileNamed(profile), made, fromHex(key), fromHex(packId), at)), content);
    assert.equal(hex(packKeyOf(profileNamed(profile), fromHex(packId))), packKey);
  }
  for (const { profile, leaves, root } of vectors.tree) {
    const { digest } = profileNamed(profile);
    const hashes = leaves.map((leaf) => merkle.leafHash(fromHex(leaf), digest));
    assert.equal(hex(merkle.treeOfHashes(hashes, digest).root), root);
  }
  for (const list of [vectors.aead, vectors.chunk, vectors.manifest, vectors.record, vectors.tree])
    assert.deepEqual(new Set(list.map(({ profile }) => profile)), new Set(["standard", "national"]));
});
