/** What is refused, what fails, and what is left afterwards. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openState } from "../src/index.ts";
import { block, folder, fresh, hex, type Level, openLevel, put } from "./fixture.ts";

const failing = (db: Level, message: string): { db: Level; heal: () => void } => {
  const original = db.batch.bind(db);
  db.batch = (() => Promise.reject(new Error("failed", { cause: new Error(message) }))) as never;
  return {
    db,
    heal: () => {
      db.batch = original as never;
    },
  };
};

for (const [message, code] of [
  ["IO error: 000012.log: No space left on device", "disk_full"],
  ["IO error: 000012.log: Input/output error", "state_write_failed"],
] as const)
  test(`a commit that fails with ${code} leaves the committed block, and the next one works`, async (t) => {
    const { state, db } = await fresh(t);
    const root = await block(state, 1, [put("a", "1")]);
    const { heal } = failing(db, message);
    await assert.rejects(state.commit(state.prepare(2, [put("a", "2"), put("b", "2")])), { code });
    heal();
    assert.equal(state.height, 1);
    assert.equal(hex(state.root), root);
    assert.equal(state.get("b"), undefined);
    const again = await block(state, 2, [put("a", "2")]);
    assert.equal(hex(state.root), again);
  });

test("other rows of a commit go in its batch, or not at all", async (t) => {
  const { state, db } = await fresh(t);
  const key = Buffer.from("block/1");
  const extra = [{ type: "put", key, value: Buffer.from("header") }] as const;
  const { heal } = failing(db, "no");
  await assert.rejects(state.commit(state.prepare(1, [put("a", "1")]), extra));
  heal();
  assert.equal(db.getSync(key), undefined);
  await state.commit(state.prepare(1, [put("a", "1")]), extra);
  assert.equal(Buffer.from(db.getSync(key) ?? []).toString(), "header");
  await state.commit(state.prepare(2, []), [{ type: "del", key }]);
  assert.equal(db.getSync(key), undefined);
  const foreign = [{ type: "put", key: Buffer.from("s..."), value: key }] as const;
  await assert.rejects(state.commit(state.prepare(3, []), foreign), RangeError);
  assert.equal(state.height, 2);
});

test("keys of 1 to 200 bytes and values of one byte or more are taken", async (t) => {
  const { state } = await fresh(t);
  await block(state, 1, [put("a", "1"), put("药".repeat(66), "1"), put("a".repeat(200), "1")]);
  for (const key of ["", "a".repeat(201), "药".repeat(67), "\ud800"]) {
    assert.throws(() => state.prepare(2, [put(key, "1")]), { code: "state_key_invalid" });
    assert.throws(() => state.get(key), { code: "state_key_invalid" });
    assert.throws(() => state.prove(key), { code: "state_key_invalid" });
  }
  assert.throws(() => state.prepare(2, [put("b", "")]), { code: "state_value_empty" });
  await block(state, 2, [put("b", "1")]);
});

test("heights are read from the oldest kept to the newest", async (t) => {
  const { state } = await fresh(t, { keepVersions: 2 });
  for (let height = 10; height <= 20; height += 2) await block(state, height, [put("a", `${height}`)]);
  const at = (height: number): string => Buffer.from(state.getAt("a", height) ?? []).toString();
  assert.throws(() => at(17), { code: "state_pruned", facts: { height: 17, oldest: 18 } });
  assert.deepEqual([at(18), at(19), at(20)], ["18", "18", "20"]);
  assert.throws(() => at(21), { code: "state_height_unknown", facts: { height: 21, newest: 20 } });
  assert.throws(() => state.prove("a", 17), { code: "state_pruned" });
});

test("one block at a time, above the committed one, committed or abandoned once", async (t) => {
  const { state } = await fresh(t);
  await block(state, 5, [put("a", "1")]);
  assert.throws(() => state.prepare(5, []));
  const prepared = state.prepare(6, []);
  assert.throws(() => state.prepare(6, []));
  state.abandon(prepared);
  assert.throws(() => state.abandon(prepared));
  await assert.rejects(state.commit(prepared));
  const next = state.prepare(6, [put("b", "1")]);
  const writing = state.commit(next);
  assert.throws(() => state.abandon(next));
  await writing;
  assert.equal(state.height, 6);
});

test("a row that was changed from outside is found when it is read, whichever it is", async (t) => {
  const path = await folder(t);
  const db = await openLevel(path);
  const first = await openState(db, { windowBytes: 0 });
  const keys = Array.from({ length: 400 }, (_, i) => `k/${i}`);
  await block(
    first,
    1,
    keys.map((key) => put(key, "one")),
  );
  await block(
    first,
    2,
    keys.slice(0, 200).map((key) => put(key, "two")),
  );
  const pages = await db.iterator({ gte: Buffer.from("sp"), lt: Buffer.from("sq") }).all();
  const values = await db.iterator({ gte: Buffer.from("sv"), lt: Buffer.from("sw") }).all();
  const sampled = values.filter((_, i) => i % 40 === 0);
  assert.ok(pages.length > 10 && sampled.length > 10);
  for (const [key, value] of [...pages, ...sampled]) {
    const changed = Uint8Array.from(value);
    const at = value.length >> 1;
    changed[at] = (changed[at] as number) ^ 1;
    await db.put(key, changed);
    const readAll = async (): Promise<void> => {
      const state = await openState(db, { windowBytes: 0 });
      for (const height of [1, 2]) for (const k of keys) state.getAt(k, height);
    };
    await assert.rejects(readAll(), { code: "state_corrupt" });
    await db.put(key, value);
  }
  await db.close();
});

test("while a block is written, a height that it prunes is refused, not found broken", async (t) => {
  const { state } = await fresh(t, { keepVersions: 1 });
  for (let height = 1; height <= 3; height++) await block(state, height, [put("a", `${height}`)]);
  const writing = state.commit(state.prepare(4, [put("a", "4")]));
  assert.throws(() => state.getAt("a", 2), { code: "state_pruned" });
  assert.equal(Buffer.from(state.getAt("a", 3) ?? []).toString(), "3");
  await writing;
});
