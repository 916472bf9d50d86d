import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CONSORTIUM_ELECTION, type Measured, newcomerScore, type Operation, pointsOf, scoreOf } from "../../src/index.ts";
import { anchor, bytes, patient, record, request } from "../support/world.ts";

const { weights } = CONSORTIUM_ELECTION;
const usual: Measured = { points: 10, freeMegabytes: 1000, answeredPerMille: 1000, due: 90, signed: 90 };
const typical = { points: 10, freeMegabytes: 1000 };

test("a record is one point, a batch the binary digits of its count, anything else none", () => {
  const batch = (count: number): Operation => ({ op: "anchorBatch", root: bytes(32, 1), count });
  assert.deepEqual(
    [1, 2, 3, 4, 1000, 1_048_575].map((count) => pointsOf(batch(count))),
    [1, 2, 2, 3, 10, 20],
  );
  assert.deepEqual([anchor(record(1), patient), request].map(pointsOf), [1, 0]);
});

test("an ordinary node scores a million; a newcomer the base", () => {
  assert.equal(scoreOf(weights, usual, typical), 1_000_000);
  assert.equal(newcomerScore(weights), 400_000);
  assert.equal(scoreOf(weights, { points: 0, freeMegabytes: 0, answeredPerMille: 0, due: 0, signed: 0 }, typical), 400_000);
});

test("two thirds of the commits count in full, and no flood counts more than twice", () => {
  assert.equal(scoreOf(weights, { ...usual, signed: 60 }, typical), 1_000_000);
  assert.ok(scoreOf(weights, { ...usual, signed: 59 }, typical) < 1_000_000);
  const twice = scoreOf(weights, { ...usual, points: 20 }, typical);
  assert.equal(twice, 1_200_000);
  assert.equal(scoreOf(weights, { ...usual, points: 1_000_000_000_000 }, typical), twice);
  assert.equal(
    scoreOf(weights, { ...usual, points: 2 }, { ...typical, points: 0 }),
    twice,
    "where half have none, two points are twice",
  );
});

test("a score is an integer within its bounds, and more of anything never lowers it", () => {
  const large = fc.nat({ max: 1_000_000_000_000 });
  const measured = fc
    .record({
      points: large,
      freeMegabytes: fc.nat(1_000_000_000),
      answeredPerMille: fc.nat(1000),
      due: large,
      share: fc.nat(1000),
    })
    .map(({ share, ...rest }) => ({ ...rest, signed: Math.floor((rest.due * share) / 1000) }));
  const weight = fc.nat(1000);
  const anyWeights = fc.record({ base: fc.integer({ min: 1, max: 1000 }), records: weight, storage: weight, stability: weight });
  fc.assert(
    fc.property(anyWeights, measured, large, fc.nat(1_000_000_000), (by, one, points, freeMegabytes) => {
      const medians = { points, freeMegabytes };
      const score = scoreOf(by, one, medians);
      assert.ok(Number.isSafeInteger(score) && score >= 1000 && score <= 6_000_000);
      assert.ok(scoreOf(by, { ...one, points: one.points + 1 }, medians) >= score);
      assert.ok(scoreOf(by, { ...one, signed: one.due }, medians) >= score);
    }),
    { numRuns: 500 },
  );
});
