/**
 * The calculus against simulated years. Rates are raised until losses are frequent enough to count: the calculus has no rate built in. At
 * real rates, failure biasing.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { unreadableNow } from "../../src/durability/availability.ts";
import { simulateChurn } from "../../src/durability/churn.ts";
import type { ChurnOutcome, ChurnSettings, ChurnStore } from "../../src/durability/churn-settings.ts";
import { EventQueue, randomFrom } from "../../src/durability/event-queue.ts";
import { rareLoss } from "../../src/durability/rare-loss.ts";
import { rateOfAfr, repairDaysOf, yearlyLoss } from "../../src/durability/yearly-loss.ts";
import { placeObject } from "../../src/placement.ts";
import { siteOf } from "../../src/store/description.ts";

const stores = (count: number, of: (i: number) => Partial<ChurnStore>, cities = count): ChurnStore[] =>
  Array.from({ length: count }, (_, i) => {
    const member = `m${i}`;
    return { id: `s${i}`, member, site: siteOf({ member, site: { city: `c${i % cities}` } }), lossesPerYear: 0, ...of(i) };
  });

/** Outcomes of as many seeds. */
const runs = (count: number, settings: Omit<ChurnSettings, "seed">): ChurnOutcome[] =>
  Array.from({ length: count }, (_, seed) => simulateChurn({ ...settings, seed }));
/** Mean and standard error over independent runs: objects of one run share stores, and are lost together. */
function estimate(values: readonly number[]): { mean: number; error: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return { mean, error: Math.sqrt(variance / values.length) };
}
/** Within four standard errors and `slack` of what the calculus leaves out; and the estimate is fine enough to tell. */
function agree(found: { mean: number; error: number }, expected: number, slack: number): void {
  assert.ok(found.error < 0.1 * expected, `too few losses to tell: ${found.mean} ± ${found.error}`);
  const allowed = 4 * found.error + slack * expected;
  assert.ok(Math.abs(found.mean - expected) <= allowed, `simulated ${found.mean} ± ${found.error}, calculated ${expected}`);
}
const ratePerYear = (loss: { probability: number }): number => -Math.log1p(-loss.probability);

test("stores that differ: as many objects are lost as calculated", () => {
  // Some twenty times as mortal as bad disks, one more than the other.
  const all = stores(30, (i) => ({ lossesPerYear: 2 + 2 * (i % 3) }));
  const code = { k: 8, m: 4 };
  const outcomes = runs(20, { objects: 100, stores: all, code, days: 1825, noticeDays: 2, repair: { meanDays: 6 } });
  // The mean over objects is that over sets of twelve of the thirty stores.
  const calculated = Array.from({ length: 200 }, (_, i) => {
    const placed = placeObject(all, code, Uint8Array.of(i));
    const holders = placed.map((store) => ({ ...store, hazards: [{ perYear: store.lossesPerYear, repairDays: 8 }] }));
    return ratePerYear(yearlyLoss(holders, code));
  });
  agree(estimate(outcomes.map(({ lost, objectYears }) => lost / objectYears)), estimate(calculated).mean, 0.05);
});

test("cities that are lost whole, and silent spoiling that audits find late: as many as calculated", () => {
  const all = stores(12, () => ({ lossesPerYear: 1 }), 4); // three columns in each city
  const code = { k: 8, m: 4 };
  const spoiling = { perYear: 0.3, auditEveryDays: 10, odds: 0.5 };
  const domainLossesPerYear = { city: 0.3 };
  const outcomes = runs(60, {
    objects: 30,
    stores: all,
    code,
    days: 3650,
    // Columns that went at once are rebuilt at once: the bound takes a city as gone until its last one is there.
    noticeDays: 7,
    repair: { meanDays: 0.1 },
    spoiling,
    domainLossesPerYear,
  });
  const hazards = [
    { perYear: 1, repairDays: 7.1 },
    { perYear: 0.3, repairDays: 10 * (1 / 0.5 - 0.5) + 0.1 },
  ];
  const holders = all.map((store) => ({ ...store, hazards }));
  const calculated = yearlyLoss(holders, code, { city: { perYear: 0.3, repairDays: 7.1 } });
  const alone = yearlyLoss(holders, code);
  assert.ok(ratePerYear(calculated) > 5 * ratePerYear(alone)); // else the cities would not be tested
  agree(estimate(outcomes.map(({ lost, objectYears }) => lost / objectYears)), ratePerYear(calculated), 0.07);
});

test("stores and power supplies that are out and come back: unreadable as long as calculated", () => {
  const all = stores(14, (i) => ({ outages: { perYear: 20, meanDays: i % 2 === 0 ? 1 : 2 } }), 7);
  const code = { k: 10, m: 4 };
  const outcomes = runs(30, {
    objects: 20,
    stores: all,
    code,
    days: 3650,
    noticeDays: 1,
    repair: { meanDays: 1 },
    domainOutages: { city: { perYear: 4, meanDays: 1 } },
  });
  const share = (perYear: number, days: number): number => (perYear * days) / 365 / (1 + (perYear * days) / 365);
  const odd = share(20, 2);
  const holders = all.map((store, i) => ({ ...store, availability: 1 - (i % 2 === 0 ? share(20, 1) : odd) }));
  // Time up between outages is 365 / 20 days by itself, so the share out is days / (days + 365 / 20).
  agree(
    estimate(outcomes.map((outcome) => outcome.unreadableShare)),
    unreadableNow(holders, code, { city: share(4, 1) }).probability,
    0.02,
  );
});

test("bounded bandwidth: repairs wait for each other, which shows, and the loss is no more than calculated with the mean", () => {
  const all = stores(30, () => ({ lossesPerYear: 2 }));
  const code = { k: 4, m: 2 };
  const columnsPerDay = 60; // the 200 columns of a store take 3.3 days, and 60 stores a year more than half of the time
  const settings = { objects: 1000, stores: all, code, days: 365, noticeDays: 1, repair: { columnsPerDay } } as const;
  const bound = (repairDays: number) => {
    const holders = all.slice(0, 6).map((store) => ({ ...store, hazards: [{ perYear: 2, repairDays }] }));
    return ratePerYear(yearlyLoss(holders, code));
  };
  // A column counts as one byte, read from none.
  const lastOfStore = repairDaysOf({ noticeDays: 1, lostBytes: 200, k: 0, bytesPerSecond: columnsPerDay / 86_400 });
  for (const target of ["in place", "elsewhere"] as const) {
    const outcomes = runs(12, { ...settings, target });
    const found = estimate(outcomes.map(({ lost, objectYears }) => lost / objectYears));
    const { mean } = estimate(outcomes.map((outcome) => outcome.meanRepairDays));
    assert.ok(mean > (1 + lastOfStore) / 2, `${mean} days`); // had each store failed alone
    assert.ok(found.mean > bound(1) && found.mean - 4 * found.error < bound(mean), `${target}: ${found.mean}`);
  }
});

test("at real rates, the loss of one object is as calculated", () => {
  const hazards = Array.from({ length: 14 }, (_, i) => ({ perYear: rateOfAfr(0.03 + 0.005 * (i % 5)), repairDays: 5 + (i % 3) }));
  const code = { k: 10, m: 4 };
  const holders = hazards.map((hazard, i) => ({ member: `m${i}`, site: siteOf({ member: `m${i}` }), hazards: [hazard] }));
  const calculated = ratePerYear(yearlyLoss(holders, code));
  assert.ok(calculated < 1e-9);
  agree(rareLoss(hazards, code, 40_000, 1), calculated, 0.05);
});

test("a simulation is decided by its seed, loses nothing where nothing fails, and everything without repair", () => {
  const all = stores(10, () => ({ lossesPerYear: 3, outages: { perYear: 5, meanDays: 1 } }));
  const settings = { objects: 50, stores: all, code: { k: 4, m: 2 }, days: 365, noticeDays: 1, repair: { meanDays: 3 } } as const;
  assert.deepEqual(simulateChurn({ ...settings, seed: 5 }), simulateChurn({ ...settings, seed: 5 }));
  assert.notDeepEqual(simulateChurn({ ...settings, seed: 5 }), simulateChurn({ ...settings, seed: 6 }));
  const still = simulateChurn({ ...settings, stores: stores(10, () => ({})), seed: 1 });
  assert.deepEqual([still.lost, still.columnsLost, still.unreadableShare], [0, 0, 0]);
  assert.ok(simulateChurn({ ...settings, repair: { meanDays: 1e9 }, seed: 1 }).lost > 50);
});

test("events come in their order", () => {
  const queue = new EventQueue();
  const random = randomFrom(9);
  const times = Array.from({ length: 5000 }, random);
  times.forEach((at, i) => {
    queue.push(at, i % 7, i, i + 1);
  });
  const event = { at: 0, kind: 0, subject: 0, life: 0 };
  const seen: number[] = [];
  while (queue.pop(event)) {
    assert.deepEqual([event.at, event.kind, event.life], [times[event.subject], event.subject % 7, event.subject + 1]);
    seen.push(event.at);
  }
  assert.deepEqual(
    seen,
    times.toSorted((a, b) => a - b),
  );
});
