/** Processes that are killed while pixels are kept once: every version that is anchored reads, and nothing is left that nobody relies on. */
import assert from "node:assert/strict";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { fromHex, toHex } from "@xinglin/primitives";
import { decodeReference } from "../../src/reference.ts";
import { retrieve } from "../../src/retrieve.ts";
import { SharedRegistry } from "../../src/shared/registry.ts";
import { collectShared, releaseShared } from "../../src/shared/release-shared.ts";
import { openStores, removeOrphans } from "../../src/store/open.ts";
import { closeWorkers } from "../../src/work/pool.ts";
import { Consortium, contentBelow } from "../support/consortium.ts";
import { killEverywhere, runKilled } from "../support/killed-runs.ts";

after(closeWorkers);

test("killed anywhere in an import or an end, what is anchored reads and what nothing relies on goes", async (t) => {
  const consortium = await Consortium.open(t);
  const { stores, folder } = consortium;
  const chain = join(folder, "chain");
  await mkdir(chain);
  const descriptions = stores.map(({ description }) => description);
  const given = JSON.stringify(descriptions);
  const on = async (kind: string): Promise<string[]> =>
    (await readdir(chain)).filter((name) => name.startsWith(`${kind}-`)).map((name) => name.slice(kind.length + 1));
  const anchorOf = async (id: string): Promise<{ key: string; reference: string; keeps?: string }> =>
    JSON.parse(await readFile(join(chain, `version-${id}`), "utf8"));
  const ended = new Set<string>();
  let reads = 0;

  /** What a node's start does; then looks that stores, registry and chain agree. Returns the versions in force. */
  const startAgain = async (): Promise<string[]> => {
    await openStores(descriptions);
    const versions = await on("version");
    const registry = new SharedRegistry(join(folder, "shared.db"));
    try {
      const isAnchored = ({ objectId }: { objectId: Uint8Array }): boolean => versions.includes(toHex(objectId));
      await collectShared(registry, stores, { isAnchored, isRunning: () => false });
      // An end that was cut off is asked for again.
      await releaseShared(registry, [...ended].map(fromHex), stores, async () => true);
      assert.deepEqual([registry.begun(), registry.unused()], [[], []]);
      const kept = registry.objects().filter(({ state }) => state === "kept");
      const inForce = versions.filter((id) => !ended.has(id));
      const known = new Set([...inForce, ...kept.map(({ objectId }) => toHex(objectId))]);
      await removeOrphans(stores, (id) => known.has(id)); // versions: the journal's part
      for (const store of stores) assert.deepEqual((await store.list()).sort(), [...known].sort());
      const brought = new Set(await Promise.all(versions.map(async (id) => (await anchorOf(id)).keeps)));
      const dropped = await on("dropped");
      for (const { objectId } of kept)
        assert.ok(brought.has(toHex(objectId)) && !dropped.includes(toHex(objectId)), "kept on the chain");
      for (const id of inForce) {
        const { key, reference } = await anchorOf(id);
        const out = join(folder, `out-${reads++}`);
        await retrieve(decodeReference(fromHex(reference)), fromHex(id), fromHex(key), stores, out);
        assert.equal((await contentBelow(out)).size, 4);
      }
      return inForce;
    } finally {
      registry.close();
    }
  };

  let shared = 0;
  const share = async (killAt: string): Promise<boolean> => {
    const { killed } = await runKilled("./sharing-child.ts", killAt, "share", folder, given, `run ${shared++}`);
    // No more than two versions in force at a time: the first brought the pixels, the second relies on them.
    const [, ...more] = await startAgain();
    for (const id of more.slice(1)) ended.add(id);
    return killed;
  };
  const killed = (await killEverywhere("worker", share)) + (await killEverywhere("main", share));
  assert.ok(killed >= 8, `killed ${killed} times`);

  let left = 0;
  const release = async (killAt: string): Promise<boolean> => {
    for (const id of await startAgain()) ended.add(id);
    await startAgain();
    await runKilled("./sharing-child.ts", "none:0", "share", folder, given, `end ${shared++}`);
    const [version = ""] = await startAgain();
    ended.add(version);
    for (const store of stores) await store.remove(fromHex(version));
    const end = await runKilled("./sharing-child.ts", killAt, "release", folder, given, version);
    left += (await Promise.all(stores.map((store) => store.list()))).filter((list) => list.length > 0).length;
    assert.deepEqual(await startAgain(), []);
    assert.deepEqual(
      (await consortium.files()).filter((path) => path.includes("/objects/")),
      [],
    );
    return end.killed;
  };
  const cut = await killEverywhere("main", release);
  assert.ok(cut >= 3 && left > 0, `killed ${cut} times, ${left} stores left half-way`);
  t.diagnostic(`imports killed ${killed} times, ends ${cut} times, ${reads} reads`);
});
