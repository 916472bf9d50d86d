/**
 * Processes that are killed right before one call to the disk, through the whole of an import, a repair and a destruction. Afterwards the collector
 * lists what lies on the stores: everything that was acknowledged, whole, and nothing else.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { equal, fromHex, toHex } from "@xinglin/primitives";
import { auditPossession, repair } from "../src/audit.ts";
import { destroyObject, isUndecodable } from "../src/destroy.ts";
import { type Ingested, ingest } from "../src/ingest.ts";
import { decodeReference, encodeReference } from "../src/reference.ts";
import { retrieve } from "../src/retrieve.ts";
import { openStores, removeOrphans } from "../src/store/open.ts";
import type { Store } from "../src/store/store.ts";
import { closeWorkers } from "../src/work/pool.ts";
import { Consortium, contentBelow, flipBit } from "./support/consortium.ts";
import { type Ended, killEverywhere, runKilled } from "./support/killed-runs.ts";

after(closeWorkers);

process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL("../../../node_modules/.cache/xinglin/compiled", import.meta.url));
/** Runs one work in a child that dies at `killAt`. */
const run = (work: string, stores: readonly Store[], killAt: string, ...words: string[]): Promise<Ended> =>
  runKilled("./working-child.ts", killAt, work, JSON.stringify(stores.map(({ description }) => description)), ...words);

/** The stages of whoever died are collected, then everything that is not `known` goes. */
async function collect(stores: readonly Store[], known: ReadonlySet<string>): Promise<readonly string[]> {
  await openStores(stores.map(({ description }) => description));
  return await removeOrphans(stores, (id) => known.has(id));
}

async function requireOnly(consortium: Consortium, known: ReadonlySet<string>): Promise<void> {
  for (const store of consortium.stores) assert.deepEqual((await store.list()).sort(), [...known].sort());
  const stray = (await consortium.files()).filter((path) => ![...known].some((id) => path.includes(`/objects/${id}/`)));
  assert.deepEqual(stray, []);
}

const referenceOf = ({ objectId, reference }: Ingested): [string, string] => [toHex(objectId), toHex(encodeReference(reference))];
const archive = (stores: readonly Store[]): Promise<Ingested> =>
  ingest([{ path: "x", content: randomBytes(300_000) }], { stores });

test("an import loses nothing that it acknowledged, and leaves no more than the collector finds", async (t) => {
  const consortium = await Consortium.open(t);
  const { stores, folder } = consortium;
  const known = new Map<string, { key: Uint8Array; reference: Uint8Array; head: Uint8Array }>();
  let orphans = 0;
  const importing = async (killAt: string): Promise<boolean> => {
    const ended = await run("import", stores, killAt);
    for (const line of ended.said) {
      const [id, key, reference, head] = line.split(" ");
      known.set(id!, { key: fromHex(key!), reference: fromHex(reference!), head: fromHex(head!) });
    }
    const found = await collect(stores, new Set(known.keys()));
    assert.ok(found.length <= 1, `${found.length} orphans of one process`);
    orphans += found.length;
    await requireOnly(consortium, new Set(known.keys()));
    return ended.killed;
  };
  const killed = await killEverywhere("worker", importing);
  assert.ok(killed >= 8, `killed ${killed} times`);
  assert.equal(await killEverywhere("main", importing), 2, "whole, and killed before it said so");
  assert.ok(orphans >= 2, `${orphans} orphans`);
  t.diagnostic(`killed ${killed} times, ${orphans} orphans collected, ${known.size} acknowledged`);
  for (const [id, { key, reference, head }] of known) {
    await retrieve(decodeReference(reference), fromHex(id), key, stores, join(folder, id));
    assert.ok(equal((await contentBelow(join(folder, id))).get("x")!.subarray(0, 16), head));
  }
});

test("a repair that is killed leaves the object as readable as it was, and the next one finishes", async (t) => {
  const consortium = await Consortium.open(t);
  const { stores, folder } = consortium;
  const object = await archive(stores);
  const { objectId, reference, key } = object;
  const known = new Set([toHex(objectId)]);
  let runs = 0;
  const killed = await killEverywhere("worker", async (killAt) => {
    await rm(consortium.objectFolder(stores[2]!, objectId), { recursive: true });
    await rm(join(consortium.objectFolder(stores[5]!, objectId), "table"));
    for (const store of [stores[7]!, stores[9]!]) await flipBit((await consortium.pack(store, objectId)).path, 99);
    const ended = await run("repair", stores, killAt, ...referenceOf(object));
    if (!ended.killed) assert.deepEqual(ended.said, ["intact"]);
    assert.deepEqual(await collect(stores, known), []);
    const out = join(folder, `out-${runs++}`);
    await retrieve(reference, objectId, key, stores, out);
    assert.equal((await repair(reference, objectId, stores)).after.intact, true);
    await requireOnly(consortium, known);
    return ended.killed;
  });
  assert.ok(killed >= 6, `killed ${killed} times`);
  t.diagnostic(`killed ${killed} times`);
});

test("a destruction that is killed is finished by the next, and never touches another object", async (t) => {
  const consortium = await Consortium.open(t);
  const { stores } = consortium;
  const neighbour = await archive(stores);
  const known = new Set([toHex(neighbour.objectId)]);
  let halfway = 0;
  const killed = await killEverywhere("main", async (killAt) => {
    const object = await archive(stores);
    const { objectId, reference } = object;
    const ended = await run("destroy", stores, killAt, ...referenceOf(object)); // the chain says by now that it has ended
    const left = (await Promise.all(stores.map((store) => store.has(objectId)))).filter(Boolean).length;
    if (left > 0 && left < stores.length) halfway++;
    if (ended.said.length > 0) assert.equal(left, 0, "what was acknowledged is gone");
    const { probe } = await destroyObject(reference, objectId, stores);
    assert.deepEqual([probe.packs, isUndecodable(probe)], [0, true]);
    assert.deepEqual(await collect(stores, known), []);
    await requireOnly(consortium, known);
    return ended.killed;
  });
  assert.ok(killed >= 4, `killed ${killed} times`);
  t.diagnostic(`killed ${killed} times, ${halfway} half-way`);
  assert.equal((await auditPossession(neighbour.reference, neighbour.objectId, stores)).intact, true);
});

test("of two processes that write one object id at most one wins, whole, and the other is refused", async (t) => {
  const consortium = await Consortium.open(t);
  const { stores } = consortium;
  const outcomes: string[] = [];
  for (let round = 0; round < 4; round++) {
    const objectId = new Uint8Array(randomBytes(16));
    const both = await Promise.all([0, 1].map(() => run("write", stores, "none:0", toHex(objectId), toHex(objectId))));
    const said = both.map(({ said: [line = ""] }) => line);
    const won = said.filter((line) => /^[0-9a-f]{64}$/.test(line));
    outcomes.push(said.map((line) => (line.length === 64 ? "won" : line)).join(" "));
    assert.ok(won.length <= 1, outcomes.at(-1));
    for (const line of said) assert.match(line, /^([0-9a-f]{64}|object_exists|.*an object id is used once)$/);
    const held = (await Promise.all(stores.map((store) => store.has(objectId)))).filter(Boolean).length;
    assert.equal(held, won.length === 1 ? stores.length : 0, outcomes.at(-1));
    assert.deepEqual(
      (await consortium.files()).filter((path) => path.includes("incoming")),
      [],
    );
  }
  t.diagnostic(outcomes.join("; "));
});
