/** A process killed at any instant leaves the last committed block, whole. */
import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { openState } from "../src/index.ts";
import { CRASH_KEYS, mapAt } from "./crash-blocks.ts";
import { folder, hex, openLevel } from "./fixture.ts";
import { referenceRoot } from "./reference.ts";

const ROUNDS = 6;
const text = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString();

/** Lets a child commit to `path` and kills it at a random moment after some blocks; returns the last block it told of. */
async function killedAfter(path: string, blocks: number): Promise<{ height: number; root: string }> {
  const child = fork(new URL("./crash-child.ts", import.meta.url), [path], { stdio: ["ignore", "pipe", "inherit", "ipc"] });
  const ended = once(child, "exit");
  let told = { height: 0, root: "" };
  let heard = 0;
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    const [height, root] = line.split(" ");
    told = { height: Number(height), root: root as string };
    // Between two blocks, and at an arbitrary point of the next.
    if (++heard === blocks) setTimeout(() => child.kill("SIGKILL"), Math.random() * 8);
  }
  const [, signal] = await ended;
  assert.equal(signal, "SIGKILL");
  return told;
}

test("a killed process leaves the last committed block", async (t) => {
  const path = await folder(t);
  let last = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const told = await killedAfter(path, 3 + Math.floor(Math.random() * 30));
    assert.ok(told.height > last, "each round adds blocks");
    const db = await openLevel(path);
    const state = await openState(db, { keepVersions: 3, windowBytes: 250_000, cacheBytes: 100_000 });
    // A block whose commit was durable but not yet told of counts too.
    assert.ok(state.height === told.height || state.height === told.height + 1, `${state.height} after ${told.height}`);
    const map = mapAt(state.height);
    const root = referenceRoot(map);
    assert.equal(hex(state.root), root);
    if (state.height === told.height) assert.equal(told.root, root);
    for (let i = 0; i < CRASH_KEYS; i++) assert.deepEqual(text(state.get(`k/${i}`)), text(map.get(`k/${i}`)));
    assert.equal(hex(state.prove("k/1", state.height - 1).root), referenceRoot(mapAt(state.height - 1)));
    last = state.height;
    await db.close();
  }
});
