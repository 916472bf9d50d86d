/** Kill -9 of a node's own process in the middle of blocks: nothing acknowledged is lost, the chain goes on, no CometBFT is left behind. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { cometbft } from "@xinglin/crypto/pure";
import { freePort } from "@xinglin/engines/testing";
import { type Bytes, fromHex } from "@xinglin/primitives";
import { type CometbftLedgerOptions, openCometbftLedger } from "../../src/open.ts";
import { consortiumOf } from "../support/consortium.ts";
import { emptyFolder, engineTest } from "../support/network.ts";
import { optionsToText } from "../support/options-text.ts";

const ROUNDS = 4;
const child = fileURLToPath(new URL("./crash-child.ts", import.meta.url));

interface Run {
  readonly committed: readonly [string, number][];
  readonly engine: number;
}

/** Runs a child until it has acknowledged so many transactions, then kills it a moment later. */
async function runAndKill(options: CometbftLedgerOptions, round: number, after: number): Promise<Run> {
  const node = spawn(process.execPath, [child, optionsToText(options), String(round)], { stdio: ["ignore", "pipe", "inherit"] });
  const committed: [string, number][] = [];
  let engine = 0;
  let killing = false;
  const lines = createInterface({ input: node.stdout });
  lines.on("line", (line) => {
    const [what, first = "", second = ""] = line.split(" ");
    if (what === "engine") engine = Number(first);
    if (what === "committed" && first.length === 64) committed.push([first, Number(second)]);
    if (committed.length < after || killing) return;
    killing = true;
    setTimeout(() => node.kill("SIGKILL"), Math.random() * 40);
  });
  const [[, signal]] = await Promise.all([once(node, "exit"), once(lines, "close")]);
  assert.equal(signal, "SIGKILL");
  return { committed, engine };
}

/** Resolves when no process has this id, or only one that has ended. */
async function untilGone(pid: number): Promise<void> {
  while (await isRunning(pid)) await new Promise((resolve) => setTimeout(resolve, 20));
}
async function isRunning(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // Where processes can be looked at: one that has ended has no files open any more.
  return readdir(join("/proc", String(pid), "fd")).then(
    (files) => files.length > 0,
    () => process.platform !== "linux",
  );
}

engineTest("a node that is killed in the middle of blocks resumes: nothing acknowledged is lost", async (context, binary) => {
  const directory = await emptyFolder(context);
  const { genesis, seeds } = consortiumOf(1, { maxBlockGapSeconds: 1, logEpochEntries: 100 });
  const listen = `127.0.0.1:${await freePort()}`;
  const options: CometbftLedgerOptions = {
    binary,
    directory,
    genesis,
    validatorSeed: seeds[0]!,
    p2p: { listen, peers: [], loopback: true },
    verifyWorkers: 1,
  };
  const committed: [string, number][] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const run = await runAndKill(options, round, 30 + 40 * round);
    committed.push(...run.committed);
    // It ends by itself when we are gone; if it did not, the next start would find its database locked.
    await untilGone(run.engine);
  }
  const ledger = await openCometbftLedger(options);
  try {
    assert.ok(committed.length > 200, `only ${committed.length} were acknowledged`);
    for (const [id, height] of committed) {
      const receipt = await ledger.receipt(fromHex(id), "committed");
      assert.equal(receipt.height, height);
      assert.equal(receipt.results[0]?.outcome, "accepted");
    }
    // No height is missing, and each names the one before.
    let before: cometbft.LightBlock | undefined;
    for (let height = 1; height <= ledger.height(); height++) {
      const light = cometbft.decodeLightBlock(ledger.lightBlock(height) as Bytes);
      assert.ok(ledger.block(height) !== undefined);
      if (before !== undefined) assert.deepEqual(light.header.lastBlockId, before.commit.blockId);
      before = light;
    }
  } finally {
    await ledger.close();
  }
});
