/** The store in a folder: the contract, its quota, and what it refuses. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { describeStore } from "../../src/store/contract.ts";
import { DirectoryStore } from "../../src/store/directory.ts";
import { openStore, openStores } from "../../src/store/open.ts";
import { stageOwner } from "../../src/store/owner.ts";
import { fault, temporaryFolder } from "../support/consortium.ts";

describeStore("directory", async () => {
  const folder = await mkdtemp(join(tmpdir(), "xinglin-store-"));
  const description = { kind: "directory", id: "one", member: "a", path: join(folder, "store") } as const;
  const store = new DirectoryStore(description);
  await store.create();
  return {
    store,
    reopen: () => new DirectoryStore(description),
    vanish: () => rename(description.path, `${description.path}.gone`),
    dispose: () => rm(folder, { recursive: true, force: true }),
  };
});

test("a quota bounds what is written, whatever room the disk has", async (t) => {
  const path = join(await temporaryFolder(t), "store");
  const store = new DirectoryStore({ kind: "directory", id: "one", member: "a", path, quotaBytes: 1000 });
  await store.create();
  assert.equal((await store.room()).freeBytes, 1000);
  const pack = await store.stage(randomBytes(16), 0, "import", stageOwner);
  await pack.write(0, randomBytes(600));
  assert.equal((await store.room()).freeBytes, 400);
  await pack.writeDocument("table", randomBytes(400));
  await assert.rejects(pack.write(600, randomBytes(1)), fault("disk_full", { store: "one" }));
  await pack.discard();
  assert.equal((await store.room()).freeBytes, 1000);
});

test("an empty mount point is no store, and stays empty", async (t) => {
  const path = join(await temporaryFolder(t), "mount");
  const store = new DirectoryStore({ kind: "directory", id: "one", member: "a", path });
  await store.create();
  const objectId = randomBytes(16);
  const pack = await store.stage(objectId, 0, "import", stageOwner);
  await pack.write(0, randomBytes(10));
  await pack.settle();
  await pack.publish();
  await rename(path, `${path}-elsewhere`); // unmounted
  await mkdir(path);
  assert.equal(await store.isPresent(), false);
  for (const refused of [
    () => store.list(),
    () => store.room(),
    () => store.open(objectId),
    () => store.has(objectId),
    () => store.remove(objectId),
    () => store.collect(),
    () => store.stage(randomBytes(16), 0, "import", stageOwner),
  ])
    await assert.rejects(refused, fault("store_unclaimed", { store: "one" }));
  assert.deepEqual(await readdir(path), []);
  await rm(path, { recursive: true });
  await rename(`${path}-elsewhere`, path);
  assert.equal(await store.has(objectId), true);
});

test("another store's disk under the mount point is not taken for one's own", async (t) => {
  const folder = await temporaryFolder(t);
  const [one, two] = ["one", "two"].map(
    (id) => new DirectoryStore({ kind: "directory", id, member: "a", path: join(folder, id) }),
  );
  for (const store of [one, two]) await store!.create();
  await rename(join(folder, "one"), join(folder, "swapped"));
  await rename(join(folder, "two"), join(folder, "one"));
  await rename(join(folder, "swapped"), join(folder, "two"));
  for (const store of [one, two]) {
    assert.equal(await store!.isPresent(), false);
    await assert.rejects(store!.remove(randomBytes(16)), fault("store_unclaimed"));
    await assert.rejects(store!.create(), fault("store_taken"));
  }
});

test("a folder that cannot be written is named by its store", async (t) => {
  const path = join(await temporaryFolder(t), "store");
  await writeFile(path, "a file, not a folder");
  const store = new DirectoryStore({ kind: "directory", id: "one", member: "a", path });
  await assert.rejects(store.create(), fault("store_not_a_folder", { store: "one" }));
  const below = new DirectoryStore({ kind: "directory", id: "one", member: "a", path: join(path, "below", "it") });
  await assert.rejects(below.create(), fault("store_not_a_folder", { store: "one" }));
  assert.equal(await store.isPresent(), false);
  await assert.rejects(store.list(), fault("store_absent", { store: "one" }));
});

test("a folder that can be made nowhere is said so at once", { skip: process.platform !== "linux" }, async () => {
  const store = new DirectoryStore({ kind: "directory", id: "one", member: "a", path: "/proc/xinglin/store" });
  await assert.rejects(store.create(), fault("store_absent", { store: "one" }));
});

test("opening stores makes none unless told, and refuses two of one name", async (t) => {
  const folder = await temporaryFolder(t);
  const one = { kind: "directory", id: "one", member: "a", path: join(folder, "one") } as const;
  const [store] = await openStores([one]);
  assert.deepEqual([await store!.isPresent(), await readdir(folder)], [false, []]);
  await openStores([one], { create: true });
  assert.equal(await store!.isPresent(), true);
  await assert.rejects(openStores([one, { ...one, path: join(folder, "two") }]), fault("store_duplicate", { store: "one" }));
  assert.throws(() => openStore({ ...one, id: "../one" }), fault("malformed"));
  assert.throws(() => openStore({ ...one, kind: undefined } as never), fault("malformed"));
  assert.deepEqual(openStore(one).site, { building: "a", city: "a", power: "a" });
  const { site } = openStore({ ...one, site: { building: "room-2" } });
  assert.deepEqual(site, { building: "room-2", city: "a", power: "a" });
});

test("a folder belongs to one store", async (t) => {
  const path = join(await temporaryFolder(t), "store");
  const one = new DirectoryStore({ kind: "directory", id: "one", member: "a", path });
  const two = new DirectoryStore({ kind: "directory", id: "two", member: "a", path });
  await one.create();
  await one.create();
  await assert.rejects(two.create(), fault("store_taken", { store: "two", holder: "a/one" }));
  await writeFile(join(path, "store"), "a/o"); // cut off by a crash
  await one.create();
  await assert.rejects(two.create(), fault("store_taken"));
});
