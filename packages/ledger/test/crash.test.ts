import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { chainIdOf, decodeAuditEntry } from "@xinglin/contracts";
import { merkle } from "@xinglin/crypto/pure";
import { fromHex, toHex } from "@xinglin/primitives";
import { decodeClosedLog, decodeLogHead } from "../src/log-head.ts";
import { openLedger } from "../src/solo-ledger.ts";
import { genesisBytes, VALIDATOR } from "./support/chain.ts";
import { checkChain } from "./support/check-chain.ts";
import { atEnd, folder } from "./support/folder.ts";

const ROUNDS = 6;
const child = fileURLToPath(new URL("./crash-child.ts", import.meta.url));

/** Runs a child until it has acknowledged `after` transactions, then kills it a random moment later. */
async function runAndKill(
  directory: string,
  round: number,
  after: number,
): Promise<{ committed: [string, number][]; signs: string[] }> {
  const process_ = spawn(process.execPath, [child, directory, String(round)], { stdio: ["ignore", "pipe", "inherit"] });
  const committed: [string, number][] = [];
  const signs: string[] = [];
  let killing = false;
  const lines = createInterface({ input: process_.stdout });
  lines.on("line", (line) => {
    const [what, first = "", second = ""] = line.split(" ");
    if (what === "signs" && second.length === 64) signs.push(`${first} ${second}`);
    if (what === "committed" && first.length === 64) committed.push([first, Number(second)]);
    if (committed.length < after || killing) return;
    killing = true;
    setTimeout(() => process_.kill("SIGKILL"), Math.random() * 25);
  });
  const [[, signal]] = await Promise.all([once(process_, "exit"), once(lines, "close")]);
  assert.equal(signal, "SIGKILL");
  return { committed, signs };
}

test("killed at random moments under load: nothing acknowledged is lost, no height is signed twice, one chain remains", async (context) => {
  const directory = await folder(context);
  const genesis = genesisBytes({ maxBlockGapSeconds: 1, logEpochEntries: 300 });
  const chain = chainIdOf(genesis);
  const committed: [string, number][] = [];
  const signedAt = new Map<string, string>();
  for (let round = 0; round < ROUNDS; round++) {
    const run = await runAndKill(directory, round, 40 + 60 * round);
    committed.push(...run.committed);
    for (const signs of run.signs) {
      const [height, hash] = signs.split(" ") as [string, string];
      assert.equal(signedAt.get(height) ?? hash, hash, `two blocks were signed at ${height}`);
      signedAt.set(height, hash);
    }
  }
  const ledger = await openLedger({ directory, genesis, validator: VALIDATOR, verifyWorkers: 1 });
  atEnd(context, () => ledger.close());
  checkChain(ledger, chain, VALIDATOR.publicKey);
  assert.ok(committed.length > 500, `only ${committed.length} were acknowledged`);
  for (const [id, height] of committed) {
    const receipt = await ledger.receipt(fromHex(id), "provable");
    assert.equal(receipt.height, height);
    assert.equal(receipt.results[0]?.outcome, "accepted");
  }
  // The log holds each transaction once, in the order of the blocks, and every entry that is asked for proves itself.
  const entries = [...ledger.entries(0, ledger.entryCount())].map(({ entry }) => decodeAuditEntry(entry));
  const once_ = new Set(entries.map(({ transaction }) => toHex(transaction)));
  assert.equal(once_.size, entries.length);
  assert.ok(committed.every(([id]) => once_.has(id)));
  assert.ok(entries.every(({ height }, i) => i === 0 || height >= entries[i - 1]!.height));
  for (let sequence = 0; sequence < entries.length; sequence += 37) {
    const { entry, index, size, path, head } = ledger.proveEntry(sequence);
    const { root } = head.key === "log" ? decodeLogHead(head.value) : decodeClosedLog(head.value!);
    assert.ok(merkle.verifyInclusion(entry, index, size, path, root));
  }
});
