/** Export and import: whatever the map's history, a copy has its root and goes on as the original does. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ics23 } from "@xinglin/crypto/pure";
import fc from "fast-check";
import {
  beginImport,
  decodeCut,
  discardImport,
  encodeCut,
  openState,
  PART_BYTES as PART_BYTES_SENT,
  rootOfCut,
  type StateChange,
  StateExport,
  type StatePart,
} from "../src/index.ts";
import { block, del, folder, fresh, hex, type Level, openLevel, put, type Reopening } from "./fixture.ts";
import { referenceRoot } from "./reference.ts";

/** Small parts, so that few keys make many. */
const PART_BYTES = 400;
const text = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString();

async function exported(db: Level, partBytes = PART_BYTES): Promise<{ parts: StatePart[]; height: number; root: Uint8Array }> {
  const source = new StateExport(db, partBytes);
  const parts: StatePart[] = [];
  try {
    await source.run(async (part) => void parts.push(part));
  } finally {
    await source.close();
  }
  return { parts, height: source.height, root: source.root };
}

async function imported(t: Parameters<typeof fresh>[0], from: Awaited<ReturnType<typeof exported>>, order = (a: number[]) => a) {
  const db = await openLevel(await folder(t));
  const sink = await beginImport(db, from);
  for (const i of order(from.parts.map((_, index) => index))) assert.equal(await sink.apply(i, from.parts[i]!.bytes), true);
  await sink.finish();
  return { db, state: await openState(db, { keepVersions: 2, windowBytes: 250_000, cacheBytes: 50_000 }) };
}

const change = (i: number, value: string): StateChange => (value === "" ? del(`k/${i}`) : put(`k/${i}`, value));
const anyChange = fc
  .tuple(fc.nat(300), fc.constantFrom("", "1", "2", "v".repeat(90), "long".repeat(200)))
  .map(([i, v]) => change(i, v));
const anyBlock = fc.oneof(
  fc.array(anyChange, { maxLength: 20 }),
  fc.array(anyChange, { minLength: 150, maxLength: 300, size: "max" }),
);

test("a copy has the root, every value, every proof and the key order, and goes on with the same roots", async (t) => {
  const seen = { parts: 0, split: 0, empty: 0, shuffled: 0 };
  const check = async (before: StateChange[][], after: StateChange[][], shuffle: boolean): Promise<void> => {
    const original = await fresh(t, { keepVersions: 2, windowBytes: 250_000, cacheBytes: 50_000 });
    const map = new Map<string, Uint8Array>();
    let height = 0;
    for (const changes of before) {
      height += 2;
      await block(original.state, height, changes);
      for (const { key, value } of changes) value === null ? map.delete(key) : map.set(key, value);
    }
    const copy = await exported(original.db);
    seen.parts += Number(copy.parts.length > 5);
    seen.split += Number(copy.parts.some(({ bytes }) => bytes.length > PART_BYTES));
    seen.empty += Number(copy.parts.some(({ bytes, depth }) => bytes.length === 0 && depth > 0));
    seen.shuffled += Number(shuffle);
    assert.equal(hex(rootOfCut(copy.parts) as Uint8Array), referenceRoot(map));
    assert.deepEqual(
      decodeCut(encodeCut(copy.parts)),
      copy.parts.map(({ depth, hash }) => ({ depth, hash })),
    );
    const { db, state } = await imported(t, copy, (order) => (shuffle ? order.toReversed() : order));
    assert.equal(state.height, height);
    assert.equal(hex(state.root), referenceRoot(map));
    assert.equal(state.statistics().keys, map.size);
    assert.deepEqual(await state.keys("k/"), [...map.keys()].sort());
    for (let i = 0; i < 300; i += 3) assert.equal(text(state.get(`k/${i}`)), text(map.get(`k/${i}`)));
    const { proof } = state.prove("k/absent", height);
    assert.ok(ics23.verifyNonMembership(state.root, ics23.decodeProof(proof), Buffer.from("k/absent")));
    for (const changes of after) {
      height++;
      assert.equal(await block(state, height, changes), await block(original.state, height, changes));
    }
    // Once more from the copy: the same parts, although its pages were cut and numbered otherwise.
    assert.deepEqual((await exported(db)).parts, (await exported(original.db)).parts);
    await db.close();
  };
  const history = fc.array(anyBlock, { maxLength: 6 });
  await fc.assert(fc.asyncProperty(history, history, fc.boolean(), check), { numRuns: 25, endOnFailure: true });
  for (const [outcome, times] of Object.entries(seen)) assert.ok(times > 3, `generator too narrow: ${outcome} ${times} times`);
});

/** A map of many parts. */
async function many(t: Parameters<typeof fresh>[0], keys = 1_200): Promise<Reopening> {
  const opened = await fresh(t, { keepVersions: 1, windowBytes: 250_000 });
  await block(
    opened.state,
    7,
    Array.from({ length: keys }, (_, i) => put(`k/${i}`, `value ${i}`)),
  );
  return opened;
}

test("a part that is changed, cut short, padded, out of order or another's is refused, and the right one is taken after it", async (t) => {
  const copy = await exported((await many(t)).db);
  assert.ok(copy.parts.length > 20);
  const [first, second] = copy.parts.filter(({ bytes }) => bytes.length > 100) as [StatePart, StatePart];
  const changed = Uint8Array.from(first.bytes);
  changed[changed.length - 1]! ^= 1;
  const entryEnd = 4 + Buffer.from(first.bytes).readUInt32BE(0);
  const [one, rest] = [first.bytes.subarray(0, entryEnd), first.bytes.subarray(entryEnd)];
  const wrong = {
    changed,
    "cut short": first.bytes.subarray(0, -1),
    "without an entry": rest,
    padded: Buffer.concat([first.bytes, Buffer.alloc(3)]),
    "out of order": Buffer.concat([rest, one]),
    doubled: Buffer.concat([one, first.bytes]),
    foreign: second.bytes,
    empty: new Uint8Array(0),
    "no entry at all": Buffer.from("ffffffff01", "hex"),
    "without a value": Buffer.from("00000002016b", "hex"),
  };
  const db = await openLevel(await folder(t));
  t.after(() => db.close());
  const sink = await beginImport(db, copy);
  const index = copy.parts.indexOf(first);
  const rows = (await db.keys().all()).length;
  for (const [what, bytes] of Object.entries(wrong)) assert.equal(await sink.apply(index, bytes), false, what);
  assert.equal((await db.keys().all()).length, rows, "nothing of it was written");
  for (const [i, { bytes }] of copy.parts.entries()) assert.equal(await sink.apply(i, bytes), true);
  assert.equal(await sink.apply(index, changed), true, "a part that is there already is taken for granted");
  assert.equal(sink.missing, 0);
  await sink.finish();
  assert.equal(hex((await openState(db)).root), hex(copy.root));
});

test("a cut that does not make up the root is refused before anything is changed", async (t) => {
  const { db, state } = await many(t);
  const copy = await exported(db);
  const one = copy.parts[0] as StatePart;
  const cuts = {
    "a part less": copy.parts.slice(1),
    "a part more": [...copy.parts, one],
    "none at all": [],
    "parts swapped": copy.parts.toReversed(),
    "another hash": [{ ...one, hash: new Uint8Array(32).fill(1) }, ...copy.parts.slice(1)],
    "too deep": [{ ...one, depth: 257 }, ...copy.parts.slice(1)],
    "root of something else": [{ depth: 0, hash: new Uint8Array(32).fill(1) }],
  };
  for (const [what, parts] of Object.entries(cuts))
    await assert.rejects(beginImport(db, { ...copy, parts }), { code: "state_cut_wrong" }, what);
  assert.equal(text(state.get("k/3")), "value 3");
});

test("an import that was not finished is not opened as a state, and can be begun anew or discarded", async (t) => {
  const copy = await exported((await many(t)).db);
  const path = await folder(t);
  let db = await openLevel(path);
  const sink = await beginImport(db, copy);
  await sink.apply(0, copy.parts[0]!.bytes);
  await sink.apply(5, copy.parts[5]!.bytes);
  await assert.rejects(openState(db), { code: "state_import_unfinished" });
  await db.close();
  db = await openLevel(path);
  t.after(() => db.close());
  await assert.rejects(openState(db), { code: "state_import_unfinished" });
  await discardImport(db);
  const empty = await openState(db, { cacheBytes: 20_000 });
  assert.deepEqual([empty.height, (await db.keys().all()).length], [0, 0]);
  const again = await beginImport(db, copy);
  for (const [i, { bytes }] of copy.parts.entries()) await again.apply(i, bytes);
  await assert.rejects(empty.reload(), { code: "state_import_unfinished" });
  await again.finish();
  assert.deepEqual((await exported(db)).parts, copy.parts);
  await empty.reload();
  assert.equal(empty.height, copy.height);
  assert.equal(hex(empty.root), hex(copy.root));
  assert.equal(text(empty.get("k/7")), "value 7");
  await block(empty, copy.height + 1, [del("k/7")]);
  await discardImport(db);
  await empty.reload();
  assert.deepEqual([empty.height, text(empty.get("k/8"))], [0, undefined]);
});

test("blocks that are committed and versions that are pruned meanwhile change nothing of what is exported", async (t) => {
  const { db, state } = await many(t, 3_000);
  const expected = await exported(db);
  const source = new StateExport(db, PART_BYTES);
  const parts: StatePart[] = [];
  await source.run(async (part) => {
    parts.push(part);
    if (parts.length % 5 !== 0 || state.height > 25) return;
    await block(
      state,
      state.height + 1,
      Array.from({ length: 3_000 }, (_, i) => put(`k/${i}`, `${state.height} ${i}`)),
    );
    await db.compactRange(Uint8Array.of(0), Uint8Array.of(255));
  });
  await source.close();
  assert.ok(state.height > 20, "blocks were committed");
  assert.deepEqual(parts, expected.parts);
  assert.deepEqual(source.root, expected.root);
});

test("an export of a damaged database throws instead of telling a wrong part", async (t) => {
  const { db } = await many(t);
  const rows = (await db.keys().all()).filter((key) => key[1] === 0x76);
  const key = rows[rows.length >> 1] as Uint8Array;
  const value = Uint8Array.from((await db.get(key)) as Uint8Array);
  value[value.length - 1]! ^= 1;
  await db.put(key, value);
  await assert.rejects(exported(db), { code: "state_corrupt" });
});

test("a state of 10^5 keys goes over in parts of at most a mebibyte, of which none is small", async (t) => {
  const original = await fresh(t);
  const KEYS = 100_000;
  const value = Buffer.alloc(100, 7);
  for (let from = 0; from < KEYS; from += 10_000) {
    const changes = Array.from({ length: 10_000 }, (_, i) => ({ key: `k/${from + i}`, value }));
    await block(original.state, original.state.height + 1, changes);
  }
  const copy = await exported(original.db, PART_BYTES_SENT);
  assert.equal(copy.parts.length, 16);
  for (const { bytes } of copy.parts) assert.ok(bytes.length <= PART_BYTES_SENT && bytes.length > PART_BYTES_SENT / 4);
  const { db, state } = await imported(t, copy);
  t.after(() => db.close());
  assert.equal(state.statistics().keys, KEYS);
  const next = [put("k/77", "changed"), del("k/78")];
  assert.equal(await block(state, state.height + 1, next), await block(original.state, original.state.height + 1, next));
});
