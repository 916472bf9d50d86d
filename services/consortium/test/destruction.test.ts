/** The end of a record, whole: shares erased, pieces dropped, the end certified; and old copies of folders that come back are erased again. */
import assert from "node:assert/strict";
import { cpSync, readdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { after, before, test } from "node:test";
import { closeWorkers } from "@xinglin/archive";
import { type DestructionVerdict, verifyDestruction } from "@xinglin/client";
import { keys, type MedicalRecord } from "@xinglin/contracts";
import { nodeCurves } from "@xinglin/crypto/node";
import {
  type Anchored,
  auditEverything,
  changeAllergy,
  destroyRecord,
  endRecord,
  importBundle,
  importDicom,
  unreached,
} from "@xinglin/gateway";
import { type Bytes, cbor, toHex } from "@xinglin/primitives";
import { genesisTrust } from "@xinglin/verifier";
import type { Consortium } from "../src/consortium.ts";
import { BUNDLE, CT, openData, openTestStage, shareFiles, type TestStage } from "./open-stage.ts";

let stage: TestStage;
let consortium: Consortium;
/** Ends in the tests: a study, and an allergy of two versions. */
let study: Anchored;
let allergy: Anchored;
/** Stays. */
let kept: Anchored;
let certificate: Bytes;
before(async () => {
  stage = await openTestStage();
  consortium = stage.consortium;
  const by = stage.key("hospital-a/radiographer");
  const patient = stage.patient.atA.actor;
  study = (await importDicom(stage.gateway, CT, { by, patient })).record;
  const { records } = await importBundle(stage.gateway, BUNDLE, { by, patient, originals: stage.originals });
  const of = (category: string): Anchored => records.find((one) => one.class.category === category) as Anchored;
  kept = of("laboratory");
  const change = { criticality: "high", lastUpdated: "2026-02-03T03:00:00+08:00" } as const;
  allergy = await changeAllergy(stage.gateway, of("medication"), change, {
    by: stage.key("hospital-a/nurse"),
    originals: stage.originals,
  });
  for (const folder of ["stores", "custodians"])
    cpSync(join(stage.data, folder), join(stage.data, "copies", folder), { recursive: true });
});
after(async () => {
  await consortium.close();
  await closeWorkers();
  await stage.close();
});

const registrar = () => stage.key("hospital-a/registrar");
const record = (key: string): MedicalRecord =>
  cbor.decodeTrusted(consortium.ledger.get(key) ?? new Uint8Array()) as MedicalRecord;
const check = async (bytes: Bytes): Promise<DestructionVerdict> =>
  verifyDestruction(bytes, { genesis: genesisTrust((await stage.client.genesis()).bytes) }, { curves: nodeCurves });
const objectsOf = (id: Anchored["record"]): string[] => {
  const newest = record(keys.record(id));
  const older = Array.from({ length: newest.version - 1 }, (_, i) => record(keys.recordVersion(id, i + 1)));
  return [...older, newest].map(({ object }) => toHex(object.id));
};
const stored = (): Set<string> => new Set(stage.storeFolders.flatMap((folder) => readdirSync(join(folder, "objects"))));

test("a record in force is not destroyed", async () => {
  await assert.rejects(destroyRecord(stage.gateway, registrar(), study.record), { code: "record_in_force" });
  assert.ok(stored().has(objectsOf(study.record)[0] as string));
});

test("shares and pieces of every version go, and the certificate shows it to anyone", async () => {
  assert.ok((await endRecord(stage.gateway, registrar(), allergy.record)) !== undefined);
  assert.equal(await endRecord(stage.gateway, registrar(), allergy.record), undefined, "it has ended already");
  const done = await destroyRecord(stage.gateway, registrar(), allergy.record);
  assert.deepEqual(unreached(done), []);
  assert.deepEqual(
    done.erasures.filter(({ code }) => code !== undefined),
    [],
  );
  for (const object of objectsOf(allergy.record)) assert.ok(!stored().has(object));
  assert.ok(stored().has(objectsOf(kept.record)[0] as string));

  const verdict = await check(done.certificate);
  assert.ok(verdict.ok, JSON.stringify(verdict));
  assert.deepEqual(
    verdict.versions.map(({ version, keyGone, undecodable, erased, stores }) => [
      version,
      keyGone,
      undecodable,
      erased.length,
      stores.length,
    ]),
    [
      [2, true, true, 6, 14],
      [1, true, true, 6, 14],
    ],
  );
  assert.ok(
    verdict.versions.every(({ erased }) => erased.every(({ height }) => height > 0 && height <= consortium.ledger.height())),
  );
  assert.equal(verdict.source, "hospital-a");

  // The audit knows that they are gone on purpose.
  const report = await auditEverything(stage.gateway, stage.key("commission/administration"));
  assert.deepEqual([report.pieces, report.ended], [[], 2]);
});

test("a store that is away is named in the certificate, and dropped when the record is ended again", async () => {
  await endRecord(stage.gateway, registrar(), study.record);
  const [folder = ""] = stage.storeFolders;
  cpSync(folder, `${folder}.away`, { recursive: true });
  rmSync(folder, { recursive: true });
  const first = await destroyRecord(stage.gateway, registrar(), study.record);
  const [pixels] = first.pixels;
  assert.deepEqual(
    unreached(first),
    [objectsOf(study.record)[0], toHex(pixels?.objectId ?? new Uint8Array())].map((object) => ({
      object,
      store: basename(folder),
      code: "store_absent",
    })),
  );
  const verdict = await check(first.certificate);
  assert.ok(verdict.ok && verdict.versions[0]?.undecodable === true, "one pack is too few");
  assert.deepEqual([verdict.pixels.map(({ undecodable }) => undecodable), verdict.pixelsStay], [[true], 0]);
  assert.equal(verdict.versions[0]?.stores.filter(({ outcome }) => outcome === "not_reached").length, 1);
  cpSync(`${folder}.away`, folder, { recursive: true });
  rmSync(`${folder}.away`, { recursive: true });
  const second = await destroyRecord(stage.gateway, registrar(), study.record);
  assert.deepEqual(unreached(second), []);
  assert.ok(!stored().has(objectsOf(study.record)[0] as string));
  certificate = second.certificate;
});

test("a certificate with any byte changed, with a version left out or of another chain is refused", async () => {
  assert.equal((await check(certificate)).ok, true);
  let refused = 0;
  for (let at = 0; at < certificate.length; at += 1 + Math.floor(certificate.length / 60)) {
    const wrong = new Uint8Array(certificate);
    wrong[at] = (wrong[at] as number) ^ 1;
    if (!(await check(wrong)).ok) refused++;
    else assert.fail(`byte ${at} of ${certificate.length}`);
  }
  assert.ok(refused > 50);

  type Parts = { statement: Bytes; signature: Bytes; evidence: Bytes };
  const parts = cbor.decodeTrusted(certificate) as Parts;
  const told = cbor.decodeTrusted(parts.statement) as { versions: unknown[]; by: object };
  const resigned = async (change: object, alias = "hospital-a/registrar"): Promise<DestructionVerdict> => {
    const statement = cbor.encode({ ...told, ...change } as never);
    const signature = await stage.key(alias).signer.sign(statement);
    return check(cbor.encode({ ...parts, statement, signature }));
  };
  const code = (verdict: DestructionVerdict): string => (verdict.ok ? "" : verdict.code);
  assert.equal(code(await resigned({})), "");
  assert.equal(code(await resigned({}, "hospital-b/doctor")), "signature_wrong");
  assert.equal(code(await resigned({ versions: [...told.versions, told.versions[0]] })), "proof_missing");
  assert.equal(
    code(await resigned({ versions: [{ ...(told.versions[0] as object), object: new Uint8Array(16) }] })),
    "object_unknown",
  );
  assert.equal(code(await resigned({ chain: "xinglin-other" })), "wrong_chain");
  assert.equal(code(await resigned({ record: kept.record })), "proof_missing");
});

test("old copies of stores and share folders that are put back are erased again before anything is served", async () => {
  const ended = [...objectsOf(study.record), ...objectsOf(allergy.record)];
  const [alive] = objectsOf(kept.record);
  await consortium.close();
  for (const folder of ["stores", "custodians"]) {
    rmSync(join(stage.data, folder), { recursive: true });
    cpSync(join(stage.data, "copies", folder), join(stage.data, folder), { recursive: true });
  }
  for (const object of ended) assert.ok(stored().has(object), "the copies hold it");
  assert.deepEqual(Object.keys(shareFiles(stage, "hospital-a", study.record)).sort(), ["key", "share"]);

  consortium = await openData(stage.data);
  for (const object of ended) assert.ok(!stored().has(object));
  assert.ok(stored().has(alive as string));
  for (const member of ["hospital-a", "hospital-b"]) {
    assert.deepEqual(Object.keys(shareFiles(stage, member, study.record)), ["erased"]);
    for (const version of [1, 2]) assert.deepEqual(Object.keys(shareFiles(stage, member, allergy.record, version)), ["erased"]);
    assert.deepEqual(Object.keys(shareFiles(stage, member, kept.record)).sort(), ["key", "share"], "what has not ended stays");
  }
});
