import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fromHex, toHex } from "@xinglin/primitives";
import fc from "fast-check";
import { verifyEd25519 } from "../src/ed25519.ts";
import { verifySync } from "../src/node/curves.ts";
import { nodeEd25519Signer } from "../src/node/signer.ts";
import { ed25519Signer } from "../src/signer.ts";
import { type EdgeCase, edgeCases } from "./support/ed25519-edges.ts";

const rfc8032 = [
  [
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    "",
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
  ],
  [
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    "72",
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
  ],
  [
    "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
    "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
    "af82",
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
  ],
] as const;

test("both signers and both verifiers agree with RFC 8032, section 7.1", async () => {
  for (const [seed, publicKey, message, signature] of rfc8032) {
    for (const signer of [ed25519Signer(fromHex(seed)), nodeEd25519Signer(fromHex(seed))]) {
      assert.equal(toHex(signer.publicKey), publicKey);
      assert.equal(toHex(await signer.sign(fromHex(message))), signature);
    }
    assert.ok(verifyEd25519(fromHex(publicKey), fromHex(message), fromHex(signature)));
    assert.ok(verifySync("ed25519", fromHex(publicKey), fromHex(message), fromHex(signature)));
  }
});

const pinned = JSON.parse(readFileSync(new URL("../../../spec/crypto/ed25519.json", import.meta.url), "utf8")) as EdgeCase[];

test("libsodium's answers at the edges are pinned, and the portable curve gives the same", () => {
  let valid = 0;
  for (const { name, publicKey, message, signature, valid: expected } of pinned) {
    const [key, text, sig] = [fromHex(publicKey), fromHex(message), fromHex(signature)];
    assert.equal(verifySync("ed25519", key, text, sig), expected, `libsodium: ${name}`);
    assert.equal(verifyEd25519(key, text, sig), expected, `portable: ${name}`);
    valid += Number(expected);
  }
  assert.ok(valid >= 3 && pinned.length - valid > 40, `${valid} of ${pinned.length} valid`);
});

test("the pinned cases are those that their definitions make", () => {
  assert.deepEqual(edgeCases(), pinned);
});

test("both verifiers give one answer to arbitrary changes of a signature", () => {
  const signer = nodeEd25519Signer(new Uint8Array(32).fill(5));
  let right = 0;
  let wrong = 0;
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(127), fc.nat(7), fc.boolean(), (message, at, bit, change) => {
      const signature = signer.signSync(message);
      const key = Uint8Array.from(signer.publicKey);
      if (change) {
        const target = at < 32 ? key : signature;
        const place = at % target.length;
        target[place] = (target[place] as number) ^ (1 << bit);
      }
      const answer = verifySync("ed25519", key, message, signature);
      if (answer) right++;
      else wrong++;
      return verifyEd25519(key, message, signature) === answer && answer === !change;
    }),
    { numRuns: 150 },
  );
  assert.ok(right > 20 && wrong > 20, `${right} right, ${wrong} wrong`);
});

test("wrong lengths are answered with false, never with an error", () => {
  const [seed, publicKey, message, signature] = rfc8032[1];
  assert.throws(() => ed25519Signer(fromHex(seed).subarray(1)), { code: "malformed" });
  assert.throws(() => nodeEd25519Signer(fromHex(seed).subarray(1)), { code: "malformed" });
  for (const verify of [verifyEd25519, (k: Uint8Array, m: Uint8Array, s: Uint8Array) => verifySync("ed25519", k, m, s)])
    for (const length of [0, 31, 33, 63, 65]) {
      assert.equal(verify(new Uint8Array(length), fromHex(message), fromHex(signature)), false);
      assert.equal(verify(fromHex(publicKey), fromHex(message), new Uint8Array(length)), false);
    }
});
