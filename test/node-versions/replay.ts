/**
 * Replays recorded chains in new folders, under whatever Node runs this, and prints the app hash of every block as JSON. Arguments: the file with the
 * recordings, a folder to work in.
 */
import { readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { toHex } from "@xinglin/primitives";
import { HandDrivenNode } from "../../packages/ledger/test/support/node.ts";
import { recordingsFromText } from "./recording.ts";

const [file, folder] = process.argv.slice(2) as [string, string];
const hashes: Record<string, string[]> = {};
for (const [i, { name, genesis, blocks }] of recordingsFromText(readFileSync(file, "utf8")).entries()) {
  const node = await HandDrivenNode.open(join(folder, String(i)), genesis);
  const found: string[] = [];
  for (const { input } of blocks) {
    found.push(toHex((await node.application.finalizeBlock(input)).appHash));
    await node.application.commit();
  }
  hashes[name] = found;
}
writeSync(1, JSON.stringify({ hashes }));
// What is open goes with the process; nothing of it is read again.
process.exit(0);
