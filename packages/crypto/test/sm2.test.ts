import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { concat, fromHex, toHex, utf8 } from "@xinglin/primitives";
import fc from "fast-check";
import { sm2 as another } from "sm-crypto-v2";
import { derFromRaw } from "../src/der.ts";
import { verifySync } from "../src/node/curves.ts";
import { nodeSm2Signer } from "../src/node/sm2.ts";
import { keyId } from "../src/pure/suite.ts";
import { sm2Signer } from "../src/signer.ts";
import { signSm2, sm2PublicKey, verifySm2 } from "../src/sm2.ts";
import { sm3 } from "../src/sm3.ts";
import type { EdgeCase } from "./support/ed25519-edges.ts";
import { sm2EdgeCases } from "./support/sm2-edges.ts";

// GB/T 32918.5-2017, annex A: the signature example on the recommended curve.
const example = {
  privateKey: "3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8",
  x: "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020",
  oneTime: "59276e27d506861a16680f3ad9c02dccef3cc1fa3cdbe4ce6d54b80deac1bc21",
  r: "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3",
  s: "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa",
};
const privateKey = fromHex(example.privateKey);
const publicKey = sm2PublicKey(privateKey);

test("the standard's example: key, signature, and both verifiers", () => {
  assert.equal(toHex(publicKey).slice(2), example.x);
  const signature = signSm2(privateKey, utf8("message digest"), () => fromHex(example.oneTime));
  assert.equal(toHex(signature), example.r + example.s);
  assert.ok(verifySm2(publicKey, utf8("message digest"), signature));
  assert.ok(verifySync("sm2", publicKey, utf8("message digest"), signature));
});

test("SM3: the standard's examples, and OpenSSL's answers at every length around a block", () => {
  assert.equal(toHex(sm3(utf8("abc"))), "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0");
  assert.equal(toHex(sm3(utf8("abcd".repeat(16)))), "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732");
  for (let length = 0; length < 200; length++) {
    const bytes = Uint8Array.from({ length }, (_, i) => (7 * i + length) & 255);
    assert.equal(toHex(sm3(bytes)), createHash("sm3").update(bytes).digest("hex"), `${length} bytes`);
  }
});

const pinned = JSON.parse(readFileSync(new URL("../../../spec/crypto/sm2.json", import.meta.url), "utf8")) as EdgeCase[];

test("OpenSSL's answers at the edges are pinned, and the portable curve gives the same", () => {
  for (const { name, publicKey, message, signature, valid } of pinned) {
    const [key, text, sig] = [fromHex(publicKey), fromHex(message), fromHex(signature)];
    assert.equal(verifySync("sm2", key, text, sig), valid, `OpenSSL: ${name}`);
    assert.equal(verifySm2(key, text, sig), valid, `portable: ${name}`);
  }
  const valid = pinned.filter((one) => one.valid).map(({ name }) => name);
  assert.deepEqual(valid, ["honest", "the default id, made by hand"]);
  assert.ok(pinned.length > 20);
});

test("the pinned cases are those that their definitions make", () => {
  assert.deepEqual(sm2EdgeCases(), pinned);
});

test("both signers and another library understand each other under the standard's default id", async () => {
  const message = utf8("入院记录");
  const theirKey = another.getPublicKeyFromPrivateKey(example.privateKey);
  const ours = [sm2Signer(privateKey), nodeSm2Signer(privateKey)];
  for (const signer of ours) {
    assert.deepEqual(signer.publicKey, publicKey);
    const signature = await signer.sign(message);
    assert.equal(signature.length, 64);
    assert.ok(verifySm2(publicKey, message, signature) && verifySync("sm2", publicKey, message, signature));
    const options = { hash: true, der: true, userId: "1234567812345678" };
    assert.ok(another.doVerifySignature(message, toHex(derFromRaw(signature)), theirKey, options));
  }
  const theirs = another.doSignature(message, example.privateKey, { hash: true, userId: "1234567812345678" });
  assert.ok(verifySync("sm2", publicKey, message, fromHex(theirs)) && verifySm2(publicKey, message, fromHex(theirs)));
});

test("both verifiers give one answer to arbitrary changes", () => {
  const signer = nodeSm2Signer(privateKey);
  let right = 0;
  let wrong = 0;
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(96), fc.nat(7), fc.boolean(), (message, at, bit, change) => {
      const signature = signer.signSync(message);
      const key = Uint8Array.from(publicKey);
      const target = at < 33 ? key : signature;
      const place = at % target.length;
      if (change) target[place] = (target[place] as number) ^ (1 << bit);
      const answer = verifySync("sm2", key, message, signature);
      if (answer) right++;
      else wrong++;
      return verifySm2(key, message, signature) === answer && answer === !change;
    }),
    { numRuns: 60 },
  );
  assert.ok(right > 10 && wrong > 10, `${right} right, ${wrong} wrong`);
});

test("a private key is a number of the group that can sign", () => {
  const order = fromHex("fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123");
  const less = (by: number): Uint8Array => concat(order.subarray(0, 31), Uint8Array.of((order[31] as number) - by));
  for (const make of [sm2Signer, nodeSm2Signer]) {
    for (const wrong of [new Uint8Array(32), order, less(1), new Uint8Array(32).fill(255), new Uint8Array(31).fill(1)])
      assert.throws(() => make(wrong), { code: "malformed" }, toHex(wrong));
    assert.equal(make(less(2)).publicKey.length, 33);
  }
});

test("the same point has another name in another suite", () => {
  assert.notEqual(keyId("sm2", publicKey), keyId("p256", publicKey));
});
