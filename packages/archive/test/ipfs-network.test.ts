/** The archive over fourteen IPFS nodes of one private network: a round of everything with four of them killed, and exchange between two. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { IpfsNode } from "@xinglin/engines";
import { auditPossession, repair } from "../src/audit.ts";
import { ingest } from "../src/ingest.ts";
import { retrieve } from "../src/retrieve.ts";
import type { IpfsDescription } from "../src/store/description.ts";
import { IpfsStore } from "../src/store/ipfs.ts";
import { openStores } from "../src/store/open.ts";
import { stageOwner } from "../src/store/owner.ts";
import { closeWorkers } from "../src/work/pool.ts";
import { contentBelow, fault, flipBit } from "./support/consortium.ts";
import { findNode, IpfsNodes } from "./support/ipfs-nodes.ts";

const found = await findNode();
const skip = "missing" in found ? found.missing : false;
const NODES = 14;
const names = Array.from({ length: NODES }, (_, i) => `node-${i}`);
const GONE = names.slice(3, 7);

describe("fourteen IPFS nodes", { skip }, () => {
  let nodes: IpfsNodes;
  const running = new Map<string, IpfsNode>();
  before(async () => {
    nodes = await IpfsNodes.open((found as { path: string }).path);
    await Promise.all(names.map(async (name) => running.set(name, await nodes.start(name))));
  });
  after(async () => {
    await closeWorkers();
    await nodes.end();
  });
  const describing = (name: string): IpfsDescription => ({
    kind: "ipfs",
    id: name,
    member: `m-${name}`,
    api: running.get(name)!.api,
  });

  test("an object is imported, read with four nodes killed, audited and repaired", async () => {
    const stores = await openStores(names.map(describing), { create: true });
    const content = randomBytes(6_000_000); // three stripes
    const { reference, objectId, key } = await ingest([{ path: "a/b", content }], { stores });
    assert.ok((await auditPossession(reference, objectId, stores)).intact);

    for (const name of GONE) await nodes.kill(name);
    const out = join(nodes.folder, "out");
    const { troubles } = await retrieve(reference, objectId, key, stores, out);
    assert.deepEqual(await contentBelow(out), new Map([["a/b", content]]));
    const absent = troubles.filter(({ kind }) => kind === "absent"); // on a busy machine another may be slow
    assert.deepEqual(absent.map(({ store }) => store).sort(), [...GONE].sort());
    const fifth = running.get(names[13]!)!;
    await nodes.kill(names[13]!);
    await assert.rejects(retrieve(reference, objectId, key, stores, join(nodes.folder, "none")), fault("archive_unrecoverable"));

    // Two come back as they were, two with an empty disk; on a third a bit flipped meanwhile.
    const at = (api: string): string => `127.0.0.1:${new URL(api).port}`;
    for (const name of GONE.slice(2)) await rm(nodes.folderOf(name), { recursive: true });
    for (const name of GONE) await nodes.start(name, { api: at(running.get(name)!.api) });
    await nodes.start(names[13]!, { api: at(fifth.api) });
    await flipBit(await largestBlock(nodes.folderOf(names[0]!)), 1_000);
    for (const name of GONE.slice(2)) await new IpfsStore(describing(name)).create();
    const { before: seen, after: left, repaired } = await repair(reference, objectId, stores);
    assert.equal(seen.intact, false);
    assert.equal(left.intact, true);
    const expected = [names[0]!, ...GONE.slice(2)].sort();
    assert.deepEqual(repaired.map(({ store }) => store).sort(), expected);
    assert.ok((await auditPossession(reference, objectId, stores)).intact);

    for (const store of stores) await store.remove(objectId);
    assert.deepEqual((await Promise.all(stores.map((store) => store.list()))).flat(), []);
  });

  test("pieces of the national profile have their SHA-256 in their names and their SM3 in the tree", async () => {
    const stores = await openStores(names.map(describing), { create: true });
    const content = randomBytes(3_000_000);
    const { reference, objectId, key } = await ingest([{ path: "x", content }], { stores, profile: "national" });
    for (const name of GONE) await nodes.kill(name);
    const out = join(nodes.folder, "national");
    await retrieve(reference, objectId, key, stores, out);
    assert.deepEqual(await contentBelow(out), new Map([["x", content]]));
    for (const name of GONE) await nodes.start(name, { api: `127.0.0.1:${new URL(running.get(name)!.api).port}` });
    await flipBit(await largestBlock(nodes.folderOf(names[0]!)), 1_000);
    const { before: seen, after: left, repaired } = await repair(reference, objectId, stores);
    assert.deepEqual([seen.intact, left.intact, repaired.map(({ store }) => store)], [false, true, [names[0]]]);
    for (const store of stores) await store.remove(objectId);
  });

  test("a piece that a node has lost comes from a peer, where that is asked for", async () => {
    const [one, other] = [running.get(names[0]!)!, running.get(names[1]!)!];
    const peer = await fetch(`${one.api}/api/v0/swarm/connect?${new URLSearchParams({ arg: other.addresses[0]! })}`, {
      method: "POST",
    });
    assert.equal(peer.status, 200);
    const piece = randomBytes(262_160);
    const objectId = randomBytes(16);
    for (const [name, id] of [
      [names[0]!, "lender"],
      [names[1]!, "second"],
    ] as const) {
      const store = new IpfsStore({ ...describing(name), id });
      await store.create();
      const pack = await store.stage(objectId, 0, "import", stageOwner);
      await pack.write(0, piece);
      await pack.settle();
      await pack.publish();
    }
    await rm(await largestBlock(nodes.folderOf(names[0]!)));
    const read = async (more: Partial<IpfsDescription>): Promise<boolean> => {
      const pack = await new IpfsStore({ ...describing(names[0]!), id: "lender", ...more }).open(objectId);
      const into = new Uint8Array(piece.length);
      return (await pack!.read(0, into)) && piece.equals(into);
    };
    assert.equal(await read({}), false, "a store shows what it holds itself");
    assert.equal(await read({ exchangeMs: 20_000 }), true);
    assert.equal(await read({}), true, "and then it holds it again");
  });

  test("a node with another key of the network is no peer", async () => {
    const stranger = await nodes.start("stranger", { swarmKeyFile: join(nodes.folder, "other.key") });
    const call = (node: IpfsNode, name: string): Promise<Response> => fetch(`${node.api}/api/v0/${name}`, { method: "POST" });
    const one = running.get(names[0]!)!;
    const arg = encodeURIComponent(one.addresses[0]!);
    assert.equal((await call(stranger, `swarm/connect?arg=${arg}&timeout=1s`)).status, 500);
    assert.deepEqual(await (await call(stranger, "swarm/peers")).json(), { Peers: [] });
    assert.ok(!(await (await call(one, "swarm/peers")).text()).includes(stranger.id));
  });
});

/** The block on a node's disk that holds a piece. */
async function largestBlock(folder: string): Promise<string> {
  const blocks = join(folder, "blocks");
  const files = (await readdir(blocks, { recursive: true, withFileTypes: true })).filter((entry) => entry.name.endsWith(".data"));
  const sized = await Promise.all(
    files.map(async ({ parentPath, name }) => ({
      path: join(parentPath, name),
      size: (await stat(join(parentPath, name))).size,
    })),
  );
  return sized.sort((a, b) => b.size - a.size)[0]!.path;
}
