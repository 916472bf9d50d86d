/** `npm run ipfs` as a process: what it prints, what it refuses, and that nothing runs on after it. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { ensureIpfsNode } from "@xinglin/engines";
import { Fault } from "@xinglin/primitives";

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const missing = await ensureIpfsNode().then(
  () => undefined,
  (error: unknown) => {
    if (error instanceof Fault && error.code === "go_missing") return `IPFS node is not built: ${error.message}`;
    throw error;
  },
);
const skip = missing ?? false;

function run(
  context: TestContext,
  ...args: string[]
): { child: ChildProcess; output: () => string; until: (word: string) => Promise<void> } {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  context.after(() => child.kill("SIGKILL"));
  let output = "";
  const watch = new Set<() => void>();
  for (const stream of [child.stdout!, child.stderr!])
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      for (const look of watch) look();
    });
  const until = (word: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => void (output.includes(word) && resolve());
      watch.add(look);
      look();
      child.once("close", () => reject(new Error(output)));
    });
  return { child, output: () => output, until };
}

test("a node starts, says where, refuses a second in its folder, and Ctrl-C stops it", { skip }, async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "xinglin-ipfs-"));
  context.after(() => rm(folder, { recursive: true, force: true }));
  const options = ["--data", join(folder, "node"), "--api", "127.0.0.1:0", "--swarm", "/ip4/127.0.0.1/tcp/0"];
  const first = run(context, ...options, "--lang", "en");
  await first.until("Ctrl-C");
  const api = /http:\/\/127\.0\.0\.1:\d+/.exec(first.output())![0];
  assert.match(first.output(), /peers reach it at \/ip4\/127\.0\.0\.1\/tcp\/\d+\/p2p\/12D3Koo/);
  const answer = (await (await fetch(`${api}/api/v0/id`, { method: "POST" })).json()) as { AgentVersion: string };
  assert.match(answer.AgentVersion, /^xinglin-ipfs/);

  const second = run(context, ...options, "--lang", "zh-CN");
  assert.equal((await once(second.child, "close"))[0], 1);
  assert.match(second.output(), /已有另一个 IPFS 节点在运行/);

  first.child.kill("SIGINT");
  assert.equal((await once(first.child, "close"))[0], 0);
  await assert.rejects(fetch(`${api}/api/v0/id`, { method: "POST" }));
});

const refusals: Readonly<Record<string, { args: string[]; code: number; says: RegExp }>> = {
  "an RPC that others could reach": { args: ["--api", "0.0.0.0:5001"], code: 1, says: /ipfs_address_refused/ },
  "a peer without an identifier": { args: ["--peer", "/ip4/127.0.0.1/tcp/4001"], code: 2, says: /--peer/ },
};
for (const [what, { args, code, says }] of Object.entries(refusals))
  test(`refuses ${what}`, { skip }, async (context) => {
    const folder = await mkdtemp(join(tmpdir(), "xinglin-ipfs-"));
    context.after(() => rm(folder, { recursive: true, force: true }));
    const { child, output } = run(context, "--data", folder, "--swarm", "/ip4/127.0.0.1/tcp/0", ...args);
    assert.equal((await once(child, "close"))[0], code);
    assert.match(output(), says);
  });
