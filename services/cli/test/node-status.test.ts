/** `xinglin node status` over a node whose clock is wrong, right, or not compared yet: in words of both languages, and for programs. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { writeNodeConfig } from "@xinglin/member";
import type { MemberId } from "@xinglin/primitives";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../../", import.meta.url));
const CLI = join(root, "services/cli/src/main.ts");
const folder = mkdtempSync(join(tmpdir(), "xt-"));
const config = join(folder, "node.yaml");

/** What the node answers: its clock is so many seconds ahead, and the newest block as old as the chain's clock says. */
let node: { clockOffsetSeconds?: number };
let blockAge: number;
const validators = {
  active: [{ member: "hospital-a", sharePerMille: 1000, strikes: 0 }],
  standby: [],
  unfit: [],
  penalised: [],
  isCapMissing: false,
  isOverCap: false,
  toleratedFaults: 0,
  committee: { members: ["hospital-a"], votesNeeded: 1 },
};
const answers: Readonly<Record<string, () => unknown>> = {
  "/v1/status": () => {
    // Whoever asks has the node's clock: this machine's is taken to be ahead by as much.
    const newestBlockTime = Math.floor(Date.now() / 1000) - (node.clockOffsetSeconds ?? 0) - blockAge;
    return { chainId: "xinglin-0", height: 9, provableHeight: 8, newestBlockTime, entries: 3, projected: 3 };
  },
  "/v1/validators": () => validators,
  "/v1/node": () => ({ driver: "cometbft", peers: [], freeMegabytes: 50_000, ...node }),
};
const server = createServer((request, response) => {
  response.setHeader("content-type", "application/json").end(JSON.stringify(answers[request.url ?? ""]?.() ?? {}));
});
before(async () => {
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  writeNodeConfig(config, {
    type: "xinglin-node/1",
    member: "hospital-a" as MemberId,
    genesis: join(folder, "genesis.cbor"),
    data: folder,
    chain: { driver: "cometbft", nodeKey: join(folder, "node.json"), listen: "127.0.0.1:1", peers: [] },
    api: { listen: `127.0.0.1:${port}` },
    custody: { key: join(folder, "custodian.json"), listen: "127.0.0.1:2", threshold: 1 },
    stores: [{ kind: "directory", id: "hospital-a-1", member: "hospital-a", path: join(folder, "store") }],
  });
});
after(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

const status = async (...args: string[]): Promise<{ stdout: string; code: number }> => {
  const env = { ...process.env, NODE_COMPILE_CACHE: join(root, "node_modules/.cache/xinglin/compiled") };
  return run(process.execPath, [CLI, "node", "status", "--config", config, ...args], { env }).then(
    ({ stdout }) => ({ stdout, code: 0 }),
    ({ stdout, code }: { stdout: string; code: number }) => ({ stdout, code }),
  );
};

test("a clock that is minutes wrong is told in both languages, and makes no block old", async () => {
  blockAge = 2;
  node = { clockOffsetSeconds: 180 };
  const [english, chinese, program] = await Promise.all([status("--lang", "en"), status("--lang", "zh-CN"), status("--json")]);
  assert.match(english.stdout, /ATTENTION: this machine's clock is 180 s ahead/);
  assert.match(chinese.stdout, /注意：本机时钟比链上时间快 180 秒/);
  const told = JSON.parse(program.stdout) as { node: { clockOffsetSeconds: number }; ageSeconds: number };
  assert.equal(told.node.clockOffsetSeconds, 180);
  assert.ok(told.ageSeconds < 60, `${told.ageSeconds} s old`);
  assert.deepEqual([english.code, chinese.code, program.code], [0, 0, 0]);
  node = { clockOffsetSeconds: -180 };
  assert.match((await status("--lang", "en")).stdout, /clock is 180 s behind/);
});

test("a clock that agrees, or is not compared yet, is told as that; a chain that stands still is still found out", async () => {
  blockAge = 2;
  node = { clockOffsetSeconds: 1 };
  assert.match((await status("--lang", "en")).stdout, /clock agrees with the chain's to 1 s/);
  node = {};
  assert.match((await status("--lang", "en")).stdout, /not compared with the chain's yet/);
  node = { clockOffsetSeconds: 180 };
  blockAge = 500;
  assert.equal((await status("--lang", "en")).code, 1);
});
