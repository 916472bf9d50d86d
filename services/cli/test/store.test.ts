/** Lending a store, from `xinglin store add` to `store remove`, over a node that serves it and another member that uses it. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { openStore } from "@xinglin/archive";
import { ApiClient } from "@xinglin/client";
import { SOLO_ELECTION } from "@xinglin/contracts";
import { freePorts } from "@xinglin/engines/testing";
import { chainStores, readKeyFile } from "@xinglin/gateway";
import {
  administrationKey,
  cardOf,
  createMemberKeys,
  custodianKey,
  memberValidatorKey,
  newGenesis,
  type OpenNode,
  openNode,
  readNodeConfig,
  writeNodeConfig,
} from "@xinglin/member";
import { Fault, type MemberId, type UnixSeconds } from "@xinglin/primitives";

const run = promisify(execFile);
const CLI = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "xs-"));
const file = join(folder, "node.yaml");
const [lender, guest] = ["hospital-a", "hospital-b"] as [MemberId, MemberId];
let node: OpenNode | undefined;
after(async () => {
  await node?.close();
  rmSync(folder, { recursive: true, force: true });
});

const cli = async (...args: string[]): Promise<string> => {
  const { stdout } = await run(process.execPath, [CLI, ...args, "--data", folder, "--lang", "en"]);
  return stdout;
};
const refused = async (sentence: RegExp, ...args: string[]): Promise<void> => {
  await assert.rejects(cli(...args), (error: { stderr?: string }) => {
    assert.match(error.stderr ?? String(error), sentence);
    return true;
  });
};
const isFault =
  (code: string) =>
  (error: unknown): boolean =>
    error instanceof Fault && error.code === code;

async function configure(): Promise<void> {
  for (const member of [lender, guest]) createMemberKeys(folder, member, { node: true });
  const cards = await Promise.all(
    [lender, guest].map((member) => cardOf(folder, { member, kind: "hospital", name: { zh: member, en: member } }, {})),
  );
  const [first] = cards;
  const genesis = newGenesis(cards, {
    name: "xinglin",
    time: Math.floor(Date.now() / 1000) as UnixSeconds,
    validators: [{ member: lender, publicKey: first?.validator as Uint8Array }],
    election: SOLO_ELECTION,
    page: { domain: "localhost", origins: ["http://localhost:1"] },
  });
  writeFileSync(join(folder, "genesis.cbor"), genesis);
  const [api, custodian] = await freePorts(2);
  writeNodeConfig(file, {
    type: "xinglin-node/1",
    member: lender,
    genesis: join(folder, "genesis.cbor"),
    data: folder,
    chain: { driver: "solo", validatorKey: memberValidatorKey(folder, lender) },
    api: { listen: `127.0.0.1:${api}` },
    custody: { key: custodianKey(folder, lender), listen: `127.0.0.1:${custodian}`, threshold: 1 },
    stores: [],
  });
}

test("a store is lent, used by another member, drained and withdrawn", async () => {
  await configure();
  node = await openNode(readNodeConfig(file));
  const [port] = await freePorts(1);
  const add = ["store", "add", "--dir", join(folder, "disk"), "--listen", `127.0.0.1:${port}`];
  await refused(/--quota/, ...add);
  await refused(/--building is wrong/, ...add, "--quota", "100MB", "--building", "North Wing");
  await refused(/--ipfs is wrong: http:\/\/127/, "store", "add", "--ipfs", "http://10.0.0.1:5001", "--quota", "100MB");
  await refused(/more than its disk has free/, ...add, "--quota", "999TB");
  assert.deepEqual(readdirSync(join(folder, "disk")), [], "what is not lent is not claimed");
  await refused(/A file, not a folder/, "store", "add", "--dir", file, "--listen", `127.0.0.1:${port}`, "--quota", "1MB");
  assert.match(await cli(...add, "--quota", "100MB", "--building", "north-wing"), /Lent hospital-a-1: 100\.0 MB/);
  await refused(/another store|belongs to/, ...add, "--quota", "50MB");
  assert.match(await cli("store", "claim", "--id", "hospital-a-1"), /nothing was to be done/);
  // The disk died, and an empty one is mounted in its place.
  rmSync(join(folder, "disk"), { recursive: true });
  mkdirSync(join(folder, "disk"));
  await refused(/does not carry its mark.*store_unclaimed/s, "store", "remove", "--id", "hospital-a-1");
  assert.match(await cli("store", "claim", "--id", "hospital-a-1"), /made anew and empty/);
  await node.close();

  const config = readNodeConfig(file);
  assert.deepEqual(config.archive, { listen: `127.0.0.1:${port}`, url: `http://127.0.0.1:${port}` });
  node = await openNode(config);
  // Its round over the archive, what the command line tells of it, and who may hear.
  assert.match(await cli("node", "status", "--config", file), /The archive has not been looked at by this node yet/);
  await refused(/\[option_missing\]/, "archive", "statement");
  await node.lookAtArchive();
  const asNode = ["archive", "health", "--as", `${lender}/administration`];
  assert.match(
    await cli(...asNode),
    /As the node of hospital-a found its member's objects at [\s\S]*0 objects;[\s\S]*0 B stored: about 0/,
  );
  assert.doesNotMatch(await cli(...asNode, "--now"), /As the node of/);
  assert.match(
    await cli("node", "status", "--config", file),
    /Archive, as of .*: 0 objects looked at, 0 wait for repair, 0 stores away/,
  );
  const client = new ApiClient({ url: node.url, language: "en", chainId: node.ledger.chainId });
  const find = chainStores(client, node.ledger.chainId, []);
  const by = readKeyFile(administrationKey(folder, guest));
  const { writable } = await find(by);
  const [store] = writable;
  assert.ok(store !== undefined && writable.length === 1);
  assert.deepEqual([store.id, store.site.building], ["hospital-a-1", "north-wing"]);
  const objectId = randomBytes(16);
  const pack = await store.stage(objectId, 0, "import", "00000000-1-00000000");
  await pack.write(0, randomBytes(5_000));
  await pack.writeDocument("table", randomBytes(10));
  await pack.settle();
  await pack.publish();
  const patientless = await find({ ...by, actor: "nobody" as typeof by.actor });
  await assert.rejects((patientless.readable[0] as typeof store).list(), isFault("store_pass_refused"));

  const listed = await cli("store", "list", "--as", `${guest}/administration`);
  assert.match(listed, /hospital-a-1 \(hospital-a, directory\): 100\.0 MB; building north-wing/);
  assert.match(listed, /holds 1 objects/);
  await refused(/1 objects/, "store", "remove", "--id", "hospital-a-1");
  // There is nowhere to move it to: it stays, and the next call goes on.
  for (let round = 0; round < 2; round++)
    await assert.rejects(
      cli("store", "drain", "--id", "hospital-a-1"),
      ({ stdout, stderr }: { stdout: string; stderr: string }) => {
        assert.match(stdout, /takes nothing new\. 0 objects were moved, 1 could not be/);
        assert.match(stderr, /store_not_empty/);
        return true;
      },
    );
  assert.deepEqual((await find(by)).writable, []);
  await assert.rejects(store.stage(randomBytes(16), 0, "import", "00000000-1-00000000"), isFault("store_draining"));
  await store.remove(objectId);
  assert.match(await cli("store", "drain", "--id", "hospital-a-1"), /its 0 objects are on other stores/);
  assert.match(await cli("store", "remove", "--id", "hospital-a-1"), /is withdrawn/);
  assert.deepEqual(readNodeConfig(file).stores, []);
  assert.deepEqual((await find(by)).readable, []);
  assert.deepEqual(readdirSync(join(folder, "disk")), [], "the folder can be another store's");
});

test("a store that the chain does not know, as a new solo node has them, is lent by its id or taken out", async () => {
  const config = readNodeConfig(file);
  const stores = ["hospital-a-8", "hospital-a-9"].map((id) => {
    return { kind: "directory", id, member: lender, path: join(folder, id) } as const;
  });
  for (const store of stores) await openStore(store).create();
  writeNodeConfig(file, { ...config, stores }, { replace: true });
  await node?.close();
  node = await openNode(readNodeConfig(file));
  assert.match(await cli("store", "list"), /hospital-a-9 \(hospital-a, directory\): on this machine only, not lent/);
  const add = ["store", "add", "--id", "hospital-a-9", "--quota", "50MB"];
  await refused(/store_duplicate/, ...add, "--dir", join(folder, "elsewhere"));
  assert.match(await cli(...add), /Lent hospital-a-9: 50\.0 MB/);
  await refused(/store_duplicate/, ...add);
  assert.deepEqual(
    readNodeConfig(file).stores.map(({ id, quotaBytes }) => [id, quotaBytes]),
    [
      ["hospital-a-8", undefined],
      ["hospital-a-9", 50_000_000],
    ],
  );
  // Idle disks beside it: nothing is imported there, and without them there are no tiers.
  const tier = ["archive", "tier", "--as", `${lender}/administration`];
  await refused(/tier cold.*\[tier_without_stores\]/, ...tier);
  const idle = ["store", "add", "--dir", join(folder, "idle"), "--quota", "50MB", "--id", "hospital-a-cold"];
  await refused(/--tier is wrong/, ...idle, "--tier", "first");
  assert.match(await cli(...idle, "--tier", "cold"), /Lent hospital-a-cold/);
  assert.equal(readNodeConfig(file).stores.at(-1)?.tier, "cold");
  await node.close();
  node = await openNode(readNodeConfig(file));
  const find = chainStores(
    new ApiClient({ url: node.url, language: "en", chainId: node.ledger.chainId }),
    node.ledger.chainId,
    readNodeConfig(file).stores,
  );
  const { writable } = await find(readKeyFile(administrationKey(folder, lender)));
  assert.deepEqual(writable.map(({ id }) => id).sort(), ["hospital-a-8", "hospital-a-9"]);
  assert.match(
    await cli(...tier, "--apply"),
    /0 objects of your member lie on its stores here; 0 moves are due[\s\S]*Moved 0 packs/,
  );
  const policy = join(folder, "tiers.yaml");
  const frozen = { name: "frozen", afterDays: 1, unreadDays: 1, fenPerTbMonth: 1 };
  writeFileSync(policy, JSON.stringify({ type: "xinglin-tiers/1", first: { fenPerTbMonth: 2 }, tiers: [frozen] }));
  await refused(/hospital-a-cold belongs to the tier cold, which the policy does not have/, ...tier, "--policy", policy);
  await refused(/--budget is wrong/, ...tier, "--budget", "5 apples");
  assert.match(await cli("store", "drain", "--id", "hospital-a-8"), /It is not lent and still takes imports/);
  assert.match(await cli("store", "remove", "--id", "hospital-a-8"), /it was never lent/);
  assert.match(await cli("store", "drain", "--id", "hospital-a-9"), /its 0 objects are on other stores/);
});
