/** A node that is killed while it takes in a snapshot starts empty, and the next attempt is whole. */
import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { chainIdOf } from "@xinglin/contracts";
import { toHex } from "@xinglin/primitives";
import { anchor, genesisBytes, signed } from "./support/chain.ts";
import { atEnd, folder } from "./support/folder.ts";
import { GENESIS_TIME, HandDrivenNode } from "./support/node.ts";

const genesis = genesisBytes();
const chain = chainIdOf(genesis);
const notAfter = { time: GENESIS_TIME + 300, height: 1_000 };
const tx = (name: string) =>
  signed({ chain, key: "hospital-a", operations: Array.from({ length: 60 }, (_, i) => anchor(`${name} ${i}`)), notAfter });

/** Runs a child on the data folder; kills it once it told of so many chunks. Returns its lines. */
async function taking(path: string, snapshots: string, appHash: string, killedAfter?: number): Promise<string[]> {
  const child = fork(new URL("./snapshot-child.ts", import.meta.url), [path, snapshots, appHash], {
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
  const ended = once(child, "exit");
  const lines: string[] = [];
  try {
    for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
      lines.push(line);
      if (lines.filter((one) => one === "chunk accept").length === killedAfter) child.kill("SIGKILL");
    }
    const [code, signal] = await ended;
    if (killedAfter === undefined) assert.equal(code, 0);
    else assert.equal(signal, "SIGKILL");
  } finally {
    child.kill("SIGKILL");
  }
  return lines;
}

test("killed at any chunk, the node starts empty and takes the snapshot in anew", async (context) => {
  const home = await folder(context);
  const source = await HandDrivenNode.open(home, genesis, { everyBlocks: 5, partBytes: 1_500 });
  atEnd(context, () => source.close());
  for (let height = 1; height <= 5; height++) await source.block([tx(`block ${height}`)]);
  await source.snapshots.settled();
  const chunks = source.snapshots.list()[0]?.chunks as number;
  assert.ok(chunks > 10);
  const appHash = toHex(source.application.appHash);
  const path = await folder(context);
  for (const killedAfter of [1, Math.floor(chunks / 2), chunks - 1]) {
    const [first, answer] = await taking(path, join(home, "snapshots"), appHash, killedAfter);
    assert.deepEqual([first, answer], ["open at 0", "accept"]);
  }
  const between = await HandDrivenNode.open(path, genesis);
  assert.equal(between.application.height, 0);
  const rows = (await between.database.keys().all()).map((key) => Buffer.from(key).toString());
  assert.deepEqual(
    rows.filter((key) => !key.startsWith("m/")),
    [],
    "nothing is left of the attempts",
  );
  await between.close();
  assert.equal((await taking(path, join(home, "snapshots"), appHash)).at(-1), "at 5");
  const joined = await HandDrivenNode.open(path, genesis);
  atEnd(context, () => joined.close());
  assert.equal(toHex(joined.application.appHash), appHash);
  const block = [tx("after")];
  assert.deepEqual((await joined.block(block)).appHash, (await source.block(block)).appHash);
});
