/**
 * How durable the archive is, and what that costs: the code that measured stores call for, simulated years against the calculus, the speed of
 * placement, and yuan and joules of a gigabyte-month against plain copies. A simulation that contradicts the calculus is a wrong result.
 */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  ARCHIVE_USAGE,
  auditPossession,
  BOUGHT_DISKS,
  type ChurnOutcome,
  type ChurnSettings,
  type ChurnStore,
  chooseCode,
  closeWorkers,
  copies,
  DEFAULT_CODE,
  footprintOf,
  ingest,
  openStores,
  placeObject,
  rareLoss,
  rateOfAfr,
  repair,
  type Scheme,
  savedAgainst,
  simulateChurn,
  siteOf,
  unreadableNow,
  yearlyLoss,
} from "@xinglin/archive";
import { growthExponent, type Measure, type SuiteOptions, timed } from "./measure.ts";

type Emit = (measure: Measure) => void;
const code = DEFAULT_CODE;
const COLUMNS = code.k + code.m;

/** Emits `code-choice`, `churn-stores`, `churn-cities`, `churn-outages`, `rare-loss`, `churn-year`, `placement`, `cost` and `energy`. */
export async function run({ quick, emit }: SuiteOptions): Promise<void> {
  measureChoice(emit);
  measureChurn(quick, emit);
  measureRareLoss(quick, emit);
  measureYear(quick, emit);
  measurePlacement(quick, emit);
  await measureFootprint(quick, emit);
}

const consortium = (count: number, cities: number, of: (i: number) => Partial<ChurnStore> = () => ({})): ChurnStore[] =>
  Array.from({ length: count }, (_, i) => {
    const member = `m${i}`;
    return { id: `s${i}`, member, site: siteOf({ member, site: { city: `c${i % cities}` } }), lossesPerYear: 0, ...of(i) };
  });
const rateOf = (loss: { probability: number }): number => -Math.log1p(-loss.probability);
const scientific = (value: number): string => value.toExponential(2);

/** The cheapest code that keeps 99.9999 % and 10⁻⁹ a year, by what was measured of the stores. */
function measureChoice(emit: Emit): void {
  for (const [count, availability] of [
    [14, 0.99],
    [20, 0.99],
    [20, 0.999],
    [9, 0.99],
  ] as const) {
    const hazards = [{ perYear: rateOfAfr(0.05), repairDays: 7 }];
    const stores = consortium(count, count).map((store) => ({ ...store, availability, hazards }));
    const choice = chooseCode({ stores });
    const found = choice.isReached ? choice.chosen : choice.nearest;
    if (found === undefined) throw new Error("no code at all");
    emit({
      measure: "code-choice",
      value: found.overhead,
      unit: "stored/sealed",
      conditions: {
        stores: count,
        availability,
        afr: "5 %",
        repair: "7 d",
        code: `${found.code.k}+${found.code.m}`,
        promise: choice.isReached ? "kept" : `missed: ${JSON.stringify(choice.needs)}`,
        unreadable: scientific(found.unreadable),
        "lost a year": scientific(found.yearlyLoss),
      },
    });
  }
}

/** Mean and standard error over independent runs. */
function estimate(values: readonly number[]): { mean: number; error: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return { mean, error: Math.sqrt(variance / values.length) };
}

/** Simulated against calculated; the rates are raised so that there is something to count. */
function measureChurn(quick: boolean, emit: Emit): void {
  const wide = { k: 8, m: 4 };
  const against = (
    measure: string,
    settings: Omit<ChurnSettings, "seed">,
    of: (outcome: ChurnOutcome) => number,
    unit: string,
    calculated: number,
  ): void => {
    const seeds = quick ? 40 : 400;
    const start = performance.now();
    const outcomes = Array.from({ length: seeds }, (_, seed) => simulateChurn({ ...settings, seed: seed + 1000 }));
    const seconds = (performance.now() - start) / 1000;
    const samples = outcomes.map(of);
    const { mean, error } = estimate(samples);
    if (Math.abs(mean - calculated) > 4 * error + 0.07 * calculated)
      throw new Error(`${measure}: simulated ${mean} ± ${error}, calculated ${calculated}`);
    emit({
      measure,
      value: mean,
      unit,
      limit: { name: "calculated", value: calculated },
      ratio: mean / calculated,
      conditions: {
        "standard error": scientific(error),
        "object years": Math.round(outcomes.reduce((sum, { objectYears }) => sum + objectYears, 0)),
        code: `${settings.code.k}+${settings.code.m}`,
        stores: settings.stores.length,
        seeds,
        "events a second": Math.round(outcomes.reduce((sum, { events }) => sum + events, 0) / seconds),
      },
      samples,
    });
  };
  const lost = ({ lost: count, objectYears }: ChurnOutcome): number => count / objectYears;

  const mortal = consortium(12, 12, (i) => ({ lossesPerYear: 2 + (i % 3) }));
  const differing = mortal.map((store) => ({ ...store, hazards: [{ perYear: store.lossesPerYear, repairDays: 8 }] }));
  const years = { objects: 50, code: wide, days: 3650 };
  const stores = { ...years, stores: mortal, noticeDays: 2, repair: { meanDays: 6 } };
  against("churn-stores", stores, lost, "lost/object-year", rateOf(yearlyLoss(differing, wide)));

  const inFour = consortium(12, 4, () => ({ lossesPerYear: 1 }));
  const hazards = [
    { perYear: 1, repairDays: 7.1 },
    { perYear: 0.3, repairDays: 10 * (1 / 0.5 - 0.5) + 0.1 },
  ];
  const calculated = yearlyLoss(
    inFour.map((store) => ({ ...store, hazards })),
    wide,
    { city: { perYear: 0.3, repairDays: 7.1 } },
  );
  const cities = { ...years, stores: inFour, noticeDays: 7, repair: { meanDays: 0.1 }, domainLossesPerYear: { city: 0.3 } };
  const spoiling = { perYear: 0.3, auditEveryDays: 10, odds: 0.5 };
  against("churn-cities", { ...cities, spoiling }, lost, "lost/object-year", rateOf(calculated));

  const out = consortium(COLUMNS, 7, () => ({ outages: { perYear: 20, meanDays: 1 } }));
  const share = (perYear: number, days: number): number => (perYear * days) / (365 + perYear * days);
  const outages = {
    ...years,
    code,
    stores: out,
    noticeDays: 1,
    repair: { meanDays: 1 },
    domainOutages: { city: { perYear: 4, meanDays: 1 } },
  };
  const holders = out.map((store) => ({ ...store, availability: 1 - share(20, 1) }));
  const unreadable = unreadableNow(holders, code, { city: share(4, 1) }).probability;
  against("churn-outages", outages, ({ unreadableShare }) => unreadableShare, "unreadable share", unreadable);
}

/** One object at real rates, by failure biasing. */
function measureRareLoss(quick: boolean, emit: Emit): void {
  for (const [afr, repairDays] of [
    [0.05, 7],
    [0.2, 30],
  ] as const) {
    const hazards = Array.from({ length: COLUMNS }, () => ({ perYear: rateOfAfr(afr), repairDays }));
    const holders = hazards.map((hazard, i) => ({ member: `m${i}`, site: siteOf({ member: `m${i}` }), hazards: [hazard] }));
    const calculated = rateOf(yearlyLoss(holders, code));
    const { mean, error } = rareLoss(hazards, code, quick ? 50_000 : 500_000, 7);
    if (Math.abs(mean - calculated) > 4 * error + 0.07 * calculated)
      throw new Error(`simulated ${mean} ± ${error}, calculated ${calculated}`);
    emit({
      measure: "rare-loss",
      value: mean * 1e9,
      unit: "lost/10⁹ years",
      limit: { name: "calculated", value: calculated * 1e9 },
      ratio: mean / calculated,
      conditions: { "standard error": scientific(error * 1e9), code: "10+4", afr, repair: `${repairDays} d` },
    });
  }
}

/** A year as it might be: 40 stores in 8 cities, a building lost in a thousand years, 200 MB/s of repair, objects of 500 MB. */
function measureYear(quick: boolean, emit: Emit): void {
  const objects = quick ? 5_000 : 50_000;
  const stores = consortium(40, 8, (i) => ({
    lossesPerYear: rateOfAfr(0.05),
    outages: { perYear: 12, meanDays: 0.2 + (i % 5) / 10 },
  }));
  const columnsPerDay = (200e6 * 86_400) / (500e6 / code.k) / (code.k + 1);
  const start = performance.now();
  const outcome = simulateChurn({
    seed: 1,
    objects,
    stores,
    code,
    days: 365,
    domainLossesPerYear: { building: 1e-3 },
    domainOutages: { city: { perYear: 1, meanDays: 0.2 } },
    spoiling: { perYear: 0.001, auditEveryDays: 90, odds: 0.99 },
    noticeDays: 3,
    repair: { columnsPerDay },
    target: "elsewhere",
  });
  const seconds = (performance.now() - start) / 1000;
  emit({
    measure: "churn-year",
    value: seconds,
    unit: "s",
    conditions: {
      objects,
      stores: stores.length,
      lost: outcome.lost,
      "unreadable share": scientific(outcome.unreadableShare),
      "columns lost": outcome.columnsLost,
      "days until repaired": Math.round(outcome.meanRepairDays * 10) / 10,
      events: outcome.events,
    },
  });
}

/** Placements a second, and how their time grows with the stores. */
function measurePlacement(quick: boolean, emit: Emit): void {
  const sizes = [100, 1_000, 10_000];
  const times = sizes.map((count) => {
    const stores = consortium(count, 20);
    const facts = Object.fromEntries(stores.map(({ id }, i) => [id, { freeBytes: 1e12 * (1 + (i % 7)), availability: 0.99 }]));
    const rounds = (quick ? 100_000 : 1_000_000) / count;
    const start = performance.now();
    for (let i = 0; i < rounds; i++) placeObject(stores, code, randomBytes(16), facts);
    return (performance.now() - start) / rounds;
  });
  emit({
    measure: "placement",
    value: times[1]!,
    unit: "ms",
    conditions: {
      stores: 1_000,
      code: "10+4",
      ...Object.fromEntries(sizes.map((size, i) => [`${size} stores`, `${times[i]!.toFixed(2)} ms`])),
      "growth exponent": growthExponent(sizes.map((size, i) => ({ size, cost: times[i]! }))).toFixed(2),
    },
  });
}

/** Yuan and joules of a gigabyte-month at the CPU times of this run, against three and five copies on the same disks. */
async function measureFootprint(quick: boolean, emit: Emit): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "xinglin-bench-durability-"));
  try {
    const content = randomBytes(quick ? 60e6 : 300e6);
    const descriptions = consortium(COLUMNS, COLUMNS).map(({ id, member }) => ({
      kind: "directory" as const,
      id,
      member,
      path: join(folder, id),
    }));
    const stores = await openStores(descriptions, { create: true });
    const imported = await timed(() => ingest([{ path: "study", content }], { stores }));
    const { reference, objectId, storedBytes, streamBytes } = imported.result;
    const audited = await timed(() => auditPossession(reference, objectId, stores));
    await stores[0]!.remove(objectId);
    const repaired = await timed(() => repair(reference, objectId, stores));
    const rate = ({ cpuSeconds }: { cpuSeconds: number }): number => content.length / cpuSeconds;
    const scheme: Scheme = {
      overhead: storedBytes / streamBytes,
      reduction: streamBytes / content.length,
      readsPerLostByte: code.k,
      bytesPerCpuSecond: { ingest: rate(imported), audit: rate(audited), repair: rate(repaired) },
    };
    const ours = footprintOf(scheme, ARCHIVE_USAGE, BOUGHT_DISKS);
    const theirs = [3, 5].map((count) => footprintOf(copies(count), ARCHIVE_USAGE, BOUGHT_DISKS));
    const percent = (share: number): string => `${share > 0 ? "-" : "+"}${Math.abs(share * 100).toFixed(1)} %`;
    for (const [measure, key, unit] of [
      ["cost", "yuan", "yuan/GB-month"],
      ["energy", "joules", "J/GB-month"],
    ] as const)
      emit({
        measure,
        value: ours[key].total,
        unit,
        conditions: {
          estimate: "measured CPU seconds and bytes × stated prices and watts (durability/prices.ts)",
          "against 3 copies": percent(savedAgainst(ours, theirs[0]!)[key]),
          "against 5 copies": percent(savedAgainst(ours, theirs[1]!)[key]),
          "of it processors": `${((100 * ours[key].processors) / ours[key].total).toFixed(1)} %`,
          "of it network": `${((100 * ours[key].network) / ours[key].total).toFixed(1)} %`,
          overhead: scheme.overhead.toFixed(3),
          input: "random bytes: nothing saved by the filter",
        },
      });
  } finally {
    await closeWorkers();
    await rm(folder, { recursive: true, force: true });
  }
}
