import assert from "node:assert/strict";
import { createDecipheriv, createHmac } from "node:crypto";
import { test } from "node:test";
import { ml_kem768_x25519 as XWing } from "@noble/post-quantum/hybrid.js";
import { type Bytes, concat, utf8 } from "@xinglin/primitives";
import { HPKE_ENC_BYTES, HPKE_PUBLIC_KEY_BYTES, hpkeKeyPair, hpkeOpen, hpkeSeal } from "../src/hpke.ts";

const seed = Uint8Array.from({ length: 32 }, (_, i) => i * 7);
const info = utf8("chain, decision, object version, epoch, custodian, index");
const aad = utf8("data");
const secret = utf8("a share of a content key");

/** RFC 9180, sections 4 and 5.1, base mode, for X-Wing (0x647a), HKDF-SHA256 (1) and AES-256-GCM (2), on other implementations. */
function openByTheBook(sealed: Bytes): Bytes {
  const suiteId = concat(utf8("HPKE"), Uint8Array.of(0x64, 0x7a, 0, 1, 0, 2));
  const extract = (label: string, ikm: Bytes): Bytes =>
    createHmac("sha256", new Uint8Array(0))
      .update(concat(utf8("HPKE-v1"), suiteId, utf8(label), ikm))
      .digest();
  const enc = sealed.subarray(0, HPKE_ENC_BYTES);
  const shared = XWing.decapsulate(enc, seed);
  const context = concat(Uint8Array.of(0), extract("psk_id_hash", new Uint8Array(0)), extract("info_hash", info));
  const salted = createHmac("sha256", shared)
    .update(concat(utf8("HPKE-v1"), suiteId, utf8("secret")))
    .digest();
  const expand = (label: string, length: number): Bytes => {
    const labeled = concat(Uint8Array.of(0, length), utf8("HPKE-v1"), suiteId, utf8(label), context);
    // One round of HKDF-Expand is enough for up to 32 bytes.
    return createHmac("sha256", salted)
      .update(concat(labeled, Uint8Array.of(1)))
      .digest()
      .subarray(0, length);
  };
  const decipher = createDecipheriv("aes-256-gcm", expand("key", 32), expand("base_nonce", 12));
  decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(-16));
  return concat(decipher.update(sealed.subarray(HPKE_ENC_BYTES, -16)), decipher.final());
}

test("keys and messages are those of RFC 9180 over an independent X-Wing", async () => {
  const pair = await hpkeKeyPair(seed);
  assert.equal(pair.publicKey.length, HPKE_PUBLIC_KEY_BYTES);
  assert.deepEqual(pair.publicKey, XWing.keygen(seed).publicKey);
  const sealed = await hpkeSeal(pair.publicKey, info, aad, secret);
  assert.equal(sealed.length, HPKE_ENC_BYTES + secret.length + 16);
  assert.deepEqual(openByTheBook(sealed), secret);
});

test("only the key, the info and the data it was sealed for open it", async () => {
  const pair = await hpkeKeyPair();
  const sealed = await hpkeSeal(pair.publicKey, info, aad, secret);
  assert.deepEqual(await hpkeOpen(pair.privateKey, info, aad, sealed), secret);
  assert.notDeepEqual(await hpkeSeal(pair.publicKey, info, aad, secret), sealed);
  const broken = { code: "seal_broken" };
  await assert.rejects(hpkeOpen((await hpkeKeyPair()).privateKey, info, aad, sealed), broken);
  await assert.rejects(hpkeOpen(pair.privateKey, utf8("another decision"), aad, sealed), broken);
  await assert.rejects(hpkeOpen(pair.privateKey, info, utf8("other data"), sealed), broken);
  for (const i of [0, 1_087, 1_088, HPKE_ENC_BYTES - 1, HPKE_ENC_BYTES, sealed.length - 1]) {
    const flipped = sealed.map((byte, at) => (at === i ? byte ^ 1 : byte));
    await assert.rejects(hpkeOpen(pair.privateKey, info, aad, flipped), broken, `flip of byte ${i}`);
  }
  for (const length of [0, HPKE_ENC_BYTES, HPKE_ENC_BYTES + 8, sealed.length - 1])
    await assert.rejects(hpkeOpen(pair.privateKey, info, aad, sealed.subarray(0, length)), broken, `cut at ${length}`);
});

test("keys of a wrong length are malformed", async () => {
  await assert.rejects(hpkeKeyPair(seed.subarray(1)), { code: "malformed" });
  await assert.rejects(hpkeSeal(new Uint8Array(32), info, aad, secret), { code: "malformed" });
  await assert.rejects(hpkeOpen(new Uint8Array(31), info, aad, new Uint8Array(2_000)), { code: "malformed" });
});
