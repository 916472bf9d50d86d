/** An institution that seals under SM4 and SM3, in a consortium where others do not: imports, amendments, batches, reads and audits, over the chain. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { getBatch, keys, type MedicalRecord } from "@xinglin/contracts";
import {
  type Anchored,
  auditEverything,
  batchLeaves,
  changeAllergy,
  fetchObject,
  type Gateway,
  importBatches,
  importBundle,
  type KeyOfFile,
  listObjects,
  redeemPermit,
  requestRead,
} from "@xinglin/gateway";
import { cbor, type RecordId } from "@xinglin/primitives";
import { BUNDLE, consent, openTestStage, type TestStage } from "./open-stage.ts";

let stage: TestStage;
/** Hospital A's, told by its configuration. */
let national: Gateway;
let groups: readonly Anchored[];
before(async () => {
  stage = await openTestStage();
  national = { ...stage.gateway, profile: "national" };
  const options = { by: stage.key("hospital-a/radiographer"), patient: stage.patient.atA.actor, originals: stage.originals };
  groups = (await importBundle(national, BUNDLE, options)).records;
  await consent(stage, stage.patient.atA, ["imaging", "laboratory", "medication", "vitals"]);
});
after(() => stage.close());

const asDoctor = (): KeyOfFile => stage.key("hospital-b/doctor");
const group = (category: string): Anchored => groups.find((one) => one.class.category === category) as Anchored;
const onChain = (record: RecordId): MedicalRecord =>
  cbor.decodeTrusted(stage.consortium.ledger.get(keys.record(record)) ?? new Uint8Array()) as MedicalRecord;

/** Reads at hospital B, whose own profile is the standard one. */
async function read(decision: Awaited<ReturnType<typeof requestRead>>, file: string): Promise<string> {
  assert.ok(decision.permitted);
  const { contentKey } = await redeemPermit(stage.gateway, asDoctor(), decision.held);
  const folder = join(stage.data, "received", `${decision.held.number}`);
  await fetchObject(stage.gateway, decision.held.permit, contentKey, folder, asDoctor());
  return readFileSync(join(folder, file), "utf8");
}
const readBundle = async (record: Anchored): Promise<string> => {
  const by = asDoctor();
  const { credential } = by;
  if (credential === undefined) throw new Error("the doctor has a credential");
  const target = { kind: "record", record: record.record, version: record.version } as const;
  const patient = stage.patient.atA.actor;
  const wanted = { patient, purpose: "TREAT", class: record.class, target, credential } as const;
  return await read(await requestRead(stage.gateway, by, wanted), "bundle.json");
};

test("the chain says the profile of each version, and whoever may read it reads it, whatever it seals with itself", async () => {
  const record = group("medication");
  assert.equal(onChain(record.record).object.profile, "national");
  assert.match(await readBundle(record), /"resourceType"/);
  // The next version comes from a station that seals as most do.
  const change = { criticality: "high", lastUpdated: "2026-02-03T03:00:00+08:00" } as const;
  const by = stage.key("hospital-a/nurse");
  const device = stage.key("hospital-a/workstation-7");
  const amended = await changeAllergy(stage.gateway, record, change, { by, device, originals: stage.originals });
  assert.equal(onChain(record.record).object.profile, undefined);
  assert.match(await readBundle(amended), /"criticality"\s*:\s*"high"/);
});

test("a batch says it in its packs, and each record in its leaf", async () => {
  const leaves = batchLeaves(stage.data, stage.patient.atA.member);
  const content = Buffer.from(JSON.stringify({ resourceType: "Observation", status: "final", valueString: "negative" }));
  const laboratory = { level: "sensitive", category: "laboratory" } as const;
  const input = { patient: stage.patient.atA.actor, class: laboratory, format: "fhir", content } as const;
  const batches = importBatches(national, [input, input], { by: stage.key("hospital-a/radiographer"), leaves });
  const { value: batch } = await batches.next();
  assert.ok(batch !== undefined);
  assert.deepEqual(
    getBatch(stage.consortium.ledger, batch.root)?.packs?.map(({ profile }) => profile),
    ["national"],
  );
  const [record] = batch.records;
  const by = asDoctor();
  const { credential } = by;
  if (credential === undefined || record === undefined) throw new Error("a credential and a record");
  const target = leaves.ticketOf(record);
  assert.equal(target.leaf.object.profile, "national");
  const wanted = { patient: stage.patient.atA.actor, purpose: "TREAT", class: laboratory, target, credential } as const;
  const text = await read(await requestRead(stage.gateway, by, wanted), `${record}.json`);
  assert.equal(text, content.toString());
});

test("auditors take the profile from the chain and find everything right", async () => {
  const commission = stage.key("commission/administration");
  const profiles = new Map<string | undefined, number>();
  for await (const { object } of listObjects(stage.client, commission))
    profiles.set(object.profile, (profiles.get(object.profile) ?? 0) + 1);
  assert.deepEqual(profiles, new Map([["national", groups.length + 1] as const, [undefined, 1] as const]));
  const report = await auditEverything(stage.gateway, commission);
  assert.deepEqual([report.objects, report.pieces, report.rows], [groups.length + 2, [], []]);
});
