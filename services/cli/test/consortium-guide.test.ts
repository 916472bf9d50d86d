/** The commands of the guide "run a consortium", in its order, on this machine: three nodes with CometBFT, and one that began alone. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { ensureEngine } from "@xinglin/cometbft";
import { freePorts } from "@xinglin/cometbft/testing";
import { Fault } from "@xinglin/primitives";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const CLI = join(root, "services/cli/src/main.ts");
const guide = readFileSync(join(root, "docs/guides/run-a-consortium.md"), "utf8");
const blocksOf = (text: string): string[] => [...text.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => block as string);

test("the Chinese guide has the same commands", () => {
  const chinese = readFileSync(join(root, "docs/guides/run-a-consortium.zh-CN.md"), "utf8");
  assert.deepEqual(blocksOf(chinese), blocksOf(guide));
});

test("every command of the guide works, in its order", async (context) => {
  const engine = await ensureEngine().catch((error: unknown) => error);
  if (engine instanceof Fault && engine.code === "go_missing") return context.skip(`CometBFT is not built: ${engine.message}`);
  const folder = mkdtempSync(join(tmpdir(), "xg-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const command = join(folder, "xinglin");
  writeFileSync(command, `#!/bin/sh\nexec ${process.execPath} ${CLI} "$@" --lang en\n`);
  chmodSync(command, 0o755);
  const blocks = blocksOf(guide).join("\n");
  const named = [...new Set(blocks.match(/\b266[1-9][0-9]\b/g))];
  const ports = await freePorts(named.length);
  const script = named.reduce((text, port, i) => text.replaceAll(port, String(ports[i])), `set -eu -o pipefail\n${blocks}`);
  const child = spawn("bash", ["-c", script], {
    cwd: folder,
    detached: true,
    env: {
      ...process.env,
      PATH: `${folder}${delimiter}${process.env.PATH}`,
      NODE_COMPILE_CACHE: join(root, "node_modules/.cache/xinglin/compiled"),
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let told = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      told += text;
    });
  const closed = once(child, "close");
  // Whatever failed: the group of the script, and with the commands the nodes that they started.
  const end = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGTERM");
    } catch {
      // All of it ended.
    }
  };
  try {
    const [code] = await once(child, "exit");
    // Nodes that a failed script left would hold its output open.
    if (code !== 0) end();
    await closed;
    assert.equal(code, 0, told);
  } finally {
    end();
  }
  assert.match(told, /Joins chain xinglin-[0-9a-f]{24}/);
  assert.match(told, /Proposal [0-9a-f]{32} is open/);
  assert.match(told, /admit an institution: hospital-b, proposed by commission/);
  assert.match(told, /validator hospital-b: \d+\.\d % of the voting power/);
  assert.match(told, /ATTENTION: only 2 validators/);
  assert.match(told, /goes on with CometBFT from height \d+/);
  assert.equal(told.match(/Stopped$/gm)?.length, 4, "each node stopped in order");
});
