import assert from "node:assert/strict";
import { test } from "node:test";
import { Fault } from "@xinglin/primitives";
import type { Measure } from "../src/measure.ts";
import { runWith } from "../src/network.ts";
import type { Trial } from "../src/network-nodes.ts";
import { sharesOf } from "../src/network-profile.ts";
import { type Loadable, search } from "../src/network-rates.ts";

test("without Go every measure is skipped, with how to get it", async () => {
  const emitted: Measure[] = [];
  const missing = (): Promise<string> => Promise.reject(new Fault("go_missing", { wanted: "1.25", found: "-" }));
  await runWith(missing, { quick: false, emit: (measure) => emitted.push(measure) });
  for (const measure of emitted) assert.match("skipped" in measure ? measure.skipped : "", /go\.dev/);
  for (const name of ["ops-1", "ops-16", "ops-64", "ops-16-capacity", "overload", "cpu-per-1000"])
    assert.ok(
      emitted.some(({ measure }) => measure === name),
      name,
    );
});

test("an engine that could not be built is no reason to skip", async () => {
  const failed = (): Promise<string> => Promise.reject(new Fault("engine_build_failed", {}));
  await assert.rejects(runWith(failed, { quick: true, emit: () => {} }), { code: "engine_build_failed" });
});

/** A network that commits `capacity` a second whatever is offered, with a latency that grows as it falls behind. */
function pretended(capacity: number): Loadable {
  let made = 0;
  const trial = (offeredPerSecond: number): Trial => {
    const seconds = Math.max(made / capacity, offeredPerSecond === 0 ? 0 : made / offeredPerSecond);
    const behindMs = offeredPerSecond === 0 ? 0 : (seconds - made / offeredPerSecond) * 1_000;
    const cpu = { cometbft: 0, signatures: 0, mainThread: 0, database: 0, runtime: 0, load: 0 };
    const latencies = Array.from({ length: made }, (_, i) => 100 + (behindMs * i) / made);
    const rest = { operations: 1, turnedAway: 0, committedAt: [], blocksAt: [], startAt: 0, cpu };
    return { ...rest, offeredPerSecond, committed: made, seconds, latencies };
  };
  return {
    size: 1,
    make: async (_kind, count) => {
      made = Math.ceil(count);
    },
    drive: async () => trial(0),
    pace: async (perSecond) => trial(perSecond),
  };
}

test("the search comes close to what a network carries, and never above it", async () => {
  for (const capacity of [50, 700, 3_000]) {
    const { best, all } = await search(pretended(capacity), {
      operations: 1,
      guess: 1_000,
      pilotSeconds: 2,
      trialSeconds: 10,
      trials: 6,
    });
    assert.equal(all.length, 6);
    const rate = best === undefined ? 0 : best.committed / best.seconds;
    assert.ok(rate > capacity * 0.85 && rate <= capacity * 1.01, `${rate} of ${capacity}`);
  }
});

test("time below the project counts for the function of the project that called it", () => {
  const frame = (functionName: string, url: string) => ({ functionName, url, scriptId: "0", lineNumber: 0, columnNumber: 0 });
  const nodes = [
    { id: 1, callFrame: frame("(root)", ""), children: [2, 5, 6] },
    { id: 2, callFrame: frame("decide", "file:///x/packages/contracts/src/a.ts"), children: [3] },
    { id: 3, callFrame: frame("map", ""), children: [4] },
    { id: 4, callFrame: frame("encode", "file:///x/packages/primitives/src/cbor.ts") },
    { id: 5, callFrame: frame("(idle)", "") },
    { id: 6, callFrame: frame("(garbage collector)", "") },
  ];
  const samples = [2, 3, 4, 5, 6];
  const timeDeltas = [1e6, 2e6, 3e6, 50e6, 4e6];
  const { seconds, shares } = sharesOf({ nodes, samples, timeDeltas, startTime: 0, endTime: 0 });
  assert.equal(seconds, 10);
  assert.deepEqual(shares, { runtime: 0, rules: 0.3, encoding: 0.3, garbage: 0.4 });
});
