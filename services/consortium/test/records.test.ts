/** The life of records after their import: amended, withdrawn, filed under the right patient, ended for good. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { enrolFromLink, TrustedChain } from "@xinglin/client";
import { keys, type MedicalRecord } from "@xinglin/contracts";
import {
  type Anchored,
  amendBundle,
  changeAllergy,
  createKeyFile,
  eraseShares,
  fetchObject,
  importBundle,
  importDicom,
  type KeyOfFile,
  redeemPermit,
  refileBundle,
  registerPatient,
  requireAccepted,
} from "@xinglin/gateway";
import { cbor, type RecordId } from "@xinglin/primitives";
import { ask, BUNDLE, CT, consent, openTestStage, permitted, shareFiles, type TestStage } from "./open-stage.ts";

let stage: TestStage;
let groups: readonly Anchored[];
before(async () => {
  stage = await openTestStage();
  const options = { by: radiographer(), patient: stage.patient.atA.actor, originals: stage.originals };
  groups = (await importBundle(stage.gateway, BUNDLE, options)).records;
  await consent(stage, stage.patient.atA, ["imaging", "laboratory", "medication", "vitals"]);
});
after(() => stage.close());

const radiographer = (): KeyOfFile => stage.key("hospital-a/radiographer");
const group = (category: string): Anchored => groups.find((one) => one.class.category === category) as Anchored;
const state = (key: string): MedicalRecord =>
  cbor.decodeTrusted(stage.consortium.ledger.get(key) ?? new Uint8Array()) as MedicalRecord;
const original = (record: RecordId): Buffer => readFileSync(join(stage.originals, `${record}.json`));
const asDoctor = (): KeyOfFile => stage.key("hospital-b/doctor");

/** Reads a FHIR record at hospital B and returns its text. */
async function read(patient: Parameters<typeof ask>[1], record: Parameters<typeof ask>[2]): Promise<string> {
  const held = await permitted(stage, patient, record);
  const { contentKey } = await redeemPermit(stage.gateway, asDoctor(), held);
  const folder = join(stage.data, "received", `${record.record}-${held.number}`);
  await fetchObject(stage.gateway, held.permit, contentKey, folder, asDoctor());
  return readFileSync(join(folder, "bundle.json"), "utf8");
}
const closes = async (held: Parameters<typeof redeemPermit>[2], code: string): Promise<void> => {
  await assert.rejects(redeemPermit(stage.gateway, asDoctor(), held), (error: { code: string; facts: { codes: string } }) => {
    assert.equal(error.code, "releases_refused");
    assert.equal(error.facts.codes, code);
    return true;
  });
};

test("an amendment is a new version with a new key; the old one is proved and no longer read", async () => {
  const record = group("medication");
  const patient = stage.patient.atA.actor;
  const early = await permitted(stage, patient, record);
  const change = { criticality: "high", lastUpdated: "2026-02-03T03:00:00+08:00" } as const;
  const device = stage.key("hospital-a/workstation-7");
  const by = stage.key("hospital-a/nurse");
  const amended = await changeAllergy(stage.gateway, record, change, { by, device, originals: stage.originals });
  assert.equal(amended.version, 2);
  const chain = await TrustedChain.of(stage.client);
  const old = cbor.decodeTrusted((await chain.prove(by, keys.recordVersion(record.record, 1))).value ?? new Uint8Array());
  assert.equal((old as MedicalRecord).version, 1);
  const newest = state(keys.record(record.record));
  assert.equal(newest.by.actor, by.actor);
  assert.equal(newest.by.device, device.actor);
  assert.notDeepEqual(newest.custody.commitments, (old as MedicalRecord).custody.commitments);

  await closes(early, "record_closed");
  assert.equal((await ask(stage, patient, record)).code, "record_superseded");
  const text = await read(patient, amended);
  assert.match(text, /"criticality"\s*:\s*"high"/);
  assert.ok(text.includes(change.lastUpdated));

  // Who is not at the source institution amends nothing, and an amendment is validated like an import.
  await assert.rejects(amendBundle(stage.gateway, amended, original(record.record), { by: asDoctor(), originals: stage.data }), {
    code: "record_of_another_member",
  });
  const wrong = Buffer.from(
    original(record.record)
      .toString()
      .replace(/"high"/, '"sehr"'),
  );
  await assert.rejects(amendBundle(stage.gateway, amended, wrong, { by, originals: stage.originals }), { code: "fhir_invalid" });
  assert.equal(state(keys.record(record.record)).version, 2);
});

test("a withdrawn record is closed, for permits from before as well", async () => {
  const record = group("vitals");
  const patient = stage.patient.atA.actor;
  const early = await permitted(stage, patient, record);
  const by = radiographer();
  const operation = { op: "withdrawRecord", record: record.record } as const;
  const withCredential = by.credential === undefined ? operation : { ...operation, credential: by.credential };
  requireAccepted(await stage.client.submit(by, [withCredential]));
  await closes(early, "record_closed");
  assert.equal((await ask(stage, patient, record)).code, "record_withdrawn");
  const again = await stage.client.submit(by, [withCredential]);
  assert.equal(again.results[0]?.outcome, "refused");
});

test("a record filed under the wrong patient goes to the right one, whose consent alone opens it", async () => {
  const record = group("laboratory");
  const wrong = stage.patient.atA.actor;
  const early = await permitted(stage, wrong, record);
  const registered = await registerPatient(stage.client, stage.key("hospital-a/registrar"));
  const right = createKeyFile(join(stage.data, "right.json"), { actor: registered.patient, member: registered.member });
  const { chainId } = await stage.client.genesis();
  await enrolFromLink(stage.client, { chain: chainId, pseudonyms: [registered] }, async () => ({
    suite: "ed25519",
    key: right.signer.publicKey,
  }));
  const by = radiographer();
  const options = { by, originals: stage.originals };
  const refiled = await refileBundle(stage.gateway, record, right.actor, original(record.record), options);
  assert.equal(state(keys.recordVersion(record.record, 1)).status, "misfiled");

  await closes(early, "record_closed");
  // The old patient's consent still stands and opens neither version; nor does the new patient's silence.
  const codes: (string | undefined)[] = [];
  for (const patient of [wrong, right.actor])
    for (const version of [1, 2]) codes.push((await ask(stage, patient, { ...refiled, version })).code);
  assert.deepEqual(codes, ["record_of_another_patient", "record_of_another_patient", "record_superseded", "no_directive"]);
  await consent(stage, right, ["laboratory"]);
  assert.equal(await read(right.actor, refiled), original(record.record).toString());
  assert.equal((await ask(stage, wrong, refiled)).code, "record_of_another_patient");

  // The new patient learns nothing of the old one.
  const rows = JSON.stringify(await stage.client.getJson(`/v1/records/${record.record}`, right));
  assert.ok(!rows.includes(wrong));

  // The misfiled version's shares may be erased at once; the right one's stay.
  const erased = await eraseShares(stage.gateway, stage.key("hospital-a/registrar"), record.record);
  assert.deepEqual(new Set(erased.map(({ version, code }) => `${version} ${code ?? ""}`)), new Set(["1 "]));
  assert.equal(await read(right.actor, refiled), original(record.record).toString());
});

test("after the end of a record every custodian certifies the erasure, of every version, and nobody can read it again", async () => {
  const patient = stage.patient.atA;
  const by = stage.key("hospital-a/registrar");
  const { record: study } = await importDicom(stage.gateway, CT, { by: radiographer(), patient: patient.actor });
  const early = await permitted(stage, patient.actor, study);
  const amended = state(keys.record(group("medication").record));
  for (const record of [study.record, group("medication").record]) {
    const operation = { op: "endRecord", record } as const;
    requireAccepted(
      await stage.client.submit(by, [by.credential === undefined ? operation : { ...operation, credential: by.credential }]),
    );
  }
  await closes(early, "record_closed");
  const erased = await eraseShares(stage.gateway, by, study.record);
  assert.equal(erased.length, 6);
  assert.deepEqual(
    erased.filter(({ code }) => code !== undefined),
    [],
  );
  assert.deepEqual(
    (await eraseShares(stage.gateway, by, group("medication").record)).map(({ version, code }) => [version, code]),
    [2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1].map((version) => [version, undefined]),
  );

  const chain = await TrustedChain.of(stage.client);
  for (const { custodian } of erased) {
    const certificate = await chain.prove(by, keys.erasure(study.record, 1, custodian));
    assert.notEqual(certificate.value, undefined, "the certificate is proved by a header");
  }
  for (const custodian of amended.custody.custodians)
    for (const version of [1, 2]) {
      const files = shareFiles(stage, custodian.slice("custodian-".length), group("medication").record, version);
      assert.deepEqual(Object.keys(files), ["erased"]);
      assert.equal(readFileSync(files.erased as string).length, 0);
    }
  await closes(early, "record_closed");
  assert.equal((await ask(stage, patient.actor, study)).code, "record_ending");
});
