import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import {
  best,
  cpuSecondsOf,
  growthExponent,
  interleave,
  latency,
  median,
  peakRssBytes,
  percentile,
  processTree,
} from "../src/measure.ts";

test("percentiles are by nearest rank and do not sort their input", () => {
  const samples = [5, 1, 4, 2, 3];
  assert.equal(percentile(samples, 0.5), 3);
  assert.equal(percentile(samples, 0.2), 1);
  assert.equal(percentile(samples, 0.21), 2);
  assert.equal(percentile(samples, 1), 5);
  assert.deepEqual(samples, [5, 1, 4, 2, 3]);
  assert.throws(() => percentile([], 0.5), RangeError);
});

test("median, best and latency", () => {
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([9, 1, 5, 6]), 5.5);
  assert.equal(best([2, 9, 4]), 9);
  assert.equal(best([2, 9, 4], "lower"), 2);
  const milliseconds = Array.from({ length: 1_000 }, (_, i) => i + 1);
  assert.deepEqual(latency(milliseconds), { p50: 500, p99: 990, p999: 999, max: 1_000 });
});

test("the growth exponent of c·nᵉ is e", () => {
  for (const exponent of [0, 0.25, 1, 1.5]) {
    const points = [1e4, 1e5, 1e6].map((size) => ({ size, cost: 7 * size ** exponent }));
    assert.ok(Math.abs(growthExponent(points) - exponent) < 1e-9);
  }
  assert.throws(() => growthExponent([{ size: 1, cost: 1 }]), RangeError);
});

test("rounds interleave and warm-up is not counted", async () => {
  const order: string[] = [];
  const task = (name: string) => () => order.push(name);
  const samples = await interleave(2, { ours: task("ours"), limit: task("limit") }, 1);
  assert.deepEqual(order, ["ours", "limit", "ours", "limit", "ours", "limit"]);
  assert.deepEqual(samples, { ours: [3, 5], limit: [4, 6] });
  await assert.rejects(interleave(1, { broken: () => Number.NaN }), /broken/);
});

test("memory and CPU of a child are seen", { skip: process.platform === "linux" ? false : "reads /proc" }, async () => {
  const script = "const b=Buffer.alloc(6e7,1);let n=0;for(let i=0;i<3e7;i++)n+=i;console.log(b.length,n);process.stdin.resume()";
  const child = spawn(process.execPath, ["-e", script], { stdio: ["pipe", "pipe", "inherit"] });
  try {
    await once(child.stdout, "data");
    assert.ok(processTree().includes(child.pid!));
    assert.ok(peakRssBytes([child.pid!]) > 6e7);
    assert.ok(cpuSecondsOf([child.pid!]) > 0);
  } finally {
    child.kill();
    await once(child, "exit");
  }
  assert.ok(!processTree().includes(child.pid!));
});
