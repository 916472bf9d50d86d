/** A store that leaves: its packs move, everything stays readable, and a move that was cut off is finished by the next. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { auditPossession } from "../src/audit.ts";
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
