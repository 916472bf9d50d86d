/**
 * Which code to use: the k and m with least overhead that keep a promise, over the stores that there are.
 * Source: requirement D2 (k, m computed from measured availability); requirement D6 (overhead ≤ 1.5).
 */
import { type CodeParameters, columnsOf } from "../layout.ts";
import { describeDomains, type Placeable, placeObject } from "../placement.ts";
import { type DomainOutage, unreadableNow } from "./availability.ts";
import { binomialTail } from "./risks.ts";
import { DAYS_A_YEAR, type DomainHazards, type Hazard, yearlyLoss } from "./yearly-loss.ts";

/** What is promised of an object, and what it may cost. */
export interface CodeGoal {
  /** At most this share of the time unreadable. */
  readonly unreadable: number;
  /** At most this probability of loss for good within a year. */
  readonly yearlyLoss: number;
  /** Stored bytes for a byte: (k + m) / k. */
  readonly maxOverhead: number;
  /** Each column is a store to write to and to wait for. */
  readonly maxColumns: number;
}

/** 99.9999 % readable, one object of 10⁹ lost a year, at no more than 1.5 times its size. */
export const DEFAULT_GOAL: CodeGoal = { unreadable: 1e-6, yearlyLoss: 1e-9, maxOverhead: 1.5, maxColumns: 24 };

/** A store, with what was measured of it. */
export interface MeasuredStore extends Placeable {
  readonly availability: number;
  readonly hazards: readonly Hazard[];
}

/** The stores of a consortium and what befalls whole domains. */
export interface StoreOdds {
  readonly stores: readonly MeasuredStore[];
  readonly outage?: DomainOutage;
  readonly domainHazards?: DomainHazards;
}

/** What a code would give: the mean over objects, as they would be placed. */
export interface CodeOdds {
  readonly code: CodeParameters;
  readonly overhead: number;
  readonly unreadable: number;
  readonly yearlyLoss: number;
  /** Whether some domain would hold more columns than m, so that losing it alone loses objects. */
  readonly isExposed: boolean;
}

/** What it would take to keep the promise, each alone; undefined where that does not help. */
export interface CodeNeeds {
  /** So many more stores, each of a member and at a place of its own, as good as the average. */
  readonly moreStores?: number;
  /** The overhead with the stores that there are. */
  readonly overhead?: number;
  /** The availability of each store, if their failures for good stay as they are. */
  readonly availability?: number;
}

/** The chosen code, or the one that comes nearest and what would help. */
export type CodeChoice =
  | { readonly isReached: true; readonly chosen: CodeOdds }
  | { readonly isReached: false; readonly nearest: CodeOdds | undefined; readonly needs: CodeNeeds };

/** Placements that are looked at for each code. */
const SAMPLES = 4;

/** The odds of one code over these stores. Cost: stores² a sample. */
export function oddsOfCode(odds: StoreOdds, code: CodeParameters): CodeOdds {
  const placements = samplePlacements(odds.stores, code);
  return lossOver(odds, unreadableOver(odds, placements), placements, code);
}

/** Chooses the code with least overhead that keeps the goal; among equals the one with fewer columns. */
export function chooseCode(odds: StoreOdds, goal: CodeGoal = DEFAULT_GOAL): CodeChoice {
  let nearest: CodeOdds | undefined;
  for (const code of codesWithin(Math.min(odds.stores.length, goal.maxColumns), goal.maxOverhead)) {
    const placements = samplePlacements(odds.stores, code);
    const unreadable = unreadableOver(odds, placements);
    // The yearly loss takes most of the time, and is asked only where it matters.
    if (unreadable > goal.unreadable && nearest !== undefined && unreadable / goal.unreadable >= missedBy(nearest, goal))
      continue;
    const found = lossOver(odds, unreadable, placements, code);
    if (keeps(found, goal)) return { isReached: true, chosen: found };
    if (nearest === undefined || missedBy(found, goal) < missedBy(nearest, goal)) nearest = found;
  }
  return { isReached: false, nearest, needs: needsOf(odds, goal) };
}

interface Placements {
  readonly m: number;
  readonly samples: readonly (readonly MeasuredStore[])[];
}

/** Where objects would go. Over just as many stores as columns there is one way. */
function samplePlacements(stores: readonly MeasuredStore[], code: CodeParameters): Placements {
  const facts = Object.fromEntries(stores.map(({ id, availability }) => [id, { availability }]));
  const count = stores.length === columnsOf({ code }) ? 1 : SAMPLES;
  return { m: code.m, samples: Array.from({ length: count }, (_, i) => placeObject(stores, code, Uint8Array.of(i), facts)) };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const unreadableOver = ({ outage }: StoreOdds, placements: Placements): number =>
  mean(placements.samples.map((placed) => unreadableNow(placed, placements, outage).probability));

function lossOver({ domainHazards }: StoreOdds, unreadable: number, placements: Placements, code: CodeParameters): CodeOdds {
  const { samples } = placements;
  return {
    code,
    overhead: columnsOf({ code }) / code.k,
    unreadable,
    yearlyLoss: mean(samples.map((placed) => yearlyLoss(placed, code, domainHazards).probability)),
    isExposed: samples.some((placed) => describeDomains(placed, code).some(({ readable }) => !readable)),
  };
}

const keeps = (found: CodeOdds, goal: CodeGoal): boolean =>
  found.unreadable <= goal.unreadable && found.yearlyLoss <= goal.yearlyLoss;

/** How far a code is from the goal: the worse of the two factors. */
const missedBy = (odds: CodeOdds, goal: CodeGoal): number =>
  Math.max(odds.unreadable / goal.unreadable, odds.yearlyLoss / goal.yearlyLoss);

/** Codes of at most so many columns and so much overhead, least overhead first, then fewest columns. */
function codesWithin(columns: number, maxOverhead: number): CodeParameters[] {
  const codes: CodeParameters[] = [];
  for (let m = 0; m < columns; m++)
    for (let k = 1; k + m <= columns && k <= 64; k++) if ((k + m) / k <= maxOverhead + 1e-12) codes.push({ k, m });
  return codes.sort((a, b) => a.m * b.k - b.m * a.k || a.k + a.m - b.k - b.m);
}

function needsOf(odds: StoreOdds, goal: CodeGoal): CodeNeeds {
  const { stores } = odds;
  const availability = stores.reduce((sum, store) => sum + store.availability, 0) / Math.max(1, stores.length);
  const hazard = averageHazard(stores);
  const isKept = (count: number, available: number): boolean =>
    codesWithin(Math.min(count, goal.maxColumns), goal.maxOverhead).some((code) => keepsAlone(code, available, hazard, goal));
  const count = Array.from({ length: goal.maxColumns }, (_, i) => i + 1).find(
    (n) => n > stores.length && isKept(n, availability),
  );
  const dearer = chooseDearer(odds, goal);
  return {
    ...(count === undefined ? {} : { moreStores: count - stores.length }),
    ...(dearer === undefined ? {} : { overhead: dearer }),
    ...(isKept(stores.length, 1) ? { availability: leastAvailability((available) => isKept(stores.length, available)) } : {}),
  };
}

/** The least overhead above the goal's that keeps the rest of it. */
function chooseDearer(odds: StoreOdds, goal: CodeGoal): number | undefined {
  for (const code of codesWithin(Math.min(odds.stores.length, goal.maxColumns), goal.maxColumns)) {
    if (columnsOf({ code }) / code.k <= goal.maxOverhead) continue;
    if (unreadableOver(odds, samplePlacements(odds.stores, code)) > goal.unreadable) continue;
    const found = oddsOfCode(odds, code);
    if (keeps(found, goal)) return found.overhead;
  }
  return undefined;
}

/** Whether a code over equal stores that fail alone keeps the goal. */
function keepsAlone(code: CodeParameters, availability: number, { perYear, repairDays }: Hazard, goal: CodeGoal): boolean {
  const columns = columnsOf({ code });
  if (binomialTail(code.m, Array<number>(columns).fill(1 - availability)) > goal.unreadable) return false;
  const place = { building: "", city: "", power: "" };
  const holder = { member: "", site: place, hazards: [{ perYear, repairDays }] };
  return yearlyLoss(Array<typeof holder>(columns).fill(holder), code).probability <= goal.yearlyLoss;
}

/** One hazard that takes as much time away as all of the average store. */
function averageHazard(stores: readonly MeasuredStore[]): Hazard {
  let [perYear, down] = [0, 0];
  for (const { hazards } of stores)
    for (const hazard of hazards) {
      perYear += hazard.perYear / stores.length;
      down += (hazard.perYear * hazard.repairDays) / DAYS_A_YEAR / stores.length;
    }
  return { perYear, repairDays: perYear === 0 ? 0 : (down / perYear) * DAYS_A_YEAR };
}

function leastAvailability(isEnough: (availability: number) => boolean): number {
  let [low, high] = [0, 1];
  for (let i = 0; i < 30; i++) {
    const middle = (low + high) / 2;
    if (isEnough(middle)) high = middle;
    else low = middle;
  }
  return Math.ceil(high * 1e5) / 1e5;
}
