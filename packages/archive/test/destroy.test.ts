/** Objects that are dropped for good: from every store that can be reached, again once the others are back, and nothing else. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { cp, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { toHex } from "@xinglin/primitives";
import { auditPossession } from "../src/audit.ts";
import { destroyObject, isUndecodable, probeObject } from "../src/destroy.ts";
import { ingest } from "../src/ingest.ts";
import { packRecords } from "../src/packs/pack-records.ts";
import { retrieveRecord } from "../src/packs/read-record.ts";
import { retrieve } from "../src/retrieve.ts";
import { stageOwner } from "../src/store/owner.ts";
import type { Store } from "../src/store/store.ts";
import { closeWorkers } from "../src/work/pool.ts";
import { Consortium, fault, temporaryFolder } from "./support/consortium.ts";
import { Lender } from "./support/lender.ts";

after(closeWorkers);

const content = randomBytes(300_000);
const archive = (stores: readonly Store[]) => ingest([{ path: "x", content }], { stores });

test("an object is dropped from all stores, and nobody can put it together", async (t) => {
  const consortium = await Consortium.open(t);
  const { stores, folder } = consortium;
  const [ended, other] = [await archive(stores), await archive(stores)];
  assert.deepEqual(await probeObject(ended.reference, ended.objectId, stores), { packs: 14, unseen: 0, needed: 10 });
  // A stage of the object, as a repair under way leaves it, goes too: it would publish what was dropped.
  const stage = await stores[0]!.stage(ended.objectId, 0, "repair", stageOwner);
  await stage.write(0, randomBytes(10));

  const { stores: done, probe, objectId } = await destroyObject(ended.reference, ended.objectId, stores);
  assert.equal(objectId, ended.objectId);
  assert.deepEqual(
    done,
    stores.map(({ id, member }) => ({ store: id, member, outcome: "dropped" })),
  );
  assert.deepEqual(probe, { packs: 0, unseen: 0, needed: 10 });
  assert.equal(isUndecodable(probe), true);
  const { reference, key } = ended;
  await assert.rejects(auditPossession(reference, objectId, stores), fault("archive_unrecoverable"));
  await assert.rejects(retrieve(reference, objectId, key, stores, join(folder, "out")), fault("archive_unrecoverable"));
  assert.deepEqual(
    (await consortium.files()).filter((path) => path.includes(toHex(objectId))),
    [],
  );
  await assert.rejects(stage.settle().then(() => stage.publish()));
  assert.deepEqual(await stores[0]!.list(), [toHex(other.objectId)]);
  assert.equal((await auditPossession(other.reference, other.objectId, stores)).intact, true, "its neighbour is whole");

  const again = await destroyObject(reference, objectId, stores);
  assert.deepEqual(new Set(again.stores.map(({ outcome }) => outcome)), new Set(["held_nothing"]));
});

test("stores that are away are named, and dropped once they are back", async (t) => {
  const consortium = await Consortium.open(t);
  const { stores } = consortium;
  const { reference, objectId } = await archive(stores);
  const comeBack = await consortium.loseStores(stores.slice(0, 10));
  const first = await destroyObject(reference, objectId, stores);
  assert.deepEqual(
    first.stores.map(({ outcome, code }) => `${outcome} ${code ?? ""}`),
    stores.map((_, i) => (i < 10 ? "not_reached store_absent" : "dropped ")),
  );
  assert.deepEqual(first.probe, { packs: 0, unseen: 10, needed: 10 });
  assert.equal(isUndecodable(first.probe), false, "ten that nobody saw could still hold ten packs");
  await comeBack();
  assert.deepEqual(await probeObject(reference, objectId, stores), { packs: 10, unseen: 0, needed: 10 });
  const second = await destroyObject(reference, objectId, stores);
  assert.deepEqual(
    second.stores.filter(({ outcome }) => outcome === "dropped").map(({ store }) => store),
    stores.slice(0, 10).map(({ id }) => id),
  );
  assert.equal(isUndecodable(second.probe), true);
  assert.deepEqual(await consortium.files(), []);
});

test("nine stores that are away are too few to put it together", async (t) => {
  const consortium = await Consortium.open(t);
  const { stores } = consortium;
  const { reference, objectId } = await archive(stores);
  const comeBack = await consortium.loseStores(stores.slice(0, 9));
  assert.equal(isUndecodable((await destroyObject(reference, objectId, stores)).probe), true);
  await comeBack();
  await assert.rejects(
    auditPossession(reference, objectId, stores).then(({ fewestHeld }) => {
      throw Object.assign(new Error(`${fewestHeld}`), { code: "counted", facts: { fewestHeld } });
    }),
    fault("counted", { fewestHeld: 9 }),
  );
});

test("what something still refers to is refused before anything is touched: a pack keeps its neighbours", async (t) => {
  const consortium = await Consortium.open(t);
  const { stores } = consortium;
  const { value: pack } = await packRecords([content.subarray(0, 100), content.subarray(100, 300)], { stores }).next();
  const { objectId, reference, records } = pack!;
  const inForce = new Set([0, 1]);
  const isReferred = (object: string): boolean => object === toHex(objectId) && inForce.size > 0;
  inForce.delete(0); // the first record's term is over; its key is gone, its neighbour's is not
  const before = await consortium.files();
  await assert.rejects(
    destroyObject(reference, objectId, stores, { isReferred }),
    fault("object_referred", { object: toHex(objectId) }),
  );
  assert.deepEqual(await consortium.files(), before);
  const kept = records[1]!;
  assert.deepEqual(
    Buffer.from((await retrieveRecord({ reference, packId: objectId, slice: kept.slice }, kept.key, stores)).content),
    content.subarray(100, 300),
  );
  inForce.delete(1);
  assert.equal(isUndecodable((await destroyObject(reference, objectId, stores, { isReferred })).probe), true);
});

test("a removal that was cut off half-way is finished by the next", async (t) => {
  const consortium = await Consortium.open(t);
  const { stores } = consortium;
  const { reference, objectId } = await archive(stores);
  for (const [i, store] of stores.entries()) {
    const folder = consortium.objectFolder(store, objectId);
    const names = await readdir(folder);
    for (const name of names.slice(0, i % (names.length + 1))) await rm(join(folder, name));
  }
  const { stores: done, probe } = await destroyObject(reference, objectId, stores);
  assert.deepEqual(new Set(done.map(({ outcome }) => outcome)), new Set(["dropped"]));
  assert.equal(isUndecodable(probe), true);
  for (const store of stores) assert.deepEqual(await store.list(), []);
});

test("over the members' nodes: only the owner drops, and a node that is down is named", async (t) => {
  const folder = await temporaryFolder(t);
  const consortium = await Consortium.open(t, ["a", "a", "a", "b", "b", "b", "c", "c", "c", "d", "d", "e"]);
  const lender = await Lender.open(folder, { count: 2 });
  let { service } = lender;
  t.after(() => service.close());
  const far = (guest: string): Promise<Store[]> => Promise.all([0, 1].map((i) => lender.store(guest, i)));
  const { reference, objectId } = await archive([...consortium.stores, ...(await far("owner"))]);

  const stranger = await destroyObject(reference, objectId, await far("stranger"));
  assert.deepEqual(
    stranger.stores.map(({ outcome, code }) => [outcome, code]),
    [
      ["not_reached", "store_forbidden"],
      ["not_reached", "store_forbidden"],
    ],
  );
  assert.equal(stranger.probe.packs, 2);

  // The node is down, and its folder is put back from a copy made before: the owner asks again.
  const copy = join(folder, "copy");
  await mkdir(copy);
  for (const { id, description } of lender.inner) await cp(description.path, join(copy, id), { recursive: true });
  const { port } = service;
  const stores = [...consortium.stores, ...(await far("owner"))];
  await service.close();
  const down = await destroyObject(reference, objectId, stores);
  assert.deepEqual(
    down.stores.slice(12).map(({ outcome, code }) => [outcome, code]),
    [
      ["not_reached", "store_absent"],
      ["not_reached", "store_absent"],
    ],
  );
  assert.deepEqual(down.probe, { packs: 0, unseen: 2, needed: 10 });
  const again = await Lender.open(folder, { count: 2, port });
  service = again.service;
  assert.deepEqual(
    (await destroyObject(reference, objectId, stores)).stores.slice(12).map(({ outcome }) => outcome),
    ["dropped", "dropped"],
  );
  for (const { id, description } of lender.inner) await cp(join(copy, id), description.path, { recursive: true });
  // Nothing tells whose the restored packs are, except the chain.
  const { root, manifest } = reference;
  again.anchors.set(toHex(objectId), { member: "owner", root, manifest });
  const last = await destroyObject(reference, objectId, stores);
  assert.deepEqual(
    last.stores.slice(12).map(({ outcome }) => outcome),
    ["dropped", "dropped"],
  );
  for (const store of lender.inner) assert.deepEqual(await store.list(), []);
});
