/** Ten thousand small records, end to end: imported in batches, read one by one by right, ended one by one, and few files for all of them. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { getBatch, keys } from "@xinglin/contracts";
import type { CustodianService } from "@xinglin/custody";
import {
  auditEverything,
  batchLeaves,
  endLeaf,
  fetchObject,
  type ImportedBatch,
  importBatches,
  redeemPermit,
  requestRead,
  type SmallRecordInput,
} from "@xinglin/gateway";
import { Fault, type MemberId, type RecordId, toHex } from "@xinglin/primitives";
import { consent, leftovers, openTestStage, type TestStage } from "./open-stage.ts";

const RECORDS = 10_000;
const BATCH_RECORDS = 6_000;
const laboratory = { level: "sensitive", category: "laboratory" } as const;
let stage: TestStage;
let folder: string;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), "xinglin-batches-"));
  stage = await openTestStage();
});
after(async () => {
  await stage.close();
  rmSync(folder, { recursive: true });
});

const contentOf = (n: number): Uint8Array =>
  Buffer.from(
    JSON.stringify({
      resourceType: "Observation",
      status: "final",
      code: { text: "SARS-CoV-2 RNA" },
      valueString: n % 50 === 0 ? "+" : "-",
      n,
    }),
  );
function* results(from: number, count: number): Generator<SmallRecordInput> {
  for (let n = from; n < from + count; n++)
    yield { patient: stage.patient.atA.actor, class: laboratory, format: "fhir", content: contentOf(n) };
}
const leaves = () => batchLeaves(stage.data, "hospital-a" as MemberId);
const options = () => ({ by: stage.key("hospital-a/radiographer"), leaves: leaves() });
const filesIn = (path: string): string[] =>
  readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile())
    .map(({ name }) => name);
const shareFiles = (): string[] => filesIn(join(stage.data, "custodians")).filter((name) => /\.(shares?|keys?)$/.test(name));
const leafFiles = (): string[] => {
  try {
    return readdirSync(join(stage.data, "members", "hospital-a", "batches"));
  } catch {
    return [];
  }
};

async function ask(record: RecordId) {
  const by = stage.key("hospital-b/doctor");
  if (by.credential === undefined) throw new Error("the doctor has a credential");
  const target = leaves().ticketOf(record);
  const { credential } = by;
  return requestRead(stage.gateway, by, {
    patient: stage.patient.atA.actor,
    purpose: "TREAT",
    class: laboratory,
    target,
    credential,
  });
}
async function contentFor(record: RecordId): Promise<Buffer> {
  const by = stage.key("hospital-b/doctor");
  const decision = await ask(record);
  assert.ok(decision.permitted, decision.permitted ? "" : decision.receipt.results[0]?.code);
  const { contentKey } = await redeemPermit(stage.gateway, by, decision.held);
  await fetchObject(stage.gateway, decision.held.permit, contentKey, folder, by);
  return readFileSync(join(folder, `${record}.json`));
}

test("ten thousand records in two batches: read by right, ended one by one, audited by their packs", async () => {
  const batches: ImportedBatch[] = [];
  const before = shareFiles().length;
  for await (const batch of importBatches(stage.gateway, results(0, RECORDS), { ...options(), batchRecords: BATCH_RECORDS }))
    batches.push(batch);
  assert.deepEqual(
    batches.map(({ records }) => records.length),
    [BATCH_RECORDS, RECORDS - BATCH_RECORDS],
  );
  const { ledger, custodians } = stage.consortium;
  for (const { root, records, packs } of batches) {
    const found = getBatch(ledger, root);
    assert.deepEqual([found?.source, found?.count, found?.packs?.length], ["hospital-a", records.length, packs]);
  }
  assert.ok(leftovers(stage).every((path) => !path.includes("imports")));
  // Two files for 2,048 shares, one for a batch's leaves.
  const deposits = Math.ceil(BATCH_RECORDS / 2_048) + Math.ceil((RECORDS - BATCH_RECORDS) / 2_048);
  assert.equal(shareFiles().length - before, 2 * deposits * custodians.size);
  assert.equal(leafFiles().length, 2);
  for (const file of leafFiles())
    assert.equal(statSync(join(stage.data, "members", "hospital-a", "batches", file)).mode & 0o077, 0);

  const all = batches.flatMap(({ records }) => records);
  const at = (n: number): RecordId => all[n] as RecordId;
  const unconsented = await ask(at(0));
  assert.ok(!unconsented.permitted);
  await consent(stage, stage.patient.atA, ["laboratory"]);
  for (const n of [0, BATCH_RECORDS - 1, BATCH_RECORDS, RECORDS - 1])
    assert.deepEqual(await contentFor(at(n)), Buffer.from(contentOf(n)));

  // One ends: its shares go, its neighbours stay, and it stays provable that it was there.
  const registrar = stage.key("hospital-a/registrar");
  const erasures = await endLeaf(stage.gateway, registrar, at(7), leaves());
  assert.equal(erasures.length, custodians.size);
  assert.ok(erasures.every(({ code }) => code === undefined));
  assert.throws(() => leaves().ticketOf(at(7)), { code: "leaf_erased" });
  assert.ok(ledger.get(keys.record(at(7))) !== undefined);
  assert.deepEqual(await contentFor(at(6)), Buffer.from(contentOf(6)));
  assert.deepEqual(await contentFor(at(8)), Buffer.from(contentOf(8)));

  const report = await auditEverything(stage.gateway, stage.key("commission/administration"));
  assert.equal(
    report.objects,
    batches.reduce((sum, { packs }) => sum + packs, 0),
  );
  assert.deepEqual([report.pieces, report.rows], [[], []]);
  assert.throws(() => leaves().ticketOf("0".repeat(32) as RecordId), { code: "leaf_unknown" });
});

test("a batch that fails leaves nothing, and those before it stay", async () => {
  const { custodians, ledger } = stage.consortium;
  const state = () => ({ files: leftovers(stage), entries: ledger.entryCount(), leaves: leafFiles() });
  const before = state();
  const own = custodians.get("custodian-clinic-d") as CustodianService;
  const lost = async (): Promise<Uint8Array> => {
    throw new Fault("custodian_unreachable", {}, { retry: true });
  };
  const importing = async (records: Iterable<SmallRecordInput>, more: object = {}): Promise<ImportedBatch[]> => {
    const batches: ImportedBatch[] = [];
    for await (const batch of importBatches(stage.gateway, records, { ...options(), ...more })) batches.push(batch);
    return batches;
  };
  custodians.set("custodian-clinic-d", { deposit: lost, depositMany: lost, release: lost, erase: lost });
  try {
    await assert.rejects(importing(results(0, 10)), { code: "deposits_refused" });
  } finally {
    custodians.set("custodian-clinic-d", own);
  }
  assert.deepEqual(state(), before);
  const stop = new AbortController();
  await assert.rejects(importing(results(0, 10), { signal: stop.signal, onProgress: () => stop.abort() }), { code: "aborted" });
  assert.deepEqual(state(), before);
  await assert.rejects(importing([{ ...[...results(0, 1)][0], content: new Uint8Array(65_537) } as SmallRecordInput]), {
    code: "record_too_large",
  });
  assert.deepEqual(state(), before);
  // The second of two batches fails: the first stays.
  function* broken(): Generator<SmallRecordInput> {
    yield* results(0, 15);
    throw new Fault("batch_line_wrong", { line: 16, reason: "test" });
  }
  const imported: string[] = [];
  await assert.rejects(
    async () => {
      for await (const { root } of importBatches(stage.gateway, broken(), { ...options(), batchRecords: 10 }))
        imported.push(toHex(root));
    },
    { code: "batch_line_wrong" },
  );
  assert.equal(imported.length, 1);
  assert.deepEqual(leafFiles().sort(), [...before.leaves, `${imported[0]}.leaves`].sort());
  assert.equal(readdirSync(join(stage.data, "imports")).length, 0);
});
