/** The configuration file: what is written is read, and whatever is wrong is told by line and key. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { MemberId } from "@xinglin/primitives";
import type { NodeConfig } from "../src/config/node-config.ts";
import { readNodeConfig } from "../src/config/read-config.ts";
import { writeNodeConfig } from "../src/config/write-config.ts";

const folder = mkdtempSync(join(tmpdir(), "xinglin-config-"));
test.after(() => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, "node.yaml");

const full: NodeConfig = {
  type: "xinglin-node/1",
  member: "hospital-a" as MemberId,
  chainId: "xinglin-0123456789abcdef01234567",
  genesis: join(folder, "genesis.cbor"),
  data: folder,
  chain: {
    driver: "cometbft",
    validatorKey: join(folder, "members/hospital-a/validator.json"),
    nodeKey: join(folder, "members/hospital-a/node.json"),
    listen: "0.0.0.0:26656",
    announce: "node.hospital.example:26656",
    peers: [{ id: "ab".repeat(20), address: "10.0.0.2:26656" }],
    rpc: "[::1]:26657",
    snapshotBlocks: 500,
    keepBlocks: 0,
    stateSync: { servers: ["http://10.0.0.2:26657", "http://10.0.0.3:26657"], height: 12, hash: "0f".repeat(32) },
  },
  api: {
    listen: "0.0.0.0:8750",
    names: ["records.hospital.example"],
    certificate: join(folder, "tls/certificate.pem"),
    privateKey: "/etc/xinglin/tls: key #1.pem",
    witnesses: ["https://records.second.example"],
  },
  custody: {
    key: join(folder, "members/hospital-a/custodian.json"),
    listen: "127.0.0.1:8760",
    threshold: 4,
    others: [{ member: "hospital-b" as MemberId, url: "http://10.0.0.2:8760" }],
  },
  probing: {
    key: join(folder, "members/hospital-a/prober.json"),
    peers: [{ member: "hospital-b" as MemberId, url: "https://records.second.example" }],
    rounds: 6,
    megabytes: 20,
    timeoutMs: 2_000,
  },
  stores: [{ kind: "directory", id: "hospital-a-1", member: "hospital-a" as MemberId, path: "/mnt/disk 1/杏林" }],
  keeping: {
    off: false,
    key: join(folder, "members/hospital-a/prober.json"),
    everyMinutes: 60,
    sample: 8,
    repairSpare: 4,
    alarmSpare: 3,
    percent: 10,
    goneHours: 0,
    stepInHours: 24,
    keepDays: 30,
  },
  archiveProfile: "national",
  databaseUrlFile: "/etc/xinglin/database-url",
};
const least: NodeConfig = {
  type: "xinglin-node/1",
  member: "hospital-a" as MemberId,
  genesis: join(folder, "genesis.cbor"),
  data: folder,
  chain: { driver: "solo", validatorKey: join(folder, "members/hospital-a/validator.json") },
  api: { listen: "127.0.0.1:8750", witnesses: [] },
  custody: { key: join(folder, "members/hospital-a/custodian.json"), listen: "127.0.0.1:8760", threshold: 1, others: [] },
  stores: [{ kind: "directory", id: "hospital-a-1", member: "hospital-a" as MemberId, path: join(folder, "stores/1") }],
};

for (const [name, config] of Object.entries({ full, least }))
  test(`what was written is read: ${name}`, () => {
    writeNodeConfig(file, config, { replace: true });
    assert.deepEqual(readNodeConfig(file), config);
    if (process.platform !== "win32") assert.equal(statSync(file).mode & 0o077, 0);
  });

test("every key has its comment in both languages, those that are not set too", () => {
  writeNodeConfig(file, least, { replace: true });
  const text = readFileSync(file, "utf8");
  for (const key of ["chainId", "certificate", "names", "archiveProfile", "databaseUrlFile"])
    assert.match(text, new RegExp(`^ *# ${key}: `, "m"));
  assert.match(text, /单机模式/);
  assert.match(text, /solo: one validator/);
});

test("a configuration that is there is not overwritten unawares", () => {
  writeNodeConfig(file, least, { replace: true });
  assert.throws(() => writeNodeConfig(file, full), { code: "config_exists" });
  assert.deepEqual(readNodeConfig(file), least);
});

/** A change of the full file, and the line and key that the fault must name. */
const wrong: readonly [change: (text: string) => string, key: string, at: RegExp][] = [
  [(text) => text.replace("member: ", "membre: "), "membre", /^membre/],
  [(text) => text.replace('member: "hospital-a"', "member: Hospital_A"), "member", /^member/],
  [(text) => text.replace(/threshold: 4/, "threshold: 4.5"), "custody.threshold", /threshold/],
  [(text) => text.replace(/threshold: 4/, "threshold: 40"), "custody.threshold", /threshold/],
  [(text) => text.replace('listen: "0.0.0.0:8750"', 'listen: "0.0.0.0"'), "api.listen", /listen/],
  [(text) => text.replace("driver: cometbft", "driver: raft"), "chain.driver", /driver/],
  [(text) => text.replace(`id: "${"ab".repeat(20)}"`, "id: ab"), "chain.peers.0.id", /peers|id: ab/],
  [(text) => text.replace(/ {2}announce: .*\n/, ""), "chain.announce", /^chain|listen/],
  [(text) => text.replace(/ {2}privateKey: .*\n/, ""), "api.certificate", /certificate/],
  [(text) => text.replace("snapshotBlocks: 500", "snapshotBlocks: yes"), "chain.snapshotBlocks", /snapshotBlocks/],
  [(text) => text.replace("archiveProfile: national", "archiveProfile: sm4"), "archiveProfile", /archiveProfile/],
  [(text) => text.replace("rounds: 6", "rounds: 1"), "probing.rounds", /rounds/],
  [(text) => text.replace("rpc: ", "password: x\n  rpc: "), "chain.password", /password/],
];
for (const [change, key, line] of wrong)
  test(`tells what is wrong with ${key}`, () => {
    writeNodeConfig(file, full, { replace: true });
    const text = change(readFileSync(file, "utf8"));
    writeFileSync(file, text);
    assert.throws(
      () => readNodeConfig(file),
      (error: { code: string; facts: { key: string; line: number; file: string } }) => {
        assert.equal(error.code, "config_wrong");
        assert.equal(error.facts.key, key);
        assert.equal(error.facts.file, file);
        assert.match(text.split("\n")[error.facts.line - 1]?.trim() ?? "", line);
        return true;
      },
    );
  });

test("what is no YAML, a key given twice, an alias bomb, another version and a missing file are told", () => {
  const refused = (text: string, code: string) => {
    writeFileSync(file, text);
    assert.throws(() => readNodeConfig(file), { code });
  };
  refused("type: [", "config_wrong");
  refused("", "config_wrong");
  refused("type: xinglin-node/1\ntype: xinglin-node/1\n", "config_wrong");
  refused(`a: &a [1]\nb: &b [${"*a,".repeat(100)}]\n`, "config_wrong");
  refused("type: xinglin-node/2\n", "config_version");
  assert.throws(() => readNodeConfig(join(folder, "none.yaml")), { code: "config_missing" });
});
