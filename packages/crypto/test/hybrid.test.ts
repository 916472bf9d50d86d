import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { concat, fromHex, toHex, utf8 } from "@xinglin/primitives";
import { compositeRepresentative } from "../src/composite.ts";
import { verifyMlDsa65 } from "../src/ml-dsa.ts";
import { nodeCurves, verifySync } from "../src/node/curves.ts";
import { nodeHybridSigner, nodeMlDsa65Key, nodeSha512 } from "../src/node/ml-dsa.ts";
import { isWeakerSuite, keyId, MAX_SIGNATURE_BYTES, PUBLIC_KEY_BYTES, SUITES } from "../src/pure/suite.ts";
import { ed25519Signer, hybridSigner } from "../src/signer.ts";
import { portableCurves, verifyWith } from "../src/verify.ts";
import { verifyVote, verifyVoteWith } from "../src/votes.ts";
import type { EdgeCase } from "./support/ed25519-edges.ts";
import { hybridEdgeCases, mlDsaEdgeCases } from "./support/ml-dsa-edges.ts";

const suite = "ed25519-ml-dsa-65";
const secret = Uint8Array.from({ length: 64 }, (_, i) => 3 * i + 1);
const load = <Case>(name: string): Case[] =>
  JSON.parse(readFileSync(new URL(`../../../spec/crypto/${name}.json`, import.meta.url), "utf8")) as Case[];

test("each signer's signatures are right for both verifiers, and both make one key of one secret", async () => {
  const message = utf8("message");
  const signers = [nodeHybridSigner(secret), hybridSigner(secret)];
  for (const signer of signers) {
    const signature = await signer.sign(message);
    assert.equal(signature.length, 3373);
    assert.equal(signer.publicKey.length, 1984);
    assert.deepEqual(signer.publicKey, signers[0]?.publicKey);
    assert.ok(verifySync(suite, signer.publicKey, message, signature));
    assert.ok(verifyWith(portableCurves, suite, signer.publicKey, message, signature));
    assert.ok(!verifySync(suite, signer.publicKey, utf8("another"), signature));
  }
  for (const make of [nodeHybridSigner, hybridSigner]) assert.throws(() => make(secret.subarray(1)), { code: "malformed" });
});

test("what both halves sign is the draft's: prefix, label, no context, SHA-512", () => {
  const message = utf8("abc");
  const expected = concat(
    utf8("CompositeAlgorithmSignatures2025"),
    utf8("COMPSIG-MLDSA65-Ed25519-SHA512"),
    Uint8Array.of(0),
    fromHex(
      "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    ),
  );
  assert.equal(toHex(compositeRepresentative(message)), toHex(expected));
  assert.equal(toHex(compositeRepresentative(message, nodeSha512)), toHex(expected));
});

const hybrid = load<EdgeCase>(suite);
test("answers to stripped, swapped and borrowed halves are pinned, and portable code gives the same", () => {
  for (const { name, publicKey, message, signature, valid } of hybrid) {
    const [key, text, sig] = [fromHex(publicKey), fromHex(message), fromHex(signature)];
    assert.equal(verifySync(suite, key, text, sig), valid, `node: ${name}`);
    assert.equal(verifyWith(portableCurves, suite, key, text, sig), valid, `portable: ${name}`);
  }
  assert.deepEqual(
    hybrid.filter(({ valid }) => valid).map(({ name }) => name),
    ["honest"],
  );
  assert.ok(hybrid.length > 20);
});

const lattice = load<EdgeCase & { context: string }>("ml-dsa-65");
test("OpenSSL's answers about ML-DSA-65 at the edges are pinned, and portable code gives the same", () => {
  for (const { name, publicKey, message, signature, context, valid } of lattice) {
    const parts = [publicKey, message, signature, context].map(fromHex) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
    assert.equal(nodeCurves.mlDsa65(...parts), valid, `OpenSSL: ${name}`);
    assert.equal(verifyMlDsa65(...parts), valid, `portable: ${name}`);
  }
  assert.equal(lattice.filter(({ valid }) => valid).length, 3);
});

test("the pinned cases are those that their definitions make", async () => {
  assert.deepEqual(mlDsaEdgeCases(), lattice);
  assert.deepEqual(await hybridEdgeCases(), hybrid);
});

test("no part of a hybrid signature is a signature of another suite, and none of those is a part of it", async () => {
  const message = utf8("message");
  const signer = nodeHybridSigner(secret);
  const edwards = ed25519Signer(secret.slice(32));
  const signature = signer.signSync(message);
  assert.deepEqual(signer.publicKey.subarray(1952), edwards.publicKey);
  assert.ok(!verifySync("ed25519", edwards.publicKey, message, signature.subarray(3309)));
  assert.ok(!verifySync("ed25519", edwards.publicKey, message, signature));
  const borrowed = concat(signature.subarray(0, 3309), await edwards.sign(message));
  assert.ok(!verifySync(suite, signer.publicKey, message, borrowed));
  assert.notEqual(keyId(suite, signer.publicKey), keyId("ed25519", edwards.publicKey));
});

test("an ML-DSA-65 key of a validator: one key of one seed, pure and without context unless one is given", () => {
  const key = nodeMlDsa65Key(secret.subarray(0, 32));
  const [message, context] = [utf8("vote"), utf8("c")];
  const none = new Uint8Array(0);
  assert.deepEqual(nodeMlDsa65Key(secret.subarray(0, 32)).publicKey, key.publicKey);
  assert.ok(verifyMlDsa65(key.publicKey, message, key.sign(message), none));
  assert.ok(!verifyMlDsa65(key.publicKey, message, key.sign(message, context), none));
  assert.ok(verifyMlDsa65(key.publicKey, message, key.sign(message, context), context));
  assert.throws(() => nodeMlDsa65Key(secret), { code: "malformed" });
});

test("a validator's signature is checked by the type of its key, alike in Node and elsewhere", async () => {
  const lattice = nodeMlDsa65Key(secret.subarray(0, 32));
  const edwards = ed25519Signer(secret.slice(32));
  const vote = utf8("vote");
  const [ofLattice, ofEdwards] = [lattice.sign(vote), await edwards.sign(vote)];
  for (const check of [verifyVote, verifyVoteWith(nodeCurves), verifyVoteWith(portableCurves)]) {
    assert.equal(await check(lattice.publicKey, vote, ofLattice), true);
    assert.equal(await check(edwards.publicKey, vote, ofEdwards), true);
    assert.equal(await check(lattice.publicKey, vote, ofEdwards), false);
    assert.equal(await check(edwards.publicKey, vote, ofLattice), false);
    assert.equal(await check(lattice.publicKey, utf8("another"), ofLattice), false);
    assert.equal(await check(lattice.publicKey, vote, lattice.sign(vote, utf8("context"))), false);
    assert.equal(await check(new Uint8Array(48), vote, ofEdwards), false);
  }
});

test("every suite has its lengths, and only the hybrid is stronger than another", () => {
  for (const one of SUITES) {
    assert.ok(PUBLIC_KEY_BYTES[one] >= 32 && MAX_SIGNATURE_BYTES[one] >= 64, one);
    for (const other of SUITES) assert.equal(isWeakerSuite(one, other), one !== suite && other === suite, `${one}, ${other}`);
  }
});
