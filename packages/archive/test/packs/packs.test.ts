/** Small records in packs: each comes back with its own key alone, from few pieces, and says nothing of its neighbours. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Fault } from "@xinglin/primitives";
import { auditPossession } from "../../src/audit.ts";
import { type Pack, packRecords } from "../../src/packs/pack-records.ts";
import { retrieveRecord } from "../../src/packs/read-record.ts";
import { MAX_SMALL_BYTES, openRecord, sealedBytesOf, sealRecord } from "../../src/packs/record-seal.ts";
import { profileNamed } from "../../src/profile/profile.ts";
import { Consortium } from "../support/consortium.ts";

/** A result as a laboratory sends it: some hundred bytes, the same at every run. */
const result = (n: number): Uint8Array => {
  const sample = createHash("sha256").update(`sample ${n}`).digest("hex");
  return Buffer.from(JSON.stringify({ resourceType: "Observation", sample, value: n % 50 === 0 ? "positive" : "negative" }));
};

function* results(count: number): Generator<Uint8Array> {
  for (let n = 0; n < count; n++) yield result(n);
}

async function packsOf(records: Iterable<Uint8Array>, { stores }: Consortium): Promise<Pack[]> {
  const packs: Pack[] = [];
  for await (const pack of packRecords(records, { stores })) packs.push(pack);
  return packs;
}

async function packed(t: TestContext, count: number): Promise<{ consortium: Consortium; pack: Pack }> {
  const consortium = await Consortium.open(t);
  const packs = await packsOf(results(count), consortium);
  assert.equal(packs.length, 1);
  return { consortium, pack: packs[0]! };
}

const at = ({ reference, objectId, records }: Pack, n: number) => ({ reference, packId: objectId, slice: records[n]!.slice });

test("each record comes back with its own key, with four stores of fourteen gone, from the pieces that hold it", async (t) => {
  const { consortium, pack } = await packed(t, 20_000);
  assert.equal(pack.records.length, 20_000);
  await consortium.loseStores(consortium.stores.slice(3, 7));
  for (const n of [0, 1, 9_999, 19_999]) {
    const { content, outcome } = await retrieveRecord(at(pack, n), pack.records[n]!.key, consortium.stores);
    assert.deepEqual(Buffer.from(content), result(n));
    assert.equal(outcome.readBytes, pack.records[n]!.slice.length);
  }
});

test("twenty thousand records are one object on each store", async (t) => {
  const { consortium, pack } = await packed(t, 20_000);
  for (const { description } of consortium.stores) {
    const objects = readdirSync(join(description.path, "objects"));
    assert.equal(objects.length, 1);
    assert.equal(readdirSync(join(description.path, "objects", objects[0]!)).length, 3);
  }
  const report = await auditPossession(pack.reference, pack.objectId, consortium.stores);
  assert.ok(report.stores.every(({ faults }) => faults.length === 0));
});

test("a neighbour's key, a neighbour's place and another pack open nothing", async (t) => {
  const { consortium, pack } = await packed(t, 10);
  const isFault = (code: string) => (error: unknown) => error instanceof Fault && error.code === code;
  const [first, second] = [pack.records[0]!, pack.records[1]!];
  await assert.rejects(retrieveRecord(at(pack, 0), second.key, consortium.stores), isFault("content_key_wrong"));
  await assert.rejects(retrieveRecord(at(pack, 1), first.key, consortium.stores), isFault("content_key_wrong"));
  const moved = { ...at(pack, 0), slice: { at: first.slice.at + 64, length: first.slice.length } };
  await assert.rejects(retrieveRecord(moved, first.key, consortium.stores), isFault("content_key_wrong"));
  const outside = { ...at(pack, 0), slice: { at: pack.sizeBytes, length: 64 } };
  await assert.rejects(retrieveRecord(outside, first.key, consortium.stores), isFault("range_invalid"));
  const sealed = sealRecord(profileNamed(), result(0), first.key, pack.objectId, 0);
  assert.deepEqual(Buffer.from(openRecord(profileNamed(), sealed, first.key, pack.objectId, 0)!), result(0));
  assert.equal(openRecord(profileNamed(), sealed, first.key, randomBytes(16), 0), undefined);
  for (let length = 0; length < sealed.length; length++)
    assert.equal(openRecord(profileNamed(), sealed.subarray(0, length), first.key, pack.objectId, 0), undefined);
});

test("a sealed length tells no more than a step of an eighth", () => {
  const lengths = new Set<number>();
  let before = 0;
  for (let bytes = 1; bytes <= MAX_SMALL_BYTES; bytes++) {
    const sealed = sealedBytesOf(bytes);
    assert.ok(sealed >= bytes + 20 && sealed >= before && sealed < Math.max(bytes + 20 + 64, (bytes + 20) * 1.126));
    before = sealed;
    lengths.add(sealed);
  }
  assert.ok(lengths.size < 80, String(lengths.size));
  assert.equal(sealedBytesOf(result(50).length), sealedBytesOf(result(51).length));
});

test("packs follow each other when one is full, each told before it is written", async (t) => {
  const consortium = await Consortium.open(t);
  const begun: Uint8Array[] = [];
  const content = randomBytes(MAX_SMALL_BYTES);
  const source = Array.from({ length: 600 }, () => content);
  const packs: Pack[] = [];
  for await (const pack of packRecords(source, { stores: consortium.stores, onBegin: (id) => begun.push(id) })) {
    packs.push(pack);
    assert.deepEqual(begun.at(-1), pack.objectId);
  }
  assert.deepEqual(
    packs.map(({ records }) => records.length).reduce((sum, count) => sum + count, 0),
    600,
  );
  assert.ok(packs.length > 1);
  const last = packs.at(-1)!;
  const { content: found } = await retrieveRecord(at(last, last.records.length - 1), last.records.at(-1)!.key, consortium.stores);
  assert.deepEqual(Buffer.from(found), content);
});

test("what is too large for a pack, or empty, is refused by its place, and nothing is left", async (t) => {
  const consortium = await Consortium.open(t);
  const packing = (source: Uint8Array[]) => packsOf(source, consortium);
  const large = [result(0), new Uint8Array(MAX_SMALL_BYTES + 1)];
  await assert.rejects(packing(large), { code: "record_too_large", facts: { record: 1, maxBytes: MAX_SMALL_BYTES } });
  await assert.rejects(packing([]), { code: "source_empty" });
  await assert.rejects(packing([new Uint8Array(0)]), { code: "source_empty" });
  for (const store of consortium.stores) assert.deepEqual(await store.list(), []);
});
