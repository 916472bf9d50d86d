/** The calculus of durability against published figures, and against slower ways to the same numbers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { unreadableNow } from "../../src/durability/availability.ts";
import { lossWithin, meanTimeToLoss } from "../../src/durability/birth-death.ts";
import { binomialTail, oddsOfMoreThan, type Risk } from "../../src/durability/risks.ts";
import { lossInRounds, rateOfAfr, repairDaysOf, yearlyLoss } from "../../src/durability/yearly-loss.ts";
import { siteOf } from "../../src/store/description.ts";

const holders = (count: number, availability: number) =>
  Array.from({ length: count }, (_, i) => ({ member: `m${i}`, site: siteOf({ member: `m${i}` }), availability }));
/** Equal to as many digits as the published figure has. */
const near = (actual: number, published: number, digits = 2): void =>
  assert.equal(actual.toPrecision(digits), published.toPrecision(digits));

/** P(unreadable) by code, at stores that are there 99 % and 98 % of the time. */
const PUBLISHED: readonly (readonly [k: number, m: number, at99: number, at98: number, digits: number])[] = [
  [10, 4, 1.9e-7, 5.5e-6, 2],
  [8, 4, 7.5e-8, 2.3e-6, 2],
  [6, 3, 1.2e-6, 1.9e-5, 2],
  [4, 2, 2.0e-5, 1.5e-4, 2],
  [10, 5, 4.6e-9, 2.7e-7, 2],
  [1, 2, 1.0e-6, 8e-6, 1],
];
for (const [k, m, at99, at98, digits] of PUBLISHED)
  test(`${k}+${m} is unreadable as often as published`, () => {
    near(unreadableNow(holders(k + m, 0.99), { m }).probability, at99, digits);
    near(unreadableNow(holders(k + m, 0.98), { m }).probability, at98, digits);
  });

test("repair in rounds gives the published yearly losses", () => {
  near(lossInRounds({ k: 10, m: 4 }, { perYear: rateOfAfr(0.05), roundDays: 7 }), 9.5e-11);
  near(lossInRounds({ k: 10, m: 4 }, { perYear: rateOfAfr(0.2), roundDays: 30 }), 4e-5, 1);
  // Backblaze, erasure-coding-durability, README: six pieces, 0.10 failures a year, replaced in a day.
  const published = [0.4512, 4.105e-4, 1.5e-7, 3.082e-11, 3.377e-15, 1.542e-19];
  published.forEach((loss, m) => {
    near(lossInRounds({ k: 6 - m, m }, { perYear: 0.1, roundDays: 1 }), loss, 4);
  });
});

test("mean times to loss are those of the RAID papers", () => {
  // Patterson, Gibson, Katz 1988: disks of 30,000 h, repaired in 1 h. Mirrors: 4,500,000 h for 100 pairs; level 5 with groups of 10 + 1:
  // 820,000 h for 10 groups, and of 25 + 1: 346,000 h for 4. The paper leaves out terms below one in a thousand.
  const disks = (k: number, m: number) => meanTimeToLoss({ k, m }, { failure: 1 / 30_000, repair: 1, repairs: "in turn" });
  near(disks(1, 1) / 100, 4_500_000);
  near(disks(10, 1) / 10, 820_000);
  near(disks(25, 1) / 4, 346_000);
  // Two parities, one repair at a time: MTTF³ / (n (n − 1)(n − 2) MTTR²). Side by side, twice that (Angus 1988).
  const n = 16;
  const classic = 200_000 ** 3 / (n * (n - 1) * (n - 2));
  const two = { k: n - 2, m: 2 };
  near(meanTimeToLoss(two, { failure: 1 / 200_000, repair: 1, repairs: "in turn" }) / classic, 1, 3);
  near(meanTimeToLoss(two, { failure: 1 / 200_000, repair: 1 }) / classic, 2, 3);
  near(meanTimeToLoss({ k: 1, m: 1 }, { failure: 2, repair: 5 }), (3 * 2 + 5) / (2 * 2 * 2), 12); // (3λ + μ) / 2λ²
});

test("loss within a time is that of a chain without repair, and of its mean time when that is long", () => {
  const code = { k: 3, m: 2 };
  const p = -Math.expm1(-0.3);
  near(lossWithin(code, { failure: 0.3, repair: 0 }, 1), binomialTail(2, Array<number>(5).fill(p)), 10);
  const slow = { failure: rateOfAfr(0.05), repair: 365 / 7 };
  const mean = meanTimeToLoss({ k: 10, m: 4 }, slow);
  near(lossWithin({ k: 10, m: 4 }, slow, 10), 10 / mean, 2);
});

test("the bound for stores that differ holds over the chain, and is near it", () => {
  for (const [k, m, afr, days] of [
    [10, 4, 0.05, 7],
    [10, 4, 0.2, 30],
    [6, 3, 0.1, 3],
    [1, 2, 0.05, 7],
  ] as const) {
    const perYear = rateOfAfr(afr);
    const exact = lossWithin({ k, m }, { failure: perYear, repair: 365 / days }, 1);
    const all = holders(k + m, 1).map((holder) => ({ ...holder, hazards: [{ perYear, repairDays: days }] }));
    const { probability } = yearlyLoss(all, { m });
    assert.ok(probability >= exact && probability < exact * 1.35, `${k}+${m}: ${probability} for ${exact}`);
  }
});

test("a better store among others lowers the bound, a further hazard or a common building raises it", () => {
  const hazard = { perYear: 0.05, repairDays: 7 };
  const all = holders(6, 1).map((holder) => ({ ...holder, hazards: [hazard] }));
  const lossOf = (some: typeof all, domains = {}) => yearlyLoss(some, { m: 2 }, domains).probability;
  const plain = lossOf(all);
  assert.ok(lossOf(all.with(0, { ...all[0]!, hazards: [{ perYear: 0.01, repairDays: 7 }] })) < plain);
  assert.ok(lossOf(all.with(0, { ...all[0]!, hazards: [hazard, { perYear: 0.01, repairDays: 60 }] })) > plain);
  const fire = { building: { perYear: 1e-3, repairDays: 7 } };
  const alone = lossOf(all, fire);
  const two = lossOf(all.with(0, { ...all[0]!, site: all[1]!.site }), fire);
  const three = lossOf(
    all.map((holder, i) => (i < 3 ? { ...holder, site: all[0]!.site } : holder)),
    fire,
  );
  assert.ok(plain < alone && alone < two && two < three);
  near(three, 1e-3, 1); // the building alone decides
});

/** Any risks over six columns, nested or not. */
const anyRisks = fc.array(
  fc.record({
    down: fc.double({ min: 0, max: 1, noNaN: true }),
    columns: fc.uniqueArray(fc.nat(5), { minLength: 1, maxLength: 6 }),
  }),
  { minLength: 1, maxLength: 9 },
);

/** The same by going through every state of every risk. */
function byStates(m: number, risks: readonly Risk[]): number {
  let sum = 0;
  for (let state = 0; state < 2 ** risks.length; state++) {
    const gone = new Set<number>();
    let weight = 1;
    risks.forEach(({ down, columns }, i) => {
      weight *= (state >> i) & 1 ? down : 1 - down;
      if ((state >> i) & 1) for (const column of columns) gone.add(column);
    });
    if (gone.size > m) sum += weight;
  }
  return sum;
}

test("risks that nest and risks that cross are exact", () => {
  let crossed = 0;
  fc.assert(
    fc.property(anyRisks, fc.nat(4), (risks, m) => {
      const { probability, isBound } = oddsOfMoreThan(m, risks);
      const slow = byStates(m, risks);
      assert.ok(!isBound && Math.abs(probability - slow) <= 1e-12 + 1e-9 * slow, `${probability} for ${slow}`);
      if (risks.some((a) => risks.some((b) => crosses(a.columns, b.columns)))) crossed++;
    }),
    { numRuns: 500 },
  );
  assert.ok(crossed > 100 && crossed < 500, `generator too narrow: ${crossed} crossed`);
});
const crosses = (a: readonly number[], b: readonly number[]): boolean => {
  const shared = a.filter((column) => b.includes(column)).length;
  return shared > 0 && shared < a.length && shared < b.length;
};

test("with very many crossing risks the answer is a bound, and says so", () => {
  const ring: Risk[] = Array.from({ length: 40 }, (_, i) => ({ down: 1e-4, columns: [i, (i + 1) % 40] }));
  const { probability, isBound } = oddsOfMoreThan(2, ring);
  const atLeastTwo = binomialTail(1, Array<number>(40).fill(1e-4)); // any two take three columns or four
  assert.ok(isBound && probability >= atLeastTwo && probability < 1.1 * atLeastTwo, `${probability} for ${atLeastTwo}`);
});

test("two columns of one store are gone together", () => {
  const [a, b] = holders(2, 1);
  const shared = [a!, a!, b!];
  near(unreadableNow(shared, { m: 1 }, { member: 0.01 }).probability, 0.01, 6);
  near(
    unreadableNow([a!, b!, { ...b!, member: "c" }], { m: 1 }, { member: 0.01 }).probability,
    3 * 0.01 ** 2 * 0.99 + 0.01 ** 3,
    6,
  );
});

test("a repair takes as long as its bytes need", () => {
  // 1 TB lost, ten read and one written for each, at 100 MB/s: 1.27 days after the loss is known.
  near(repairDaysOf({ noticeDays: 2, lostBytes: 1e12, k: 10, bytesPerSecond: 1e8 }), 2 + 11e12 / 1e8 / 86_400, 12);
});
