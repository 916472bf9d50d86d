/**
 * Takes the only snapshot of the folder in argv[3] into the data folder in argv[2], and tells of each chunk: meant to be killed.
 */
import { writeSync } from "node:fs";
import { fromHex } from "@xinglin/primitives";
import { readChunk, readSnapshots } from "../src/snapshot/files.ts";
import { genesisBytes } from "./support/chain.ts";
import { HandDrivenNode } from "./support/node.ts";

const [path, snapshots, appHash] = process.argv.slice(2) as [string, string, string];
const node = await HandDrivenNode.open(path, genesisBytes());
const say = (line: string): void => {
  writeSync(1, `${line}\n`);
};
say(`open at ${node.application.height}`);
const [snapshot] = await readSnapshots(snapshots);
if (snapshot === undefined) throw new Error("no snapshot");
say(await node.sink.offer(snapshot, fromHex(appHash)));
for (let i = 0; i < snapshot.chunks; i++) {
  const { result } = await node.sink.apply(i, await readChunk(snapshots, snapshot.height, i), "peer");
  say(`chunk ${result}`);
}
say(`at ${node.application.height}`);
await node.close();
