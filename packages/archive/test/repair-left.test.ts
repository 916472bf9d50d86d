/** A store that cannot be written to during a repair is left and named; the others are repaired. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { repair } from "../src/audit.ts";
import { ingest } from "../src/ingest.ts";
import { DirectoryStore } from "../src/store/directory.ts";
import { openStores } from "../src/store/open.ts";
import { closeWorkers } from "../src/work/pool.ts";
import { Consortium, temporaryFolder } from "./support/consortium.ts";
import { whyNoTmpfs } from "./support/tmpfs.ts";

after(closeWorkers);

const content = randomBytes(2_500_000);
const code = { k: 4, m: 2 };

test("a store that takes nothing is left, whatever is wrong with it", async (t) => {
  const consortium = await Consortium.open(t, [..."abcdef"]);
  const { stores } = consortium;
  const { reference, objectId } = await ingest([{ path: "x", content }], { stores, code });
  const [broken, mended] = stores as [DirectoryStore, DirectoryStore];
  for (const store of [broken, mended]) await store.remove(objectId);
  const incoming = join(broken.description.path, "incoming");
  await rm(incoming, { recursive: true });
  await writeFile(incoming, "a file where a folder was");

  const { repaired, left, after } = await repair(reference, objectId, stores);
  assert.deepEqual(left, [{ store: broken.id, code: "store_absent" }]);
  assert.deepEqual(
    repaired.map(({ store }) => store),
    [mended.id],
  );
  assert.deepEqual(
    after.stores.filter(({ pack }) => pack !== "held").map(({ store }) => store),
    [broken.id],
  );
  await rm(incoming);
  await mkdir(incoming);
  assert.equal((await repair(reference, objectId, stores)).after.intact, true);
});

test("a store without room is left with nothing of the repair on it", { skip: whyNoTmpfs() }, async (t) => {
  const consortium = await Consortium.open(t, [..."bcdef"]);
  const folder = await temporaryFolder(t);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", folder]);
  try {
    await openStores([{ kind: "directory", id: "small", member: "z", path: folder }], { create: true });
    const small = new DirectoryStore({ kind: "directory", id: "small", member: "z", path: folder });
    const stores = [small, ...consortium.stores];
    const { reference, objectId } = await ingest([{ path: "x", content }], { stores, code });
    for (const store of stores.slice(0, 2)) await store.remove(objectId);
    await writeFile(join(folder, "hog"), randomBytes(8_000_000)).catch(() => undefined); // it takes what there is
    const { left, after } = await repair(reference, objectId, stores);
    assert.deepEqual(left, [{ store: "small", code: "disk_full" }]);
    assert.equal(after.stores.filter(({ pack }) => pack === "held").length, 5);
    await rm(join(folder, "hog"));
    assert.equal((await repair(reference, objectId, stores)).after.intact, true);
  } finally {
    execFileSync("umount", [folder]);
  }
});
