/** The engine against the definition: random blocks, deletions, undecided blocks, restarts, small memory, pruning. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { StateChange } from "../src/index.ts";
import { block, del, folder, fresh, hex, put, Reopening } from "./fixture.ts";
import { referenceRoot } from "./reference.ts";

type Step =
  | { readonly kind: "block"; readonly changes: readonly StateChange[]; readonly gap: number }
  | { readonly kind: "abandon"; readonly changes: readonly StateChange[] }
  | { readonly kind: "reopen" };

const KEYS = 400;
const key = fc.integer({ min: 0, max: KEYS - 1 }).map((i) => `k/${i}`);
const anyPut = fc.tuple(key, fc.integer({ min: 0, max: 9 })).map(([k, v]) => put(k, `value ${v}`));
const anyDelete = key.map(del);
const deleteRange = (from: number, to: number): StateChange[] =>
  Array.from({ length: to - from }, (_, i) => del(`k/${from + i}`));
const someChanges = fc.oneof(
  fc.array(anyPut, { maxLength: 12 }),
  fc.array(anyPut, { minLength: 100, maxLength: 300, size: "max" }),
  fc.array(fc.oneof(anyPut, { arbitrary: anyDelete, weight: 2 }), { maxLength: 40 }),
  // A whole range goes, so that pages empty and join; or everything.
  fc.tuple(fc.nat(KEYS), fc.nat(KEYS)).map(([a, b]) => deleteRange(Math.min(a, b), Math.max(a, b))),
  fc.constant(deleteRange(0, KEYS)),
);
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: fc.record({ kind: fc.constant("block" as const), changes: someChanges, gap: fc.nat(2) }), weight: 6 },
  { arbitrary: fc.record({ kind: fc.constant("abandon" as const), changes: someChanges }), weight: 2 },
  { arbitrary: fc.constant<Step>({ kind: "reopen" }), weight: 1 },
);

const apply = (map: ReadonlyMap<string, Uint8Array>, changes: readonly StateChange[]): Map<string, Uint8Array> => {
  const next = new Map(map);
  for (const { key: k, value } of changes) {
    if (value === null) next.delete(k);
    else next.set(k, value);
  }
  return next;
};
const text = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString();

test("root, values, kept heights and key order agree with the definition after any history", async (t) => {
  const seen = { changed: 0, unchanged: 0, abandoned: 0, reopened: 0, pruned: 0, evicted: 0, emptied: 0 };
  const keepVersions = 4;
  const check = async (steps: readonly Step[]): Promise<void> => {
    // Little memory, so that pages are dropped and read again, and the window of block records moves.
    const opened = await new Reopening(await folder(t), { keepVersions, cacheBytes: 20_000, windowBytes: 250_000 }).open();
    let map: ReadonlyMap<string, Uint8Array> = new Map();
    const history = [{ height: 0, map }];
    for (const step of steps) {
      const { state } = opened;
      const before = hex(state.root);
      if (step.kind === "reopen") {
        seen.evicted += state.statistics().pagesEvicted;
        await opened.reopen();
        seen.reopened++;
        assert.equal(hex(opened.state.root), before);
      } else if (step.kind === "abandon") {
        const prepared = state.prepare(state.height + 1, step.changes);
        assert.equal(hex(prepared.root), referenceRoot(apply(map, step.changes)));
        state.abandon(prepared);
        seen.abandoned++;
        assert.equal(hex(state.root), before);
      } else {
        const height = state.height + 1 + step.gap;
        map = apply(map, step.changes);
        const root = await block(state, height, step.changes);
        assert.equal(root, referenceRoot(map));
        assert.equal(hex(state.root), root);
        history.push({ height, map });
        seen[root === before ? "unchanged" : "changed"]++;
        seen.emptied += Number(map.size === 0 && root !== before);
      }
    }
    const { state } = opened;
    assert.equal(state.height, history.at(-1)?.height);
    assert.equal(state.statistics().keys, map.size);
    assert.deepEqual(await state.keys("k/"), [...map.keys()].sort());
    for (let i = 0; i < KEYS; i += 7) assert.equal(text(state.get(`k/${i}`)), text(map.get(`k/${i}`)));
    for (const past of history) {
      if (past.height < state.height - keepVersions) {
        assert.throws(() => state.getAt("k/1", past.height), { code: "state_pruned" });
        seen.pruned++;
        continue;
      }
      for (let i = 0; i < KEYS; i += 31) assert.equal(text(state.getAt(`k/${i}`, past.height)), text(past.map.get(`k/${i}`)));
      assert.equal(hex(state.prove("k/1", past.height).root), referenceRoot(past.map));
    }
    await opened.db.close();
  };
  await fc.assert(fc.asyncProperty(fc.array(anyStep, { minLength: 4, maxLength: 25, size: "max" }), check), {
    numRuns: 60,
    endOnFailure: true,
  });
  for (const [outcome, times] of Object.entries(seen)) assert.ok(times > 5, `generator too narrow: ${outcome} ${times} times`);
});

test("the order of writes, and how they are cut into blocks, do not matter", async (t) => {
  const all = Array.from({ length: 3_000 }, (_, i) => put(`k/${i}`, `v${i}`));
  const one = await fresh(t);
  const many = await fresh(t, { windowBytes: 250_000 });
  const root = await block(one.state, 1, all);
  let height = 0;
  for (let i = all.length; i > 0; i -= 250) await block(many.state, ++height, all.slice(Math.max(0, i - 250), i).reverse());
  assert.equal(hex(many.state.root), root);
  assert.equal(root, referenceRoot(new Map(all.map((change) => [change.key, change.value as Uint8Array]))));
});

test("a map that grows to many pages and is emptied again has the empty root, and no row of it stays", async (t) => {
  const { state, db } = await fresh(t, { keepVersions: 1, windowBytes: 250_000 });
  const all = Array.from({ length: 6_000 }, (_, i) => `k/${i}`);
  const map = new Map<string, Uint8Array>();
  let height = 0;
  for (let i = 0; i < all.length; i += 500) {
    const changes = all.slice(i, i + 500).map((k) => put(k, "1"));
    for (const { key: k, value } of changes) map.set(k, value as Uint8Array);
    await block(state, ++height, changes);
  }
  for (let i = 0; i < all.length; i += 700) {
    const gone = all.slice(i, i + 700);
    for (const k of gone) map.delete(k);
    assert.equal(await block(state, ++height, gone.map(del)), referenceRoot(map));
  }
  assert.equal(hex(state.root), "00".repeat(32));
  for (let i = 0; i < 40; i++) await block(state, ++height, []);
  // The counters, the header and the last version's own record, and its empty top page.
  const kinds = (await db.keys().all()).map((row) => String.fromCharCode(row[1] as number));
  assert.deepEqual(
    kinds.filter((kind) => kind === "v" || kind === "r"),
    [],
  );
  assert.equal(kinds.filter((kind) => kind === "p").length, 1);
  assert.equal(kinds.filter((kind) => kind === "h").length, 1);
});

test("the last write of a key wins, a value written again changes nothing, and deleting what is absent changes nothing", async (t) => {
  const { state } = await fresh(t);
  const root = await block(state, 1, [put("a", "1"), del("a"), put("a", "2"), put("b", "1"), del("b")]);
  assert.equal(root, referenceRoot(new Map([["a", Buffer.from("2")]])));
  const { version } = state.statistics();
  assert.equal(await block(state, 2, [put("a", "2"), del("b"), del("c")]), root);
  assert.equal(state.statistics().version, version);
  assert.equal(state.height, 2);
});

test("a page that blocks write again without changing it is still written before its records go", async (t) => {
  const opened = await fresh(t, { keepVersions: 1, windowBytes: 250_000, cacheBytes: 0 });
  const map = new Map<string, Uint8Array>();
  for (let height = 1; height <= 20; height++) {
    const all = Array.from({ length: 2_000 }, (_, i) => put(`k/${i}`, "1"));
    const changes = height === 1 ? all : [put("k/7", "2"), put(`k/${100 * height}`, "3")];
    for (const { key: k, value } of changes) map.set(k, value as Uint8Array);
    assert.equal(await block(opened.state, height, changes), referenceRoot(map));
    await opened.reopen();
  }
  assert.equal(text(opened.state.get("k/7")), "2");
});

test("a prepared block shows nothing, and reads meanwhile are of the committed one", async (t) => {
  const opened = await fresh(t, { cacheBytes: 0 });
  await block(
    opened.state,
    1,
    Array.from({ length: 500 }, (_, i) => put(`k/${i}`, "old")),
  );
  await opened.reopen();
  const { state } = opened;
  const prepared = state.prepare(
    2,
    Array.from({ length: 250 }, (_, i) => put(`k/${2 * i}`, "new")),
  );
  for (let i = 0; i < 500; i++) assert.equal(text(state.get(`k/${i}`)), "old");
  const writing = state.commit(prepared);
  assert.equal(text(state.get("k/0")), "old");
  await writing;
  for (let i = 0; i < 500; i++) assert.equal(text(state.get(`k/${i}`)), i % 2 === 0 ? "new" : "old");
});
