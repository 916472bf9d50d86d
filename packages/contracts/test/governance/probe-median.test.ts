import assert from "node:assert/strict";
import { test } from "node:test";
import type { MemberId } from "@xinglin/primitives";
import fc from "fast-check";
import { answeredAsTold, credited, judged } from "../../src/governance/probe-median.ts";
import type { Observation, Probes } from "../../src/index.ts";

const ELEMENTS = ["answeredPerMille", "kilobytesPerSecond", "freeMegabytes"] as const;
const anySeen: fc.Arbitrary<Observation> = fc.record({
  answeredPerMille: fc.nat(1000),
  kilobytesPerSecond: fc.nat(1_000_000_000),
  freeMegabytes: fc.nat(1_000_000_000),
});
const extreme: fc.Arbitrary<Observation> = fc.constantFrom(
  { answeredPerMille: 0, kilobytesPerSecond: 0, freeMegabytes: 0 },
  { answeredPerMille: 1000, kilobytesPerSecond: 1_000_000_000, freeMegabytes: 1_000_000_000 },
);
const probes = (seen: readonly Observation[]): Probes["by"] =>
  seen.map((one, n) => ({ member: `member-${n}` as MemberId, seen: one }));

test("a minority of liars, who may also stay silent, moves neither median beyond what honest probers saw", () => {
  let silent = 0;
  let loud = 0;
  fc.assert(
    fc.property(
      fc.array(anySeen, { minLength: 1, maxLength: 30 }),
      fc.array(fc.option(fc.oneof(extreme, anySeen)), { maxLength: 30 }),
      (honest, liars) => {
        const lying = liars.slice(0, honest.length - 1);
        const said = lying.filter((one) => one !== null);
        if (said.length < lying.length) silent++;
        else loud++;
        const seen = probes([...said, ...honest]);
        const others = honest.length + lying.length;
        const credit = credited(seen, others);
        const judgement = judged(seen, others);
        assert.ok(judgement !== undefined);
        for (const element of ELEMENTS) {
          const values = honest.map((one) => one[element]);
          const [least, most] = [Math.min(...values), Math.max(...values)];
          for (const median of [credit[element], judgement[element]]) assert.ok(least <= median && median <= most, element);
          assert.ok(credit[element] <= judgement[element]);
        }
        assert.deepEqual(credited([...seen].reverse(), others), credit);
      },
    ),
    { numRuns: 1_000 },
  );
  assert.ok(silent > 50 && loud > 50, `generator too narrow: ${silent} silent, ${loud} loud`);
});

test("silence gives no credit and holds nothing against a node", () => {
  const low: Observation = { answeredPerMille: 1, kilobytesPerSecond: 1, freeMegabytes: 1 };
  assert.deepEqual(credited([], 3), { answeredPerMille: 0, kilobytesPerSecond: 0, freeMegabytes: 0 });
  assert.equal(judged([], 3), undefined);
  assert.equal(judged(probes([low]), 3), undefined, "one of three is no judgement");
  assert.deepEqual(judged(probes([low, low]), 3), low);
  assert.deepEqual(credited(probes([low, low]), 3), low);
  assert.equal(judged([], 0), undefined);
  const high: Observation = { answeredPerMille: 9, kilobytesPerSecond: 9, freeMegabytes: 9 };
  assert.deepEqual(credited(probes([high, low]), 3), low, "nothing, low, high");
  assert.deepEqual(judged(probes([high, low]), 3), high, "low, high, anything");
});

test("what a node is worth to readers is the median of those who told: silence takes nothing away, nor does one liar among three", () => {
  const told = (...values: number[]): number =>
    answeredAsTold(probes(values.map((answeredPerMille) => ({ answeredPerMille, kilobytesPerSecond: 1, freeMegabytes: 1 }))));
  assert.deepEqual([told(), told(700), told(400, 900), told(0, 990, 1000), told(1000, 0, 10)], [0, 700, 400, 990, 10]);
});
