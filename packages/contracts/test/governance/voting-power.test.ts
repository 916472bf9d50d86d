import assert from "node:assert/strict";
import { test } from "node:test";
import type { MemberId } from "@xinglin/primitives";
import fc from "fast-check";
import { POWER_UNITS, powerChanges, powersOf, stepTowards, type Validator } from "../../src/index.ts";
import { bytes } from "../support/world.ts";

const key = (n: number) => Uint8Array.of(n >> 8, n & 255, ...bytes(30, 1));
const memberOf = (n: number): MemberId => `member-${n}` as MemberId;
const scored = (scores: readonly number[]) => scores.map((score, n) => ({ publicKey: key(n), member: memberOf(n), score }));
const elected = (scores: readonly number[], ids: readonly number[], capPerMille = 330): Validator[] => {
  const powers = powersOf(scored(scores), capPerMille);
  return scores.map((_, i) => ({ publicKey: key(ids[i]!), member: memberOf(ids[i]!), power: powers[i]! }));
};
const total = (set: readonly { readonly power: number }[]): number => set.reduce((sum, { power }) => sum + power, 0);
/** Whether `parts` of `whole` is less than a third, exactly. */
const belowThird = (part: number, whole: number): boolean => BigInt(part) * 3n < BigInt(whole);
/** The share of power that changes hands between two sets is less than a third: in fractions of the totals, without rounding. */
function movesBelowThird(from: readonly Validator[], to: readonly Validator[]): boolean {
  const [before, after] = [BigInt(total(from)), BigInt(total(to))];
  const powers = (set: readonly Validator[]) => new Map(set.map(({ member, power }) => [member, BigInt(power)]));
  const [old, next] = [powers(from), powers(to)];
  let moved = 0n;
  for (const member of new Set([...old.keys(), ...next.keys()])) {
    const change = (next.get(member) ?? 0n) * before - (old.get(member) ?? 0n) * after;
    if (change > 0n) moved += change;
  }
  return moved * 3n < before * after;
}

const anyScore = fc.oneof(fc.integer({ min: 1, max: 6_000_000 }), fc.constantFrom(1, 1000, 6_000_000));

test("from four on every share is below a third and at least 1, whatever the scores and the cap; below four all are equal", () => {
  let capped = 0;
  let free = 0;
  fc.assert(
    fc.property(fc.array(anyScore, { minLength: 1, maxLength: 100 }), fc.integer({ min: 250, max: 330 }), (scores, cap) => {
      const powers = powersOf(scored(scores), cap);
      const whole = powers.reduce((sum, power) => sum + power, 0);
      assert.ok(Math.abs(whole - POWER_UNITS) <= 100);
      assert.ok(powers.every((power) => Number.isSafeInteger(power) && power >= 1));
      if (scores.length < 4) return assert.equal(new Set(powers).size, 1);
      assert.ok(powers.every((power) => belowThird(power, whole) && power <= cap * 1000));
      if (powers.some((power) => power === cap * 1000)) capped++;
      else free++;
      // Who scores more never has less.
      for (const [i, score] of scores.entries())
        for (const [j, other] of scores.entries()) if (score > other) assert.ok(powers[i]! >= powers[j]!);
    }),
    { numRuns: 500 },
  );
  assert.ok(capped > 20 && free > 20, `generator too narrow: ${capped} capped, ${free} not`);
});

test("power follows the score: a worked example", () => {
  assert.deepEqual(powersOf(scored([1_000_000, 1_000_000, 1_000_000, 500_000]), 330), [285_714, 285_714, 285_714, 142_857]);
  assert.deepEqual(powersOf(scored([6_000_000, 1_000_000, 1_000_000, 1_000_000]), 330), [330_000, 223_333, 223_333, 223_333]);
  assert.deepEqual(powersOf(scored([9, 9, 1, 1]), 330), [330_000, 330_000, 170_000, 170_000]);
  assert.deepEqual(powersOf(scored([1, 2, 3]), 330), [333_333, 333_333, 333_333]);
});

const anySet = fc
  .uniqueArray(fc.tuple(fc.integer({ min: 0, max: 130 }), anyScore), { selector: ([id]) => id, minLength: 1, maxLength: 100 })
  .map((rows) =>
    elected(
      rows.map(([, score]) => score),
      rows.map(([id]) => id),
    ),
  );

test("a step moves less than a third, keeps every share below a third, and arrives in a few steps; the order of members says nothing", () => {
  let whole = 0;
  let parts = 0;
  fc.assert(
    fc.property(anySet, anySet, fc.integer({ min: 30, max: 330 }), (current, wanted, step) => {
      let set: readonly Validator[] = current;
      const areMany = current.length >= 4 && wanted.length >= 4;
      for (let steps = 0; steps < 1000; steps++) {
        const next = stepTowards(set, wanted, step);
        const reversed = stepTowards([...set].reverse(), [...wanted].reverse(), step);
        assert.deepEqual([...reversed].sort(byMember), [...next].sort(byMember));
        if (next === set) break;
        assert.ok(next.every(({ power }) => Number.isSafeInteger(power) && power >= 1));
        if (areMany) {
          assert.ok(movesBelowThird(set, next), "moved a third at once");
          assert.ok(
            next.every(({ power }) => belowThird(power, total(next))),
            "somebody holds a third",
          );
        }
        if (
          steps === 0 &&
          next.length === wanted.length &&
          next.every((one, i) => one.power === [...wanted].sort(byMember)[i]!.power)
        )
          whole++;
        else parts++;
        set = next;
      }
      assert.deepEqual([...set].sort(byMember), [...wanted].sort(byMember), "never arrived");
    }),
    { numRuns: 300 },
  );
  assert.ok(whole > 20 && parts > 20, `generator too narrow: ${whole} at once, ${parts} in parts`);
});
const byMember = (a: Validator, b: Validator): number => (a.member < b.member ? -1 : 1);

test("powers of a genesis, up to the largest there may be, are brought to units without a loss that moves anybody", () => {
  const equalPowers = (power: number, size: number): Validator[] =>
    Array.from({ length: size }, (_, n) => ({ publicKey: key(n), member: memberOf(n), power }));
  for (const size of [1, 2, 3, 4, 7, 100])
    for (const power of [1, 10, 1_000_000_000]) {
      const set = equalPowers(power, size);
      const wanted = elected(
        set.map(() => 5),
        set.map((_, n) => n),
      );
      assert.equal(stepTowards(set, wanted, 330), set, `${size} of ${power}: equal shares stay as they are`);
    }
  const uneven = equalPowers(1, 5).map((one, n) => ({ ...one, power: n === 0 ? 1_000_000_000 : 1 }));
  const next = stepTowards(uneven, elected([1, 1, 1, 1, 1], [0, 1, 2, 3, 4]), 330);
  assert.ok(movesBelowThird(uneven, next) && next[0]!.power < 680_000);
});

test("what consensus is told turns the one set into the other", () => {
  fc.assert(
    fc.property(anySet, anySet, (from, to) => {
      const told = new Map(from.map(({ publicKey, power }) => [String(publicKey), power]));
      for (const { publicKey, power } of powerChanges(from, to)) {
        assert.notEqual(told.get(String(publicKey)) ?? 0, power, "told what stands already");
        if (power === 0) told.delete(String(publicKey));
        else told.set(String(publicKey), power);
      }
      assert.deepEqual([...told].sort(), to.map(({ publicKey, power }) => [String(publicKey), power] as [string, number]).sort());
    }),
    { numRuns: 200 },
  );
});
