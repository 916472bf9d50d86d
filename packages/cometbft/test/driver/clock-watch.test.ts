import assert from "node:assert/strict";
import { test } from "node:test";
import type { Time } from "@xinglin/ledger";
import { ClockWatch } from "../../src/driver/clock-watch.ts";

/** A machine whose clock is `offset` seconds ahead, and a chain that it sees. */
function machine(offset: number): {
  watch: ClockWatch;
  told: number[];
  block(chainSeconds: number, after: number): void;
  set(to: number): void;
} {
  let now = 1_000_000;
  let ahead = offset;
  const told: number[] = [];
  const at = (seconds: number): Time => ({ seconds: Math.floor(seconds), nanos: Math.round((seconds % 1) * 1e9) });
  const watch = new ClockWatch({
    clock: () => at(now + ahead),
    monotonic: () => now * 1000,
    onOffset: (seconds) => told.push(seconds),
  });
  return {
    watch,
    told,
    block: (chainSeconds, after) => {
      now += after;
      // One of four votes is of a clock that is far off: the median is not moved.
      watch.onCommit([at(chainSeconds), at(chainSeconds + 0.1), at(chainSeconds + 900), at(chainSeconds + 0.05)]);
    },
    set: (to) => {
      ahead = to;
    },
  };
}

for (const offset of [180, -180])
  test(`a clock that is ${offset} s off is told of once, and again when it is right`, () => {
    const { watch, told, block, set } = machine(offset);
    for (let i = 0; i <= 20; i++) block(1_000_000 + i, i === 0 ? 0 : 1);
    assert.deepEqual(told, [offset]);
    assert.equal(watch.offsetSeconds, offset);
    set(offset / 2);
    block(1_000_021, 1);
    set(0);
    for (let i = 22; i < 25; i++) block(1_000_000 + i, 1);
    assert.deepEqual(told, [offset, offset / 2, 0]);
    assert.equal(watch.offsetSeconds, 0);
  });

test("old blocks that a node catches up with say nothing of its clock; the live ones after them do", () => {
  const { watch, told, block } = machine(0);
  // An hour of blocks, in ten seconds.
  for (let i = 0; i < 3_600; i++) block(996_400 + i, 1 / 360);
  assert.deepEqual(told, []);
  assert.equal(watch.offsetSeconds, undefined);
  for (let i = 0; i < 10; i++) block(1_000_010 + i, i === 0 ? 0.01 : 1);
  assert.deepEqual([told, watch.offsetSeconds], [[], 0]);
});

test("a chain that stood still for a minute leaves a right clock right", () => {
  const { told, block } = machine(0);
  for (let i = 0; i < 10; i++) block(1_000_000 + i, i === 0 ? 0 : 1);
  block(1_000_069, 60);
  for (let i = 0; i < 10; i++) block(1_000_070 + i, 1);
  assert.deepEqual(told, []);
});
