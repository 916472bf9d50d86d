/** The program of a node: how it ends, and what it says when it does not start. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { ensureEngine } from "@xinglin/cometbft";
import { CONSORTIUM_ELECTION } from "@xinglin/contracts";
import { freePorts } from "@xinglin/engines/testing";
import {
  cardOf,
  createMemberKeys,
  custodianKey,
  memberValidatorKey,
  newGenesis,
  nodeKey,
  writeNodeConfig,
} from "@xinglin/member";
import { Fault, type MemberId, type UnixSeconds } from "@xinglin/primitives";

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "xm-"));
test.after(() => rmSync(folder, { recursive: true, force: true }));

/** Starts the program; what it says, and how it ends. */
function start(...args: string[]) {
  const child = spawn(process.execPath, [MAIN, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      NODE_COMPILE_CACHE: fileURLToPath(new URL("../../../node_modules/.cache/xinglin/compiled", import.meta.url)),
    },
  });
  let told = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      told += text;
    });
  return { child, told: () => told, ended: once(child, "close").then(([code]) => code as number | null) };
}

test("says in one sentence why it does not start, in either language, with an exit code", async () => {
  const english = start("--config", join(folder, "none.yaml"), "--lang", "en");
  assert.equal(await english.ended, 1);
  assert.match(english.told(), /^There is no configuration file .* \[config_missing: .*\]\n$/);
  const file = join(folder, "wrong.yaml");
  writeFileSync(file, "type: xinglin-node/1\nmember: A\n");
  const chinese = start("--config", file, "--lang", "zh-CN");
  assert.equal(await chinese.ended, 1);
  assert.match(chinese.told(), /第 2 行：member 有误/);
  const misused = start("--configuration", file, "--lang", "en");
  assert.equal(await misused.ended, 2);
});

test("a start that waits for others is broken off by ctrl-C, and CometBFT ends with it", async (context) => {
  const engine = await ensureEngine().catch((error: unknown) => error);
  if (engine instanceof Fault && engine.code === "go_missing") return context.skip(`CometBFT is not built: ${engine.message}`);
  const [a, b] = ["hospital-a", "hospital-b"] as MemberId[];
  if (a === undefined || b === undefined) throw new Error("two members");
  for (const member of [a, b]) createMemberKeys(folder, member, { node: true });
  const cards = await Promise.all(
    [a, b].map((member) => cardOf(folder, { member, kind: "hospital", name: { zh: member, en: member } }, {})),
  );
  const genesis = newGenesis(cards, {
    name: "xinglin",
    time: Math.floor(Date.now() / 1000) as UnixSeconds,
    validators: cards.map(({ member, validator }) => ({ member, publicKey: validator as Uint8Array })),
    election: { ...CONSORTIUM_ELECTION, minSeats: 1 },
    page: { domain: "localhost", origins: ["http://localhost:1"] },
  });
  writeFileSync(join(folder, "genesis.cbor"), genesis);
  const [node, api, custodian] = await freePorts(3);
  const file = join(folder, "node.yaml");
  writeNodeConfig(file, {
    type: "xinglin-node/1",
    member: a,
    genesis: join(folder, "genesis.cbor"),
    data: join(folder, "data"),
    chain: {
      driver: "cometbft",
      validatorKey: memberValidatorKey(folder, a),
      nodeKey: nodeKey(folder, a),
      listen: `127.0.0.1:${node}`,
      peers: [],
      loopback: true,
    },
    api: { listen: `127.0.0.1:${api}` },
    custody: { key: custodianKey(folder, a), listen: `127.0.0.1:${custodian}`, threshold: 1 },
    stores: [{ kind: "directory", id: "one", member: a, path: join(folder, "store") }],
  });
  const running = start("--config", file, "--lang", "en");
  const log = join(folder, "data/ledger/engine/data");
  try {
    // CometBFT has made its databases: it runs, and waits for the other validator.
    while (!existsSync(log) || !readdirSync(log).includes("cs.wal")) {
      assert.equal(running.child.exitCode, null, running.told());
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    running.child.kill("SIGINT");
    assert.equal(await running.ended, 0, running.told());
    assert.match(running.told(), /Stopped\n$/);
  } finally {
    running.child.kill("SIGKILL");
  }
  const left = existsSync("/proc")
    ? readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && commandOf(pid).includes(folder))
    : [];
  assert.deepEqual(left.map(commandOf), []);
});

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return ""; // ended meanwhile
  }
}
