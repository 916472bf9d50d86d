/** When a node looks and tells within an epoch, and what its looks come to. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { MemberId } from "@xinglin/primitives";
import fc from "fast-check";
import { pick, planEpoch } from "../../src/probing/epoch-plan.ts";
import { EpochSightings } from "../../src/probing/epoch-sightings.ts";
import { seeded } from "../support/fake-chain.ts";

test("rounds are spread over the first part of the epoch, and it is told before the end, whatever was drawn", () => {
  const plans = fc.record({
    epochBlocks: fc.integer({ min: 2, max: 5_000 }),
    since: fc.nat(1_000_000),
    into: fc.double({ min: 0, max: 1.5, noNaN: true }),
    rounds: fc.integer({ min: 2, max: 64 }),
    seed: fc.nat(),
  });
  fc.assert(
    fc.property(plans, ({ epochBlocks, since, into, rounds, seed }) => {
      const now = since + Math.floor(into * epochBlocks);
      const plan = planEpoch({ epoch: 7, since, epochBlocks }, now, rounds, seeded(seed));
      const heights = plan.rounds.map(({ height }) => height);
      const until = since + Math.floor(0.6 * epochBlocks);
      assert.deepEqual(
        heights,
        [...heights].sort((a, b) => a - b),
      );
      assert.ok(heights.every((height) => height >= Math.min(now, until) && height <= until));
      assert.ok(plan.tellFrom >= until && plan.tellFrom <= since + 0.8 * epochBlocks);
      assert.equal(plan.endsFrom, since + epochBlocks);
      assert.equal(plan.rounds.filter(({ withTransfer }) => withTransfer).length, 2);
    }),
    { numRuns: 300 },
  );
});

test("two nodes' plans differ", () => {
  const of = (seed: number) => planEpoch({ epoch: 1, since: 0, epochBlocks: 2_000 }, 0, 8, seeded(seed));
  assert.notDeepEqual(of(1), of(2));
});

test("a draw has no number twice", () => {
  assert.deepEqual(pick(5, 9, seeded(3)).sort(), [0, 1, 2, 3, 4]);
  assert.equal(pick(9, 3, seeded(4)).length, 3);
});

const B = "b" as MemberId;
const C = "c" as MemberId;
const seen = (member: MemberId, answered: boolean, freeMegabytes?: number, kilobytesPerSecond?: number) => ({
  member,
  answered,
  freeMegabytes,
  kilobytesPerSecond,
});

test("answers are a share, space is the newest, the fastest transfer counts", () => {
  const sightings = new EpochSightings();
  sightings.add([seen(B, true, 500, 90), seen(C, true, 1, 10)]);
  sightings.add([seen(B, false), seen(C, true, 2, 0)]);
  sightings.add([seen(B, true, 400, 120), seen(C, true)]);
  assert.deepEqual(sightings.of(B), { answeredPerMille: 666, kilobytesPerSecond: 120, freeMegabytes: 400 });
  assert.deepEqual(sightings.of(C), { answeredPerMille: 1000, kilobytesPerSecond: 10, freeMegabytes: 2 });
});

test("nothing is said of whom too little was seen, and a round without any answer is this node's own trouble", () => {
  const sightings = new EpochSightings();
  sightings.add([seen(B, true, 5, 5), seen(C, true)]);
  assert.equal(sightings.of(B), undefined, "one round");
  sightings.add([seen(B, false, undefined, 0), seen(C, false, undefined, 0)]);
  assert.equal(sightings.of(B), undefined, "a round that nobody answered");
  sightings.add([seen(B, true), seen(C, true)]);
  assert.deepEqual(sightings.of(B), { answeredPerMille: 1000, kilobytesPerSecond: 5, freeMegabytes: 5 });
  assert.equal(sightings.of(C), undefined, "no transfer");
  assert.equal(sightings.of("d" as MemberId), undefined);
});
