/** Records under other codes than 10+4, as the stores that there are call for: kept, on the chain, read with stores gone, and mended. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { DirectoryStore, openStores, type Store } from "@xinglin/archive";
import { keys, type MedicalRecord } from "@xinglin/contracts";
import {
  type Anchored,
  archiveHealth,
  batchLeaves,
  fetchObject,
  fixedStores,
  type Gateway,
  importBatches,
  importDicom,
  placingFor,
  redeemPermit,
  repairQueue,
} from "@xinglin/gateway";
import { cbor, type MemberId, toHex } from "@xinglin/primitives";
import { CT, consent, openTestStage, permitted, type TestStage } from "./open-stage.ts";

let stage: TestStage;
before(async () => {
  stage = await openTestStage();
  await consent(stage, stage.patient.atA, ["imaging"]);
});
after(() => stage.close());

const radiographer = () => stage.key("hospital-a/radiographer");
const commission = () => stage.key("commission/administration");
const over = (stores: readonly Store[]): Gateway => ({ ...stage.gateway, stores: fixedStores(stores) });
const importStudy = async (gateway: Gateway): Promise<Anchored> =>
  (await importDicom(gateway, CT, { by: radiographer(), patient: stage.patient.atA.actor })).record;

const pathOf = (store: Store): string => (store as DirectoryStore).description.path;
const contents = (folder: string): string[] => {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
  return files.map(({ parentPath, name }) => readFileSync(join(parentPath, name)).toString("base64")).sort();
};

/** A permit and its key, and how to fetch by them into a new folder. */
async function reading(gateway: Gateway, study: Anchored): Promise<() => Promise<string[]>> {
  const by = stage.key("hospital-b/doctor");
  const held = await permitted(stage, stage.patient.atA.actor, study);
  const { contentKey } = await redeemPermit(gateway, by, held);
  let times = 0;
  return async () => {
    const folder = join(stage.data, "received", `${study.record}-${++times}`);
    mkdirSync(folder, { recursive: true });
    await fetchObject(gateway, held.permit, contentKey, folder, by);
    return contents(folder);
  };
}

const codeOnChain = ({ record }: Anchored): MedicalRecord["object"]["code"] =>
  (cbor.decodeTrusted(stage.consortium.ledger.get(keys.record(record)) ?? new Uint8Array()) as MedicalRecord).object.code;

/** Imports, reads with m stores away, loses m packs for good, mends them, and reads with m others away. */
async function roundOf(stores: readonly Store[], expected: { k: number; m: number }): Promise<Anchored> {
  const gateway = over(stores);
  const study = await importStudy(gateway);
  assert.deepEqual([study.promise.code, codeOnChain(study)], [expected, expected]);
  const holders: Store[] = [];
  for (const store of stores) if (await store.has(study.objectId)) holders.push(store);
  assert.equal(holders.length, expected.k + expected.m);
  const read = await reading(gateway, study);
  const whole = contents(CT).filter((content) => content !== "");
  const away = async (gone: readonly Store[]): Promise<string[]> => {
    for (const store of gone) renameSync(pathOf(store), `${pathOf(store)}.away`);
    try {
      return await read();
    } finally {
      for (const store of gone) renameSync(`${pathOf(store)}.away`, pathOf(store));
    }
  };
  const dicom = await read();
  assert.ok(dicom.length > 0 && dicom.every((content) => whole.includes(content)));
  assert.deepEqual(await away(holders.slice(0, expected.m)), dicom);

  for (const store of holders.slice(0, expected.m))
    rmSync(join(pathOf(store), "objects", toHex(study.objectId)), { recursive: true });
  const { queue } = await archiveHealth(gateway, commission());
  const damaged = queue.filter(({ object }) => object === toHex(study.objectId));
  assert.deepEqual(
    damaged.map(({ missing, spare }) => [missing, spare]),
    [[expected.m, 0]],
  );
  const { repaired } = await repairQueue(gateway, commission(), damaged, { spare: 0, share: 1, relocate: true });
  assert.equal(repaired, 1);
  assert.deepEqual(await away(holders.slice(-expected.m)), dicom);
  return study;
}

test("over one store of each member: 4+2, not what is promised, and the importer is told what would help", async () => {
  const stores = stage.consortium.stores.filter(({ member }, i, all) => all.findIndex((one) => one.member === member) === i);
  const { promise } = await roundOf(stores, { k: 4, m: 2 });
  assert.deepEqual([promise.isKept, promise.stores, promise.exposed], [false, 6, []]);
  assert.ok((promise.needs.moreStores ?? 0) > 0);
});

test("over more stores than fourteen: less overhead, and the promise is kept", async () => {
  const more = Array.from({ length: 10 }, (_, i) => {
    const member = `further-${i}`;
    return { kind: "directory" as const, id: member, member, path: join(stage.data, "stores", member) };
  });
  await openStores(more, { create: true });
  const stores = [...stage.consortium.stores, ...more.map((description) => new DirectoryStore(description))];
  const { code } = (await placingFor(over(stores), radiographer())).promise;
  assert.ok(code.k + code.m > 14 && (code.k + code.m) / code.k < 1.4, `${code.k}+${code.m}`);
  const { promise } = await roundOf(stores, code);
  assert.ok(promise.isKept && promise.unreadable <= 1e-6 && promise.yearlyLoss <= 1e-9);

  // Packs of small records go the same way.
  const record = {
    patient: stage.patient.atA.actor,
    class: { level: "sensitive", category: "laboratory" },
    format: "fhir",
  } as const;
  const content = Buffer.from(JSON.stringify({ resourceType: "Observation", status: "final", code: { text: "CRP" } }));
  const leaves = batchLeaves(stage.data, "hospital-a" as MemberId);
  const batches = [];
  for await (const batch of importBatches(over(stores), [{ ...record, content }], { by: radiographer(), leaves }))
    batches.push(batch);
  assert.deepEqual(
    batches.map((batch) => batch.promise.code),
    [code],
  );
});

test("a store that is away takes no part: the import goes elsewhere, under the code for those that are there", async () => {
  const { stores } = stage.consortium;
  const [first] = stores;
  assert.ok(first !== undefined);
  renameSync(pathOf(first), `${pathOf(first)}.away`);
  try {
    const { promise } = await importStudy(over(stores));
    assert.deepEqual([promise.stores, promise.isKept, promise.code], [13, true, { k: 9, m: 4 }]);
  } finally {
    renameSync(`${pathOf(first)}.away`, pathOf(first));
  }
});

test("one folder alone takes a record, and two keep a copy; without any nothing is imported", async () => {
  const [one, two] = stage.consortium.stores;
  assert.ok(one !== undefined && two !== undefined);
  const alone = await importStudy(over([one]));
  assert.deepEqual([alone.promise.code, alone.promise.exposed.length], [{ k: 1, m: 0 }, 1]);
  assert.ok((await (await reading(over([one]), alone))()).length > 0);
  assert.deepEqual((await importStudy(over([one, two]))).promise.code, { k: 1, m: 1 });
  await assert.rejects(importStudy(over([])), { code: "stores_too_few" });
});
