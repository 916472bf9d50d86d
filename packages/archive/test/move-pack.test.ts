/** A store that leaves: its packs move, everything stays readable, and a move that was cut off is finished by the next. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { auditPossession, repair } from "../src/audit.ts";
import { ingest } from "../src/ingest.ts";
import { movePack } from "../src/move-pack.ts";
import { retrieve } from "../src/retrieve.ts";
import { DirectoryStore } from "../src/store/directory.ts";
import type { Store } from "../src/store/store.ts";
import { closeWorkers } from "../src/work/pool.ts";
import { Consortium, FOURTEEN, fault } from "./support/consortium.ts";

test.after(closeWorkers);

test("what a store held moves to another, again after it was cut off, and the object is as before", async (t) => {
  const consortium = await Consortium.open(t, [...FOURTEEN, "g", "h"]);
  const { stores } = consortium;
  const content = randomBytes(3_000_000);
  const first = stores.slice(0, 14);
  const { reference, objectId, key } = await ingest([{ path: "x", content }], { stores: first });
  const leaving = stores[0]!;

  class Stuck extends DirectoryStore {
    override remove(): Promise<void> {
      return Promise.reject(new Error("cut off"));
    }
  }
  const around = { readable: stores, writable: stores.slice(1) };
  await assert.rejects(movePack(objectId, new Stuck(leaving.description), around), /cut off/);
  assert.equal(await leaving.has(objectId), true);
  const moved = await movePack(objectId, leaving, around);
  assert.equal(await leaving.has(objectId), false);
  const to = consortium.store(moved.to!);
  assert.ok(stores.slice(14).includes(to), "onto a store that had none of it");
  assert.deepEqual(await movePack(objectId, leaving, around), { to: undefined, wrongPieces: 0 });

  const report = await auditPossession(reference, objectId, stores);
  assert.equal(report.intact, true);
  const rest: Store[] = stores.filter((store) => store !== leaving && store !== stores[5] && store !== stores[6]);
  await retrieve(reference, objectId, key, rest, join(consortium.folder, "out"));
  assert.deepEqual(await readFile(join(consortium.folder, "out", "x")), content);
  const nowhere = { readable: first, writable: stores.slice(2, 14) };
  await assert.rejects(movePack(objectId, stores[1]!, nowhere), fault("stores_too_few"));
  assert.equal(await stores[1]!.has(objectId), true);
});

test("a pack moves to a store with room, where its facts allow it; a store that takes nothing new is passed over, by repairs as well", async (t) => {
  const consortium = await Consortium.open(t, [..."abcdef", "g", "h", "i"]);
  const { stores } = consortium;
  const code = { k: 4, m: 2 };
  const content = randomBytes(3_000_000);
  const { reference, objectId } = await ingest([{ path: "x", content }], { stores: stores.slice(0, 6), code });
  // g is full, h takes nothing new: only i is left.
  const full = new DirectoryStore({ ...stores[6]!.description, quotaBytes: 1_000 });
  const around = { readable: [...stores.slice(0, 6), full, ...stores.slice(7)], facts: { "h-7": { freeBytes: 0 } } };
  const moved = await movePack(objectId, stores[0]!, { ...around, writable: around.readable.slice(1) });
  assert.equal(moved.to, "i-8");
  const none = movePack(objectId, stores[1]!, { ...around, writable: [full, stores[7]!] });
  await assert.rejects(none, fault("stores_too_few"));

  const left = around.readable.filter((store) => store !== stores[0] && store !== stores[2]);
  const repaired = await repair(reference, objectId, left, { relocate: true, facts: around.facts });
  assert.equal(repaired.after.intact, false, "nowhere to go");
  const without = await repair(reference, objectId, left, { relocate: true });
  assert.deepEqual([without.after.intact, without.repaired.map(({ store }) => store)], [true, ["h-7"]]);
});
