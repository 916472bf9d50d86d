import assert from "node:assert/strict";
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { measurePeers } from "../src/archive-peers.ts";
import type { Measure } from "../src/measure.ts";
import type { Peer, RunningPeer } from "../src/peers/peer.ts";

const SIZE = 300_000;

/** A peer that copies a file, with what a test changes of it. */
function pretended(name: string, changes: Partial<Peer> = {}, running: Partial<RunningPeer> = {}): Peer & { stopped: number } {
  const peer = {
    name,
    title: name,
    stopped: 0,
    cached: async () => "a program",
    obtain: async () => "a program",
    start: async (_program: string, folder: string): Promise<RunningPeer> => ({
      pids: [],
      reset: async () => {},
      write: async (file) => copyFile(file, join(folder, "copy")),
      read: async (into) => {
        await mkdir(into);
        await copyFile(join(folder, "copy"), join(into, "study"));
      },
      stop: async () => void peer.stopped++,
      ...running,
    }),
    ...changes,
  };
  return peer;
}

async function measured(quick: boolean, ...peers: Peer[]): Promise<Measure[]> {
  const emitted: Measure[] = [];
  await measurePeers({ quick, sizeBytes: SIZE }, (measure) => emitted.push(measure), peers);
  return emitted;
}

const reasonsOf = (measures: readonly Measure[]): (string | undefined)[] =>
  measures.map((measure) => ("skipped" in measure ? measure.skipped : undefined));

test("a peer is written and read beside ours, and stopped", async () => {
  const peer = pretended("copy", { floor: 2 });
  const measures = await measured(false, peer);
  assert.deepEqual(
    measures.map(({ measure }) => measure),
    ["copy-write", "copy-read"],
  );
  for (const measure of measures) assert.ok("value" in measure && measure.value > 0 && measure.conditions.demand === "≥ 2 ×");
  assert.equal(peer.stopped, 1);
});

test("one that can't be had, does not start, fails or gives back other bytes is skipped by name, and the next is measured", async () => {
  const fails = (reason: string) => async (): Promise<never> => {
    throw new Error(reason);
  };
  const wrong = pretended("wrong", {}, { read: async (into) => mkdir(into).then(() => writeFile(join(into, "study"), "else")) });
  const measures = await measured(
    false,
    pretended("absent", { cached: async () => undefined, obtain: fails("no network") }),
    pretended("broken", { start: fails("port in use") }),
    pretended("full", {}, { write: fails("no room") }),
    wrong,
    pretended("copy"),
  );
  assert.equal(wrong.stopped, 1);
  const reasons = reasonsOf(measures);
  for (const [i, reason] of [/absent .*no network/, /broken .*port in use/, /full .*no room/, /wrong .*other bytes/].entries())
    assert.match(reasons[2 * i] ?? "", reason);
  assert.deepEqual(reasons.slice(8), [undefined, undefined]);
});

test("a quick run starts none", async () => {
  const peer = pretended("copy", {
    start: async () => {
      throw new Error("started");
    },
  });
  for (const reason of reasonsOf(await measured(true, peer))) assert.match(reason ?? "", /--quick/);
});
