/** Pixels kept once, over the real parts: a corrected study stores almost nothing anew, and pixels live as long as a version that relies on them. */
import assert from "node:assert/strict";
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { closeWorkers } from "@xinglin/archive";
import { verifyDestruction } from "@xinglin/client";
import { getKeptObject, keys, type MedicalRecord } from "@xinglin/contracts";
import { nodeCurves } from "@xinglin/crypto/node";
import {
  type Anchored,
  amendDicom,
  auditEverything,
  destroyRecord,
  endRecord,
  fetchObject,
  importDicom,
  listObjects,
  redeemPermit,
} from "@xinglin/gateway";
import { generateStudy, instanceFiles } from "@xinglin/interop";
import { type ActorId, cbor, type MemberId, toHex } from "@xinglin/primitives";
import { genesisTrust } from "@xinglin/verifier";
import type { Consortium } from "../src/consortium.ts";
import { correctStudy } from "../src/story/corrected-study.ts";
import { CT, consent, leftovers, openData, openTestStage, permitted, type TestStage } from "./open-stage.ts";

const STUDY_BYTES = 30_000_000;
const A = "hospital-a" as MemberId;
let stage: TestStage;
let consortium: Consortium;
let study: string;
let first: Anchored;
let corrected: Anchored;
before(async () => {
  stage = await openTestStage();
  consortium = stage.consortium;
  await consent(stage, stage.patient.atA, ["imaging"]);
  study = join(stage.data, "study");
  await generateStudy({ from: await instanceFiles(CT), outputFolder: study, sizeBytes: STUDY_BYTES });
});
after(async () => {
  await consortium.close();
  await closeWorkers();
  await stage.close();
});

const importing = () => ({ by: stage.key("hospital-a/radiographer"), patient: stage.patient.atA.actor });
const registrar = () => stage.key("hospital-a/registrar");
const imported = async (folder: string): Promise<Anchored> => (await importDicom(stage.gateway, folder, importing())).record;
const stored = (): Set<string> => new Set(stage.storeFolders.flatMap((folder) => readdirSync(join(folder, "objects"))));
const bytesOnStores = (): number =>
  stage.storeFolders
    .flatMap((folder) => readdirSync(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
/** Objects that A keeps for several versions, newest first. */
async function keptOfA(): Promise<{ id: string; status: string | undefined }[]> {
  const found: { id: string; status: string | undefined }[] = [];
  for await (const { object, status, record, batch } of listObjects(stage.client, stage.key("hospital-a/administration")))
    if (record === undefined && batch === undefined) found.push({ id: object.id, status });
  return found;
}
const objectOf = ({ record }: Anchored): string =>
  toHex((cbor.decodeTrusted(consortium.ledger.get(keys.record(record)) ?? new Uint8Array()) as MedicalRecord).object.id);
const sameFiles = (folder: string, original: string): void => {
  const names = (path: string): string[] =>
    readdirSync(path)
      .filter((name) => name.endsWith(".dcm"))
      .sort();
  const digest = (path: string): string[] => names(path).map((name) => readFileSync(join(path, name)).toString("latin1"));
  assert.deepEqual(digest(folder).sort(), digest(original).sort());
};
/** What the doctor at B reads of a record. */
async function readAtB(record: Anchored, only?: Parameters<typeof fetchObject>[6]): Promise<string> {
  const by = stage.key("hospital-b/doctor");
  const held = await permitted(stage, stage.patient.atA.actor, record);
  const { contentKey } = await redeemPermit(stage.gateway, by, held);
  const folder = join(stage.data, "received", `${record.record}-${record.version}-${Date.now()}`);
  await fetchObject(stage.gateway, held.permit, contentKey, folder, by, undefined, only);
  return folder;
}

test("a corrected study costs less than a hundredth of the study anew, and its reader elsewhere notices nothing", async () => {
  const before = bytesOnStores();
  first = await imported(study);
  const whole = bytesOnStores() - before;
  assert.equal(first.sharedBytes, 0);
  const better = correctStudy(study, join(stage.data, "corrected"), "19900308");
  corrected = await imported(better);
  const more = bytesOnStores() - before - whole;
  assert.ok(corrected.sharedBytes > 0.98 * STUDY_BYTES, `${corrected.sharedBytes}`);
  assert.ok(more < STUDY_BYTES / 100, `${more} bytes beside ${whole}`);

  // A reader of another member gets all, or a single instance.
  sameFiles(await readAtB(corrected), better);
  const [name = ""] = readdirSync(await readAtB(corrected, { paths: ["IM000003.dcm"] }));
  assert.equal(name, "IM000003.dcm");
});

test("the pixels' object is on the chain, and audits look after it", async () => {
  const [object, ...others] = await keptOfA();
  assert.deepEqual([object?.status, others], ["kept", []]);
  assert.equal(getKeptObject(consortium.ledger, A, object?.id ?? "")?.status, "kept");
  const [store = ""] = stage.storeFolders;
  const away = join(stage.data, "away");
  const pack = join(store, "objects", object?.id ?? "");
  cpSync(pack, away, { recursive: true });
  rmSync(pack, { recursive: true });
  const report = await auditEverything(stage.gateway, stage.key("commission/administration"));
  assert.deepEqual([...new Set(report.pieces.map((finding) => finding.object))], [object?.id]);
  cpSync(away, pack, { recursive: true });
});

test("the next version of a record shares with the one before", async () => {
  const by = stage.key("hospital-a/radiographer");
  const again = await amendDicom(stage.gateway, corrected, correctStudy(study, join(stage.data, "again"), "19900309"), { by });
  assert.deepEqual([again.version, again.sharedBytes], [2, corrected.sharedBytes]);
  corrected = again;
  sameFiles(await readAtB(corrected), join(stage.data, "again"));
  const other = { ...corrected, class: { level: "internal", category: "laboratory" } } as const;
  await assert.rejects(amendDicom(stage.gateway, other, study, { by }), { code: "class_mismatch" });
});

test("another institution with the same study shares nothing", async () => {
  const by = stage.key("hospital-b/administration");
  const { record } = await importDicom(stage.gateway, CT, { by, patient: stage.patient.atB.actor as ActorId });
  const again = await importDicom(stage.gateway, CT, importing());
  assert.deepEqual([record.sharedBytes, again.record.sharedBytes], [0, 0]);
  await endRecord(stage.gateway, registrar(), again.record.record);
  await destroyRecord(stage.gateway, registrar(), again.record.record);
});

test("an import that is refused leaves neither pixels nor a kept object", async () => {
  const before = { files: leftovers(stage), kept: await keptOfA() };
  const options = { ...importing(), patient: stage.patient.atB.actor };
  await assert.rejects(importDicom(stage.gateway, CT, options), { code: "patient_of_another_member" });
  assert.deepEqual({ files: leftovers(stage), kept: await keptOfA() }, before);
});

test("a registry that was put back from an old backup costs no version its pixels", async () => {
  const by = stage.key("hospital-b/administration");
  const options = { by, patient: stage.patient.atB.actor };
  const folder = join(stage.data, "members", by.member, "shared");
  const backup = join(stage.data, "shared-backup");
  const old = (await importDicom(stage.gateway, correctStudy(CT, join(stage.data, "ct-1"), "19900310"), options)).record;
  cpSync(folder, backup, { recursive: true });
  const late = (await importDicom(stage.gateway, correctStudy(CT, join(stage.data, "ct-2"), "19900311"), options)).record;
  assert.ok(late.sharedBytes > 0);
  rmSync(folder, { recursive: true });
  cpSync(backup, folder, { recursive: true });
  await endRecord(stage.gateway, by, old.record);
  const { pixels } = await destroyRecord(stage.gateway, by, old.record);
  assert.deepEqual(
    pixels.map(({ held, destruction }) => [held, destruction]),
    [[true, undefined]],
  );
  const object = toHex(pixels[0]?.objectId ?? new Uint8Array());
  assert.equal(getKeptObject(consortium.ledger, by.member, object)?.status, "kept");
  assert.ok(stored().has(object), "the later version reads its pixels there");
});

test("with one of two records destroyed the other reads; with both nothing is left, on the chain or on a store", async () => {
  const pixels = (await keptOfA()).find(({ status }) => status === "kept")?.id ?? "";
  const genesis = genesisTrust((await stage.client.genesis()).bytes);
  await endRecord(stage.gateway, registrar(), first.record);
  const one = await destroyRecord(stage.gateway, registrar(), first.record);
  const stays = await verifyDestruction(one.certificate, { genesis }, { curves: nodeCurves });
  assert.ok(stays.ok);
  assert.deepEqual([stays.pixels, stays.pixelsStay], [[], 1]);
  assert.equal(getKeptObject(consortium.ledger, A, pixels)?.status, "kept");
  sameFiles(await readAtB(corrected), join(stage.data, "again"));

  const copies = join(stage.data, "copies");
  cpSync(join(stage.data, "stores"), copies, { recursive: true });
  await endRecord(stage.gateway, registrar(), corrected.record);
  const two = await destroyRecord(stage.gateway, registrar(), corrected.record);
  const gone = await verifyDestruction(two.certificate, { genesis }, { curves: nodeCurves });
  assert.ok(gone.ok);
  assert.deepEqual(
    gone.pixels.map(({ object, undecodable, stores }) => [toHex(object), undecodable, stores.length]),
    [[pixels, true, 14]],
  );
  assert.equal(gone.pixelsStay, 0);
  assert.equal(getKeptObject(consortium.ledger, A, pixels)?.status, "dropped");
  for (const object of [pixels, objectOf(first), objectOf(corrected)]) assert.ok(!stored().has(object));
  const report = await auditEverything(stage.gateway, stage.key("commission/administration"));
  assert.deepEqual(report.pieces, []);
  // Who asks again is told the same.
  const again = await destroyRecord(stage.gateway, registrar(), corrected.record);
  assert.deepEqual(
    again.pixels.map(({ objectId, destruction }) => [toHex(objectId), destruction?.probe.packs]),
    [[pixels, 0]],
  );

  // A store that is put back from an old copy is emptied of it before anything is served.
  await consortium.close();
  rmSync(join(stage.data, "stores"), { recursive: true });
  cpSync(copies, join(stage.data, "stores"), { recursive: true });
  assert.ok(stored().has(pixels));
  consortium = await openData(stage.data);
  for (const object of [pixels, objectOf(first), objectOf(corrected)]) assert.ok(!stored().has(object));
});

test("the key and the registry are the owner's alone, in the member's folder, which a backup holds", () => {
  const folder = join(stage.data, "members", A, "shared");
  for (const name of ["key.json", "registry.db"]) {
    assert.ok(existsSync(join(folder, name)));
    if (process.platform !== "win32") assert.equal(statSync(join(folder, name)).mode & 0o077, 0, name);
  }
  assert.ok(!existsSync(join(stage.data, "members", "clinic-d", "shared")), "who imports no study has none");
});
