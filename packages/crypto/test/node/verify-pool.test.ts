import assert from "node:assert/strict";
import { test } from "node:test";
import { cbor, concat, toBase64url, utf8 } from "@xinglin/primitives";
import { derFromRaw } from "../../src/der.ts";
import { verifySync } from "../../src/node/curves.ts";
import { nodeHybridSigner, nodeMlDsa65Key } from "../../src/node/ml-dsa.ts";
import { nodeEd25519Signer } from "../../src/node/signer.ts";
import { nodeSm2Signer } from "../../src/node/sm2.ts";
import { packJobs, unpackJobs, type VerifyJob } from "../../src/node/verify-jobs.ts";
import { VerifyPool } from "../../src/node/verify-pool.ts";
import { sha256 } from "../../src/pure/sha256.ts";
import { p256Signer } from "../../src/signer.ts";
import { encodeAssertion, type WebauthnPolicy, webauthnChallenge } from "../../src/webauthn.ts";

const policy: WebauthnPolicy = { origins: ["http://localhost"], rpIdHash: sha256(utf8("localhost")) };
const edwards = nodeEd25519Signer(new Uint8Array(32).fill(1));
const nist = p256Signer(new Uint8Array(32).fill(2));
const hybrid = nodeHybridSigner(new Uint8Array(64).fill(3));
const national = nodeSm2Signer(new Uint8Array(32).fill(4));

async function passkey(message: Uint8Array): Promise<Uint8Array> {
  const challenge = toBase64url(webauthnChallenge(message));
  const clientDataJSON = utf8(
    `{"type":"webauthn.get","challenge":"${challenge}","origin":"http://localhost","crossOrigin":false}`,
  );
  const authenticatorData = concat(policy.rpIdHash, Uint8Array.of(5, 0, 0, 0, 0));
  const raw = await nist.sign(concat(authenticatorData, sha256(clientDataJSON)));
  return encodeAssertion({ authenticatorData, clientDataJSON, signature: derFromRaw(raw) });
}

/** All suites in turn, every seventh signature over another message. */
const jobs: VerifyJob[] = [];
for (let i = 0; i < 90; i++) {
  const message = utf8(`message ${i}`.repeat(1 + (i % 7)));
  const signed = i % 7 === 0 ? utf8("another") : message;
  const signer = [edwards, nist, hybrid, national][i % 5];
  if (signer === undefined)
    jobs.push({ suite: "webauthn", publicKey: nist.publicKey, message, signature: await passkey(signed) });
  else jobs.push({ suite: signer.suite, publicKey: signer.publicKey, message, signature: await signer.sign(signed) });
}
const lattice = nodeMlDsa65Key(new Uint8Array(32).fill(5));
for (const i of [90, 91]) {
  const message = utf8(`message ${i}`);
  const signature = lattice.sign(i % 7 === 0 ? utf8("another") : message);
  jobs.push({ suite: "ml-dsa-65", publicKey: lattice.publicKey, message, signature });
}
const expected = jobs.map((_, i) => i % 7 !== 0);

test("a batch is answered in order, by every number of threads, and as on this thread", async () => {
  assert.deepEqual(
    jobs.map((job) => verifySync(job.suite, job.publicKey, job.message, job.signature, policy)),
    expected,
  );
  for (const workers of [1, 3]) {
    const pool = new VerifyPool({ workers, policy });
    const batches = await Promise.all([
      pool.verify(jobs),
      pool.verify(jobs.slice(3, 40)),
      pool.verify([]),
      pool.verify(jobs.slice(-1)),
    ]);
    assert.deepEqual(batches, [expected, expected.slice(3, 40), [], expected.slice(-1)]);
    await pool.close();
  }
});

test("without a policy no passkey is accepted", async () => {
  const pool = new VerifyPool({ workers: 1 });
  assert.deepEqual(
    await pool.verify(jobs),
    jobs.map(({ suite }, i) => suite !== "webauthn" && expected[i] === true),
  );
  await pool.close();
});

test("work under way is rejected when the pool closes, and later work too", async () => {
  const pool = new VerifyPool({ workers: 1, policy });
  const pending = assert.rejects(pool.verify(jobs), { code: "verify_pool_stopped", retry: false });
  await pool.close();
  await pending;
  await assert.rejects(pool.verify(jobs), { code: "verify_pool_stopped" });
});

test("packing keeps every byte, also of jobs that are malformed", () => {
  const odd: VerifyJob[] = [
    { suite: "p256", publicKey: new Uint8Array(0), message: new Uint8Array(0), signature: new Uint8Array(0) },
    {
      suite: "webauthn",
      publicKey: new Uint8Array(300).fill(3),
      message: cbor.encode({ a: 1 }),
      signature: new Uint8Array(5_000).fill(4),
    },
  ];
  assert.deepEqual([...unpackJobs(packJobs([...odd, ...jobs]))], [...odd, ...jobs]);
});

test("a pool that was started beforehand answers as one that was not; a closed one does not start", async () => {
  const pool = new VerifyPool({ workers: 2, policy });
  await pool.start();
  assert.deepEqual(await pool.verify(jobs), expected);
  await pool.close();
  await assert.rejects(pool.start(), { code: "verify_pool_stopped" });
});
