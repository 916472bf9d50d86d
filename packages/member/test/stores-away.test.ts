/** Stores whose disk is not there: the node starts without them, makes none, and erases what ended meanwhile before guests see them again. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { issuePass, NodeStore, openStore } from "@xinglin/archive";
import { SOLO_ELECTION } from "@xinglin/contracts";
import { readKeyFile } from "@xinglin/gateway";
import { Fault, type MemberId, type UnixSeconds } from "@xinglin/primitives";
import type { NodeConfig } from "../src/config/node-config.ts";
import { cardOf, createMemberKeys } from "../src/member-card.ts";
import { administrationKey, custodianKey, memberValidatorKey } from "../src/member-folder.ts";
import { newGenesis } from "../src/new-genesis.ts";
import { type MemberNotice, openNode } from "../src/open-node.ts";
import { type StoreNotice, watchStores } from "../src/watch-stores.ts";

const folder = mkdtempSync(join(tmpdir(), "xn-"));
test.after(() => rmSync(folder, { recursive: true, force: true }));
const MEMBER = "hospital-a" as MemberId;
const storeAt = (name: string) =>
  ({ kind: "directory", id: `hospital-a-${name}`, member: MEMBER, path: join(folder, name) }) as const;
const isFault =
  (code: string) =>
  (error: unknown): boolean =>
    error instanceof Fault && error.code === code;

/** A disk is pulled: its mount point stays, empty. Returns what mounts it again. */
function unmount(path: string): () => void {
  renameSync(path, `${path}.disk`);
  mkdirSync(path);
  return () => {
    rmdirSync(path); // still empty
    renameSync(`${path}.disk`, path);
  };
}

async function soloNode(stores: NodeConfig["stores"]): Promise<NodeConfig> {
  const data = join(folder, "node");
  mkdirSync(data);
  createMemberKeys(data, MEMBER, { node: true });
  const card = await cardOf(data, { member: MEMBER, kind: "hospital", name: { zh: "第一医院", en: "First" } }, {});
  const genesis = newGenesis([card], {
    name: "xinglin",
    time: Math.floor(Date.now() / 1000) as UnixSeconds,
    validators: [{ member: MEMBER, publicKey: card.validator as Uint8Array }],
    election: SOLO_ELECTION,
    page: { domain: "localhost", origins: ["http://localhost:1"] },
  });
  writeFileSync(join(data, "genesis.cbor"), genesis);
  const anyPort = "127.0.0.1:0";
  return {
    type: "xinglin-node/1",
    member: MEMBER,
    genesis: join(data, "genesis.cbor"),
    data: join(data, "data"),
    chain: { driver: "solo", validatorKey: memberValidatorKey(data, MEMBER) },
    api: { listen: anyPort },
    custody: { key: custodianKey(data, MEMBER), listen: anyPort, threshold: 1 },
    stores,
    archive: { listen: anyPort, url: "http://127.0.0.1:1" },
  };
}

test("a node whose disk is not mounted starts without it, leaves the mount point alone, and serves it once it is back", async () => {
  const [here, away] = [storeAt("here"), storeAt("away")];
  for (const description of [here, away]) await openStore(description).create();
  const mount = unmount(away.path);
  const config = await soloNode([here, away]);
  const notices: MemberNotice[] = [];
  const node = await openNode(config, { onNotice: (notice) => notices.push(notice) });
  try {
    assert.deepEqual(notices, [{ event: "store_away", store: away.id, code: "store_unclaimed" }]);
    assert.deepEqual(readdirSync(away.path), []);
    const by = readKeyFile(administrationKey(join(folder, "node"), MEMBER));
    const access = await issuePass(by, node.ledger.chainId, Math.floor(Date.now() / 1000));
    const url = `http://127.0.0.1:${node.storePort}`;
    const seen = (id: string) => new NodeStore({ kind: "node", id, member: MEMBER, url, access });
    assert.deepEqual(await seen(here.id).list(), []);
    await assert.rejects(seen(away.id).list(), isFault("store_absent"));
    mount();
    await assert.rejects(seen(away.id).list(), isFault("store_absent"), "not before what ended is erased");
    await node.lookAtStores();
    assert.deepEqual(notices.slice(1), [{ event: "store_back", store: away.id, erasedPacks: 0 }]);
    // The service hears of it from another thread.
    for (let tries = 0; tries < 50 && !(await seen(away.id).isPresent()); tries++);
    assert.deepEqual(await seen(away.id).list(), []);
  } finally {
    await node.close();
  }
});

test("a store that comes and goes is told once, and is away until it is erased", async () => {
  const description = storeAt("coming");
  const store = openStore(description);
  await store.create();
  const pack = await store.stage(randomBytes(16), 0, "import", "00000000-1-00000000");
  await pack.write(0, randomBytes(10));
  await pack.settle();
  await pack.publish();
  const notices: StoreNotice[] = [];
  const away: (readonly string[])[] = [];
  let erased = 0;
  let isErasing = false;
  const watch = watchStores({
    stores: [store],
    away: new Map(),
    erase: async () => {
      erased++;
      if (!isErasing) throw new Error("the read model does not answer");
      return 1;
    },
    onAway: (ids) => away.push(ids),
    onNotice: (notice) => notices.push(notice),
    everyMs: 3_600_000,
  });
  try {
    await watch.look();
    assert.deepEqual([notices, away, erased], [[], [], 0], "what is there all the time is left alone");
    const mount = unmount(description.path);
    await watch.look();
    await watch.look();
    mount();
    await watch.look();
    assert.deepEqual([notices.length, away, erased], [1, [[store.id]], 1], "still away: nothing could be erased");
    isErasing = true;
    await watch.look();
    await watch.look();
    assert.deepEqual(notices, [
      { event: "store_away", store: store.id, code: "store_unclaimed" },
      { event: "store_back", store: store.id, erasedPacks: 1 },
    ]);
    assert.deepEqual([away, erased], [[[store.id], []], 2]);
  } finally {
    await watch.close();
  }
});
