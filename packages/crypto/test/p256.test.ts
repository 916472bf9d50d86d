import assert from "node:assert/strict";
import { test } from "node:test";
import { concat, fromHex, toHex, utf8 } from "@xinglin/primitives";
import fc from "fast-check";
import { derFromRaw, rawFromDer } from "../src/der.ts";
import { verifySync } from "../src/node/curves.ts";
import { lowerS, p256PublicKey, verifyP256 } from "../src/p256.ts";
import { p256Signer, webCryptoP256Signer } from "../src/signer.ts";

// RFC 6979, appendix A.2.5, with SHA-256.
const privateKey = fromHex("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721");
const publicKey = fromHex("0360fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6");
const sample = fromHex(
  "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
);
const testVector = fromHex(
  "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083",
);
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const be = (value: bigint): Uint8Array => fromHex(value.toString(16).padStart(64, "0"));

const implementations = {
  portable: verifyP256,
  openssl: (key: Uint8Array, message: Uint8Array, signature: Uint8Array) => verifySync("p256", key, message, signature),
};
const answers = (key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean => {
  const [portable, openssl] = Object.values(implementations).map((verify) => verify(key, message, signature));
  assert.equal(portable, openssl, "the implementations disagree");
  return portable as boolean;
};

test("signatures are those of RFC 6979, with s in the lower half", async () => {
  assert.equal(toHex(p256PublicKey(privateKey)), toHex(publicKey));
  const signer = p256Signer(privateKey);
  assert.equal(toHex(await signer.sign(utf8("test"))), toHex(testVector));
  assert.equal(toHex(await signer.sign(utf8("sample"))), toHex(lowerS(sample)));
  assert.ok(answers(publicKey, utf8("test"), testVector));
  assert.ok(answers(publicKey, utf8("sample"), lowerS(sample)));
  assert.throws(() => p256Signer(privateKey.subarray(1)), { code: "malformed" });
});

test("each edge of key and signature is refused by both implementations", () => {
  const message = utf8("test");
  const r = testVector.subarray(0, 32);
  const s = testVector.subarray(32);
  const refusedSignatures: Record<string, Uint8Array> = {
    "high s": sample,
    "s = order": concat(r, be(ORDER)),
    "r = 0": concat(be(0n), s),
    "s = 0": concat(r, be(0n)),
    "r = s = 0": concat(be(0n), be(0n)),
    "r = order": concat(be(ORDER), s),
    "r = order - 1": concat(be(ORDER - 1n), s),
    "r and s of ones": new Uint8Array(64).fill(255),
    "r and s swapped": concat(s, r),
    "one byte less": testVector.subarray(1),
    "one byte more": concat(testVector, Uint8Array.of(0)),
    DER: derFromRaw(testVector),
    nothing: new Uint8Array(0),
  };
  for (const [name, signature] of Object.entries(refusedSignatures))
    assert.ok(!answers(publicKey, name === "high s" ? utf8("sample") : message, signature), name);

  const x = publicKey.subarray(1);
  const refusedKeys: Record<string, Uint8Array> = {
    "the other y": concat(Uint8Array.of(2), x),
    "prefix 4": concat(Uint8Array.of(4), x),
    "prefix 0": concat(Uint8Array.of(0), x),
    "infinity, padded": new Uint8Array(33),
    "x not on the curve": concat(Uint8Array.of(2), be(1n)),
    "x beyond the field": concat(Uint8Array.of(2), new Uint8Array(32).fill(255)),
    "x = p + 5, which is on the curve as 5": concat(
      Uint8Array.of(2),
      be(0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn + 5n),
    ),
    "too short": publicKey.subarray(1),
    "too long": concat(publicKey, Uint8Array.of(0)),
  };
  for (const [name, key] of Object.entries(refusedKeys)) assert.ok(!answers(key, message, testVector), name);
});

test("both implementations give one answer to arbitrary changes", async () => {
  const signer = p256Signer(privateKey);
  let right = 0;
  let wrong = 0;
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 40 }), fc.nat(63), fc.nat(7), fc.boolean(), async (message, at, bit, change) => {
      const signature = Uint8Array.from(await signer.sign(message));
      if (change) signature[at] = (signature[at] as number) ^ (1 << bit);
      const answer = answers(publicKey, message, signature);
      if (answer) right++;
      else wrong++;
      return answer === !change;
    }),
    { numRuns: 60 },
  );
  assert.ok(right > 10 && wrong > 10, `${right} right, ${wrong} wrong`);
});

test("a WebCrypto key signs without being extractable, always with a low s", async () => {
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
  const signer = await webCryptoP256Signer(pair);
  assert.equal(pair.privateKey.extractable, false);
  assert.equal(signer.publicKey.length, 33);
  // WebCrypto draws a fresh nonce each time: without the correction half of these would be refused.
  for (let i = 0; i < 20; i++) assert.ok(answers(signer.publicKey, utf8("message"), await signer.sign(utf8("message"))));
});

test("DER has one form", () => {
  assert.deepEqual(rawFromDer(derFromRaw(testVector)), testVector);
  assert.deepEqual(rawFromDer(derFromRaw(sample)), sample);
  const small = concat(be(1n), be(0x80n));
  assert.equal(toHex(derFromRaw(small)), "300702010102020080");
  assert.deepEqual(rawFromDer(derFromRaw(small)), small);
  const refused = {
    empty: "",
    "not a sequence": "310702010102020080",
    "length too short": "3006020101020200 80",
    "length too long": "3008020101020200 80",
    "long form of the length": "308107020101020200 80",
    "indefinite length": "3080020101020200 800000",
    "zero before a low byte": "3008020200010202 0080",
    "negative r": "3006020181020101",
    "r of no bytes": "30050200020101",
    "trailing byte": "3007020101020200 8000",
    "trailing byte inside": "3008020101020200 8000",
    "no s": "3003020101",
    "s is no integer": "3007020101030200 80",
    "r of 33 bytes that are no sign": `302702 21 01${"00".repeat(32)}020101`,
  };
  for (const [name, hex] of Object.entries(refused)) assert.equal(rawFromDer(fromHex(hex.replaceAll(" ", ""))), undefined, name);
});
