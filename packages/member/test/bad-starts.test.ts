/** What a node finds wrong when it starts: told by code, and nothing is made or changed. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { sentenceOf } from "@xinglin/api";
import { CONSORTIUM_ELECTION, SOLO_ELECTION } from "@xinglin/contracts";
import { freePort } from "@xinglin/engines/testing";
import { Fault, type MemberId, type UnixSeconds } from "@xinglin/primitives";
import { ClassicLevel } from "classic-level";
import type { NodeConfig } from "../src/config/node-config.ts";
import { cardOf, createMemberKeys } from "../src/member-card.ts";
import { custodianKey, memberValidatorKey, nodeKey } from "../src/member-folder.ts";
import { newGenesis } from "../src/new-genesis.ts";
import { openNode } from "../src/open-node.ts";
import { engineMissing } from "./support/engine.ts";

const folder = mkdtempSync(join(tmpdir(), "xn-"));
test.after(() => rmSync(folder, { recursive: true, force: true }));
const MEMBER = "hospital-a" as MemberId;

/** Keys, genesis and configuration of a node that could start. */
async function newNode(name: string, driver: "solo" | "cometbft"): Promise<NodeConfig> {
  const data = join(folder, name);
  mkdirSync(data);
  createMemberKeys(data, MEMBER, { node: true });
  const card = await cardOf(data, { member: MEMBER, kind: "hospital", name: { zh: "第一医院", en: "First" } }, {});
  const genesis = newGenesis([card], {
    name: "xinglin",
    time: Math.floor(Date.now() / 1000) as UnixSeconds,
    validators: [{ member: MEMBER, publicKey: card.validator as Uint8Array }],
    election: driver === "solo" ? SOLO_ELECTION : { ...CONSORTIUM_ELECTION, minSeats: 1 },
    page: { domain: "localhost", origins: ["http://localhost:1"] },
  });
  writeFileSync(join(data, "genesis.cbor"), genesis);
  const validatorKey = memberValidatorKey(data, MEMBER);
  const peering = { nodeKey: nodeKey(data, MEMBER), listen: `127.0.0.1:${await freePort()}`, peers: [], loopback: true };
  return {
    type: "xinglin-node/1",
    member: MEMBER,
    genesis: join(data, "genesis.cbor"),
    data: join(data, "data"),
    chain: driver === "solo" ? { driver, validatorKey } : { driver, validatorKey, ...peering },
    api: { listen: `127.0.0.1:${await freePort()}` },
    custody: { key: custodianKey(data, MEMBER), listen: `127.0.0.1:${await freePort()}`, threshold: 1 },
    stores: [{ kind: "directory", id: "hospital-a-1", member: MEMBER, path: join(data, "store") }],
  };
}

/** The code with which a start is refused; its sentence is there in both languages. */
async function refusal(config: NodeConfig): Promise<string> {
  const fault = await openNode(config).then(
    async (node) => {
      await node.close();
      return undefined;
    },
    (error: unknown) => error,
  );
  if (!(fault instanceof Fault)) throw new Error("it started", { cause: fault });
  for (const language of ["en", "zh-CN"] as const) assert.ok(sentenceOf(fault.code, fault.facts, language).length > 10);
  return fault.code;
}

const contents = (path: string): string[] => (existsSync(path) ? readdirSync(path, { recursive: true }).map(String).sort() : []);

test("before anything is made: genesis, chain id, ports, certificate and secrets", async () => {
  const config = await newNode("new", "solo");
  const other = await newNode("other", "solo");
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const address = `127.0.0.1:${(taken.address() as AddressInfo).port}`;
  try {
    const open = join(folder, "open-key.pem");
    writeFileSync(open, "secret", { mode: 0o644 });
    const noGenesis = join(folder, "no-genesis");
    writeFileSync(noGenesis, "nothing of the kind");
    const { api, custody } = config;
    const refused: [NodeConfig, string][] = [
      [{ ...config, genesis: join(folder, "absent") }, "file_missing"],
      [{ ...config, genesis: noGenesis }, "genesis_unreadable"],
      [{ ...config, chainId: "xinglin-000000000000000000000000" }, "genesis_of_another_chain"],
      [{ ...config, api: { listen: address } }, "port_in_use"],
      [{ ...config, custody: { ...custody, listen: address } }, "port_in_use"],
      [{ ...config, api: { listen: `0.0.0.0:${api.listen.split(":")[1]}` } }, "tls_required"],
      [{ ...config, api: { ...api, certificate: open, privateKey: open } }, "key_file_open"],
      [{ ...config, databaseUrlFile: open }, "key_file_open"],
      [{ ...config, databaseUrlFile: join(folder, "absent") }, "key_file_missing"],
    ];
    for (const [changed, code] of refused) {
      assert.equal(await refusal(changed), code);
      assert.deepEqual(contents(config.data), [], code);
    }
    // The key of somebody else is found out by the ledger, which then has an empty folder of its own at most.
    const validatorKey = memberValidatorKey(join(folder, "other"), MEMBER);
    assert.equal(await refusal({ ...config, chain: { driver: "solo", validatorKey } }), "not_the_validator");
    assert.equal(existsSync(other.data), false);
  } finally {
    taken.close();
  }
});

test("keys that are missing, open to others, or no keys", { skip: process.platform === "win32" }, async () => {
  const config = await newNode("keys", "solo");
  if (config.chain.driver !== "solo") throw new Error("solo");
  const { validatorKey } = config.chain;
  const kept = readFileSync(validatorKey);
  chmodSync(validatorKey, 0o640);
  assert.equal(await refusal(config), "key_file_open");
  chmodSync(validatorKey, 0o600);
  writeFileSync(validatorKey, kept.subarray(0, 40));
  assert.equal(await refusal(config), "key_file_unreadable");
  rmSync(validatorKey);
  assert.equal(await refusal(config), "key_file_missing");
  assert.equal(existsSync(join(config.data, "ledger")), false);
});

test("a data folder of another chain, genesis, version or driver stays as it is", async (context) => {
  const config = await newNode("folder", "solo");
  await (await openNode(config)).close();
  const ledger = join(config.data, "ledger");
  const before = contents(ledger);
  const other = await newNode("folder-of-another", "solo");
  if (other.chain.driver !== "solo") throw new Error("solo");
  assert.equal(await refusal({ ...other, data: config.data }), "wrong_chain_folder");

  const missing = await engineMissing();
  if (missing === undefined) {
    const peering = (await newNode("folder-comet", "cometbft")).chain;
    assert.equal(await refusal({ ...config, chain: peering }), "wrong_driver_folder");
  } else context.diagnostic(missing);

  const database = new ClassicLevel<string, Uint8Array>(join(ledger, "ledger.db"), { valueEncoding: "view" });
  await database.open();
  const row = (await database.get("m/folder")) as Uint8Array;
  const newer = Buffer.from(row);
  const at = newer.indexOf("format") + "format".length;
  newer[at] = 9;
  await database.put("m/folder", newer);
  await database.close();
  assert.equal(await refusal(config), "wrong_format_folder");
  const kept = (names: string[]): string[] => names.filter((name) => !/\.(log|ldb)$|LOG|MANIFEST|CURRENT/.test(name));
  assert.deepEqual(kept(contents(ledger)), kept(before));
});

test("two nodes with one validator's key do not run on one machine, nor two on one folder", async (context) => {
  const missing = await engineMissing();
  if (missing !== undefined) return context.skip(missing);
  const config = await newNode("twice", "cometbft");
  const node = await openNode(config);
  try {
    const second = await newNode("twice-copy", "cometbft");
    if (config.chain.driver !== "cometbft" || second.chain.driver !== "cometbft") throw new Error("cometbft");
    cpSync(config.genesis, second.genesis);
    const copied = { ...second, chain: { ...second.chain, validatorKey: config.chain.validatorKey as string } };
    assert.equal(await refusal(copied), "validator_key_in_use");
    const beside = { ...second, data: config.data, genesis: config.genesis };
    assert.equal(await refusal(beside), "ledger_locked");
    assert.ok(node.ledger.height() > 0, "the first goes on");
  } finally {
    await node.close();
  }
});
