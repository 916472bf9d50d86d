/** Transactions that are turned away leave no trace, refusals leave one; a lost patient key is retired by a one-time link. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ApiClient, decodeEnrolmentLink, enrolFromLink, type Identity, revokeConsent, signTransaction } from "@xinglin/client";
import { decodeTransaction, encodeBody, encodeTransaction, type Operation, type TransactionBody } from "@xinglin/contracts";
import { randomBytes } from "@xinglin/crypto";
import { nodeEd25519Signer, SECRET_SUITES } from "@xinglin/crypto/node";
import {
  createKeyFile,
  enrolmentLink,
  type KeyOfFile,
  publicKeyOf,
  readKeyFile,
  recoverPatient,
  registerPatient,
  registerStaff,
  replaceKeyFile,
  requireAccepted,
} from "@xinglin/gateway";
import { type ActorId, type Bytes, cbor, type Height, type MemberId, type UnixSeconds } from "@xinglin/primitives";
import { consent, openTestStage, type TestStage } from "./open-stage.ts";

let stage: TestStage;
before(async () => {
  stage = await openTestStage();
});
after(() => stage.close());

const entries = (): number => stage.consortium.ledger.entryCount();
const doctor = (): KeyOfFile => stage.key("hospital-b/doctor");
const newActor = (): Operation => ({
  op: "registerActor",
  id: Buffer.from(randomBytes(16)).toString("hex") as ActorId,
  kind: "device",
  key: { suite: "ed25519", key: nodeEd25519Signer(randomBytes(32)).publicKey },
});
const administration = (): KeyOfFile => stage.key("hospital-a/administration");

/** A transaction of A's administration whose body `change` alters before it is signed. */
async function transaction(change: Partial<TransactionBody> = {}, by: Identity = administration()): Promise<Bytes> {
  const signed = await signTransaction(await stage.client.tip(), by, [newActor()]);
  const { body } = decodeTransaction(signed.bytes);
  const changed = encodeBody({ ...body, ...change });
  return encodeTransaction(changed, await by.signer.sign(changed));
}

test("what is turned away says why by code and leaves no trace", async () => {
  const turnedAway = async (bytes: Bytes, code: string): Promise<void> => {
    const before = entries();
    await assert.rejects(stage.client.submitBytes(bytes, "committed"), (error: { code: string }) => {
      assert.equal(error.code, code);
      return true;
    });
    assert.equal(entries(), before, code);
  };
  const now = Math.floor(Date.now() / 1000);
  const height = stage.consortium.ledger.height();
  const sound = await transaction();
  await turnedAway(await transaction({ sponsor: "hospital-z" as MemberId }), "sponsor_unknown");
  const stranger: Identity = { ...administration(), actor: "hospital-z" as ActorId };
  await turnedAway((await signTransaction(await stage.client.tip(), stranger, [newActor()])).bytes, "unknown_signer");
  const at = (time: number, block: number) => ({ notAfter: { time: time as UnixSeconds, height: block as Height } });
  await turnedAway(await transaction(at(now - 60, height + 100)), "expired");
  await turnedAway(await transaction(at(now + 100, Math.max(1, height - 1))), "expired");
  await turnedAway(await transaction(at(now + 86_400, height + 100)), "too_far_ahead");
  await turnedAway(await transaction({ chain: "another" }), "wrong_chain");

  const parts = cbor.decodeTrusted(sound) as { body: Bytes; signature: Bytes };
  const signature = parts.signature.map((byte, i) => (i === 40 ? byte ^ 1 : byte));
  await turnedAway(cbor.encode({ ...parts, signature }), "signature_wrong");
  const foreign = await stage.key("hospital-b/doctor").signer.sign(parts.body);
  await turnedAway(cbor.encode({ ...parts, signature: foreign }), "signature_wrong");
  // The same value in other bytes: a map length in two bytes instead of one, trailing bytes, a cut end.
  const longer = Uint8Array.of(0xb8, (sound[0] as number) & 0x1f, ...sound.subarray(1));
  for (const bytes of [longer, Uint8Array.of(...sound, 0), sound.subarray(0, -1)]) await turnedAway(bytes, "malformed");

  const receipt = await stage.client.submitBytes(sound, "committed");
  assert.equal(receipt.results[0]?.outcome, "accepted");
  await turnedAway(sound, "already_known");
});

test("a refusal by the rules is on the record, once", async () => {
  const before = entries();
  const receipt = await stage.client.submit(doctor(), [newActor()]);
  assert.equal(receipt.results[0]?.code, "not_administration");
  assert.equal(entries(), before + 1);
  const entry = [...stage.consortium.ledger.entries(before, 1)][0];
  assert.equal((cbor.decodeTrusted(entry?.entry ?? new Uint8Array()) as { code?: string }).code, "not_administration");
});

test("a registration under a taken name leaves the key that is there", async () => {
  const path = join(stage.data, "members", "hospital-a", "staff", "nurse.json");
  const before = readKeyFile(path);
  const count = entries();
  const staff = { path, role: "nurse", department: "WARD-7" } as const;
  await assert.rejects(registerStaff(stage.client, administration(), staff), { code: "key_file_exists" });
  assert.equal(readKeyFile(path).actor, before.actor);
  assert.equal(entries(), count);

  // Refused by the rules: no key file either, and the name is free for the next attempt.
  const other = { ...staff, path: join(stage.data, "other.json") };
  await assert.rejects(registerStaff(stage.client, doctor(), other), { code: "not_administration" });
  assert.equal(existsSync(other.path), false);
  assert.equal((await registerStaff(stage.client, administration(), other)).actor, readKeyFile(other.path).actor);
});

test("the link for a lost key retires the old one, for transactions and for sessions, and is used once", async () => {
  const lost = stage.patient.atA;
  const number = await consent(stage, lost, ["imaging"]);
  const session = new ApiClient({ url: stage.client.url });
  const accesses = `/v1/patients/${lost.actor}/accesses`;
  await session.getJson(accesses, lost);

  const registrar = stage.key("hospital-a/registrar");
  await assert.rejects(recoverPatient(stage.client, stage.key("hospital-b/registrar"), lost.actor), {
    code: "actor_of_another_member",
  });
  const page = `${stage.client.url}/`;
  const link = await enrolmentLink(stage.client, page, [await recoverPatient(stage.client, registrar, lost.actor)]);
  await session.getJson(accesses, lost); // until the link is used, the old key counts
  const found = createKeyFile(join(stage.data, "found.json"), { actor: lost.actor, member: lost.member });
  const enrol = (key: KeyOfFile) =>
    enrolFromLink(stage.client, decodeEnrolmentLink(new URL(link).hash), async () => ({
      suite: "ed25519",
      key: key.signer.publicKey,
    }));
  for (const { receipt } of await enrol(found)) requireAccepted(receipt);

  const before = entries();
  await assert.rejects(revokeConsent(stage.client, lost, number), { code: "key_retired" });
  await assert.rejects(session.getJson(accesses, lost), { code: "key_retired" });
  await assert.rejects(new ApiClient({ url: stage.client.url }).getJson(accesses, lost), { code: "key_retired" });
  const thief = createKeyFile(join(stage.data, "thief.json"), { actor: lost.actor, member: lost.member });
  await assert.rejects(enrol(thief), { code: "unknown_key" });
  assert.equal(entries(), before, "none of these is on the record");

  // One client serves both keys of an actor: the new key has a session of its own.
  await session.getJson(accesses, found);
  requireAccepted(await revokeConsent(stage.client, found, number));

  // A key can't be enrolled without a link, nor again with a new one.
  const publicKey = { suite: "ed25519" as const, key: found.signer.publicKey };
  const unasked = await stage.client.submit(found, [{ op: "enrolKey", publicKey }]);
  assert.equal(unasked.results[0]?.code, "not_enrolment_key");
  const again = await recoverPatient(stage.client, registrar, lost.actor);
  const { chainId } = await stage.client.genesis();
  const [twice] = await enrolFromLink(stage.client, { chain: chainId, pseudonyms: [again] }, async () => publicKey);
  assert.equal(twice?.receipt.results[0]?.code, "key_in_use");
  const one = await enrolFromLink(stage.client, { chain: chainId, pseudonyms: [again] }, async () => ({
    suite: "ed25519",
    key: thief.signer.publicKey,
  }));
  assert.equal(one[0]?.receipt.results[0]?.outcome, "accepted", "a refused use does not spend the link");
});

test("patients and staff sign and open sessions with keys of every suite", async () => {
  const registrar = stage.key("hospital-a/registrar");
  const { chainId } = await stage.client.genesis();
  for (const suite of SECRET_SUITES) {
    const registered = await registerPatient(stage.client, registrar);
    const path = join(stage.data, `patient-${suite}.json`);
    const key = createKeyFile(path, { actor: registered.patient, member: registered.member, suite });
    const enrolled = await enrolFromLink(stage.client, { chain: chainId, pseudonyms: [registered] }, async () =>
      publicKeyOf(key),
    );
    for (const { receipt } of enrolled) requireAccepted(receipt);
    const own = new ApiClient({ url: stage.client.url });
    await own.getJson(`/v1/patients/${key.actor}/accesses`, readKeyFile(path));
    await consent(stage, key, ["imaging"]);
  }
});

test("a key file moves to a stronger suite with all it holds; a step down is refused and leaves it", async () => {
  const path = join(stage.data, "moving.json");
  const staff = { path, role: "registrar", department: "REG", suite: "sm2" } as const;
  const national = await registerStaff(stage.client, administration(), staff);
  const moved = await replaceKeyFile(stage.client, path, "ed25519-ml-dsa-65");
  assert.deepEqual([moved.actor, moved.credential], [national.actor, national.credential]);
  for (const weaker of ["ed25519", "sm2"] as const)
    await assert.rejects(replaceKeyFile(stage.client, path, weaker), { code: "suite_weaker" });
  assert.deepEqual(readKeyFile(path).signer.publicKey, moved.signer.publicKey);
  assert.ok(await registerPatient(stage.client, readKeyFile(path)));
  await assert.rejects(registerPatient(stage.client, national), { code: "key_retired" });
});
