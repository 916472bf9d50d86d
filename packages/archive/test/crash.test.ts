/** Imports whose process is killed: what was acknowledged is whole, of the rest nothing stays. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { equal, fromHex, toHex } from "@xinglin/primitives";
import { auditPossession } from "../src/audit.ts";
import { ingest } from "../src/ingest.ts";
import { decodeReference } from "../src/reference.ts";
import { retrieve } from "../src/retrieve.ts";
import type { DirectoryStore } from "../src/store/directory.ts";
import { collectStages, openStores, removeOrphans } from "../src/store/open.ts";
import { isStale, stageOwner } from "../src/store/owner.ts";
import type { Store } from "../src/store/store.ts";
import { closeWorkers } from "../src/work/pool.ts";
import { Consortium, contentBelow } from "./support/consortium.ts";

after(closeWorkers);

const child = fileURLToPath(new URL("./support/importing-child.ts", import.meta.url));

/** Runs the child until `objects` are acknowledged, then kills it `delayMs` later, and returns what it acknowledged. */
async function killWhileImporting(stores: readonly Store[], objects: number, delayMs: number): Promise<string[]> {
  const process_ = spawn(process.execPath, [child, JSON.stringify(stores.map((store) => store.description))], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  process_.stdout.setEncoding("utf8").on("data", (part: string) => {
    const reached = text.split("\n").length <= objects;
    text += part;
    if (reached && text.split("\n").length > objects) setTimeout(() => process_.kill("SIGKILL"), delayMs);
  });
  const signal = await new Promise((resolve) => process_.on("close", (_, by) => resolve(by)));
  assert.equal(signal, "SIGKILL");
  return text.split("\n").slice(0, -1);
}

test("kill -9 at any instant loses nothing acknowledged and leaves no orphan", async (t) => {
  const consortium = await Consortium.open(t);
  const { stores, folder } = consortium;
  const acknowledged = new Map<string, { key: Uint8Array; reference: Uint8Array; head: Uint8Array }>();
  let interrupted = 0;
  for (const delayMs of [0, 3, 8, 15, 25, 40, 60, 120, 240, 480]) {
    if (delayMs > 60 && interrupted > 0) break; // longer only where the machine is so busy that nothing began in time
    for (const line of await killWhileImporting(stores, 1 + (delayMs % 3), delayMs)) {
      const [objectId, key, reference, head] = line.split(" ").map(fromHex);
      acknowledged.set(toHex(objectId!), { key: key!, reference: reference!, head: head! });
    }
    const left = (await consortium.files()).filter((path) => path.includes("incoming")).length;
    if (left > 0) interrupted++;
    await openStores(stores.map((store) => store.description));
    assert.deepEqual(
      (await consortium.files()).filter((path) => path.includes("incoming")),
      [],
    );
    // An import that was whole, but killed before anyone heard of it, can only be told by what the caller keeps.
    const orphans = await removeOrphans(stores, (id) => acknowledged.has(id));
    assert.ok(orphans.length <= 1, `${orphans.length} orphans of one process`);
  }
  assert.ok(interrupted > 0, "no import was caught half-way");
  for (const store of stores) assert.deepEqual((await store.list()).sort(), [...acknowledged.keys()].sort());
  for (const [id, { key, reference, head }] of acknowledged) {
    const objectId = fromHex(id);
    const decoded = decodeReference(reference);
    assert.equal((await auditPossession(decoded, objectId, stores)).intact, true);
    await retrieve(decoded, objectId, key, stores, join(folder, id));
    assert.ok(equal((await contentBelow(join(folder, id))).get("x")!.subarray(0, 16), head));
  }
});

test("an import that died while publishing is rolled back on the stores that had it", async (t) => {
  const consortium = await Consortium.open(t);
  const { stores } = consortium;
  const kept = await ingest([{ path: "x", content: new Uint8Array(100) }], { stores });
  const died = await ingest([{ path: "x", content: new Uint8Array(100) }], { stores });
  const deadOwner = stageOwner.replace(/-\d+-/, "-4194305-"); // beyond the largest process id
  const stage = (store: DirectoryStore, objectId: Uint8Array, purpose: string, owner: string): Promise<string | undefined> =>
    mkdir(join(store.description.path, "incoming", `${toHex(objectId)}.${purpose}.${owner}`), { recursive: true });
  await stage(stores[3]!, died.objectId, "import", deadOwner);
  await stage(stores[5]!, kept.objectId, "repair", deadOwner);
  await stage(stores[6]!, kept.objectId, "import", stageOwner); // at work in this process
  await writeFile(join(stores[0]!.description.path, "incoming", "note"), "not ours");

  assert.deepEqual(await collectStages(stores), [toHex(died.objectId)]);
  for (const store of stores) assert.deepEqual(await store.list(), [toHex(kept.objectId)]);
  assert.deepEqual(await readdir(join(stores[5]!.description.path, "incoming")), []);
  assert.equal((await readdir(join(stores[6]!.description.path, "incoming"))).length, 1);
  assert.deepEqual(await readdir(join(stores[0]!.description.path, "incoming")), ["note"]);
  assert.equal((await auditPossession(kept.reference, kept.objectId, stores)).intact, true);
});

test("a stage is stale when its writer is gone, or out of sight for a day", () => {
  const [host, , token] = stageOwner.split("-");
  const now = Date.now();
  const day = 86_400_000;
  assert.equal(isStale(stageOwner, now - 2 * day), false, "ours");
  assert.equal(isStale(`${host}-${process.pid}-00000000`, now), true, "our process id, an earlier life");
  assert.equal(isStale(`${host}-4194305-${token}`, now), true, "a process that is gone");
  assert.equal(isStale(`${host}-${process.ppid}-00000000`, now), false, "a process that lives");
  assert.equal(isStale(`${host}-${process.ppid}-00000000`, now - 2 * day), true, "a process id that another took over");
  assert.equal(isStale(`ffffffff-1-${token}`, now), false, "another machine, lately");
  assert.equal(isStale(`ffffffff-1-${token}`, now - 2 * day), true, "another machine, long ago");
});
