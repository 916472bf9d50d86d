/**
 * Which code to use: the k and m with least overhead that keep a promise, over the stores that there are.
 * Source: requirement D2 (k, m computed from measured availability); requirement D6 (overhead ≤ 1.5).
 */
import { type CodeParameters, columnsOf } from "../layout.ts";
import { availabilityOf, type CodeOdds, CodeTrial, type MeasuredStore, mean, type StoreOdds } from "./code-odds.ts";
import { DAYS_A_YEAR, type Hazard } from "./yearly-loss.ts";

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

/** Chooses the code with least overhead that keeps the goal; among equals the one with fewer columns. Always the same for the same stores. */
export function chooseCode(odds: StoreOdds, goal: CodeGoal = DEFAULT_GOAL): CodeChoice {
  let nearest: CodeOdds | undefined;
  for (const code of codesWithin(Math.min(odds.stores.length, goal.maxColumns), goal.maxOverhead)) {
    const trial = new CodeTrial(odds, code);
    // The yearly loss takes most of the time, and is asked only where it matters.
    const most = Math.max(1, nearest === undefined ? Number.POSITIVE_INFINITY : missedBy(nearest, goal)) * goal.unreadable;
    const unreadable = trial.unreadable(most);
    if (unreadable > most) continue;
    const found = trial.odds(unreadable);
    if (keeps(found, goal)) return { isReached: true, chosen: found };
    if (nearest === undefined || missedBy(found, goal) < missedBy(nearest, goal)) nearest = found;
  }
  return { isReached: false, nearest, needs: needsOf(odds, goal) };
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

/** Whether some code keeps the goal. Of codes with as many columns the one with most parity is best, so that no other needs to be tried. */
function isKept(odds: StoreOdds, goal: CodeGoal): boolean {
  for (let columns = Math.min(odds.stores.length, goal.maxColumns); columns > 0; columns--) {
    const k = Math.ceil(columns / goal.maxOverhead - 1e-12);
    const trial = new CodeTrial(odds, { k, m: columns - k });
    const unreadable = trial.unreadable(goal.unreadable);
    if (unreadable <= goal.unreadable && keeps(trial.odds(unreadable), goal)) return true;
  }
  return false;
}

function needsOf(odds: StoreOdds, goal: CodeGoal): CodeNeeds {
  if (odds.stores.length === 0) return {};
  const more = least(goal.maxColumns, (count) => isKept(withMore(odds, count), goal));
  const overhead = leastOverhead(odds, goal);
  const steps = 1e5;
  const availability = least(steps, (step) => isKept(withAvailability(odds, step / steps), goal));
  return {
    ...(more === undefined ? {} : { moreStores: more }),
    ...(overhead === undefined ? {} : { overhead }),
    ...(availability === undefined ? {} : { availability: availability / steps }),
  };
}

/** The least of 1 … `most` that is enough, where every larger one is too; undefined if none is. */
function least(most: number, isEnough: (count: number) => boolean): number | undefined {
  if (!isEnough(most)) return undefined;
  let [low, high] = [0, most];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (isEnough(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** The least overhead above the goal's that keeps the rest of it. */
function leastOverhead(odds: StoreOdds, goal: CodeGoal): number | undefined {
  for (const code of codesWithin(Math.min(odds.stores.length, goal.maxColumns), goal.maxColumns)) {
    if (columnsOf({ code }) / code.k <= goal.maxOverhead) continue;
    const trial = new CodeTrial(odds, code);
    const unreadable = trial.unreadable(goal.unreadable);
    if (unreadable > goal.unreadable) continue;
    const found = trial.odds(unreadable);
    if (keeps(found, goal)) return found.overhead;
  }
  return undefined;
}

/** These stores, and so many more like their average, each of a member and at a place of its own. */
function withMore(odds: StoreOdds, count: number): StoreOdds {
  const availability = mean(odds.stores.map((store) => availabilityOf(store, odds.outage)));
  const hazards = [averageHazard(odds.stores)];
  const further = Array.from({ length: count }, (_, i): MeasuredStore => {
    const id = `+${i}`; // no store or member is named so
    return { id, member: id, site: { building: id, city: id, power: id }, availability, hazards };
  });
  return { ...odds, stores: [...odds.stores, ...further] };
}

/** These stores if each answered so much of the time; of those that are out with their member, if the member did. */
function withAvailability(odds: StoreOdds, availability: number): StoreOdds {
  const { outage = {}, stores } = odds;
  const nodes = typeof outage.member === "object" ? outage.member : {};
  const isTied = ({ member }: MeasuredStore): boolean => (nodes[member] ?? 0) > 0;
  const member = Object.fromEntries(Object.keys(nodes).map((name) => [name, 1 - availability]));
  return {
    ...odds,
    outage: typeof outage.member === "object" ? { ...outage, member } : outage,
    stores: stores.map((store) => ({ ...store, availability: isTied(store) ? 1 : availability })),
  };
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
