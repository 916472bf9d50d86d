import assert from "node:assert/strict";
import { test } from "node:test";
import { concat, fromHex, toHex, utf8 } from "@xinglin/primitives";
import { hkdf, open, openWithNonce, randomBytes, seal, sealWithNonce } from "../src/seal.ts";

test("AES-256-GCM as in the GCM specification, test case 16", async () => {
  const key = fromHex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
  const nonce = fromHex("cafebabefacedbaddecaf888");
  const plaintext = fromHex(
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
  );
  const aad = fromHex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
  const sealed = await sealWithNonce(key, nonce, plaintext, aad);
  assert.equal(
    toHex(sealed),
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b",
  );
  assert.deepEqual(await openWithNonce(key, nonce, sealed, aad), plaintext);
});

test("HKDF-SHA256 as in RFC 5869, test case 1", async () => {
  const key = await hkdf(
    new Uint8Array(22).fill(0x0b),
    fromHex("000102030405060708090a0b0c"),
    fromHex("f0f1f2f3f4f5f6f7f8f9"),
    42,
  );
  assert.equal(toHex(key), "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
});

test("a seal opens with its key and data only, and never looks the same twice", async () => {
  const key = randomBytes(32);
  const aad = utf8("object 1");
  const text = utf8("sealed");
  const sealed = await seal(key, text, aad);
  assert.deepEqual(await open(key, sealed, aad), text);
  assert.notDeepEqual(await seal(key, text, aad), sealed);
  assert.deepEqual(await open(key, await seal(key, new Uint8Array(0), aad), aad), new Uint8Array(0));
  const broken = { code: "seal_broken" };
  await assert.rejects(open(randomBytes(32), sealed, aad), broken);
  await assert.rejects(open(key, sealed, utf8("object 2")), broken);
  for (let i = 0; i < sealed.length; i++) {
    await assert.rejects(
      open(
        key,
        sealed.map((byte, at) => (at === i ? byte ^ 1 : byte)),
        aad,
      ),
      broken,
      `flip of byte ${i}`,
    );
    await assert.rejects(open(key, sealed.subarray(0, i), aad), broken, `cut at ${i}`);
  }
  await assert.rejects(open(key, concat(sealed, Uint8Array.of(0)), aad), broken);
  await assert.rejects(seal(key.subarray(1), text, aad), { code: "malformed" });
  await assert.rejects(sealWithNonce(key, randomBytes(16), text, aad), { code: "malformed" });
});

test("views into larger and shared buffers are sealed as what they show", async () => {
  const key = randomBytes(48).subarray(16);
  const shared = new Uint8Array(new SharedArrayBuffer(8));
  shared.set(utf8("shared"));
  const sealed = await seal(key, shared.subarray(0, 6), new Uint8Array(0));
  assert.deepEqual(await open(key, concat(Uint8Array.of(0), sealed).subarray(1), new Uint8Array(0)), utf8("shared"));
});

test("random bytes come in any length", () => {
  for (const length of [0, 1, 32, 65_536, 65_537, 200_000]) assert.equal(randomBytes(length).length, length);
  assert.ok(
    randomBytes(200_000)
      .subarray(-100)
      .some((byte) => byte !== 0),
  );
});
