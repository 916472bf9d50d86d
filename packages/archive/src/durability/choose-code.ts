/**
 * Which code to use: the k and m with least overhead that keep a promise, over the stores that there are.
 * Source: requirement D2 (k, m computed from measured availability); requirement D6 (overhead ≤ 1.5).
 */
import { type CodeParameters, columnsOf } from "../layout.ts";
import { availabilityOf, type CodeOdds, CodeTrial, type MeasuredStore, mean, oddsOfCode, type StoreOdds } from "./code-odds.ts";
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
  /** The availability of each store, or of the nodes that stores are out with, if their failures for good stay as they are. */
  readonly availability?: number;
}

/** The chosen code, or the one that comes nearest and what would help. */
export type CodeChoice =
  | { readonly isReached: true; readonly chosen: CodeOdds }
  | { readonly isReached: false; readonly nearest: CodeOdds | undefined; readonly needs: CodeNeeds };

/**
 * Chooses the code with least overhead that keeps the goal; among equals the one with fewer columns. If none does, the nearest: first what is not lost,
 * then what can be read. Always the same for the same stores.
 */
export function chooseCode(odds: StoreOdds, goal: CodeGoal = DEFAULT_GOAL): CodeChoice {
  const chosen = cheapest(odds, goal);
  if (chosen !== undefined) return { isReached: true, chosen };
  const nearest = strongest(odds, goal)
    .map((code) => oddsOfCode(odds, code))
    .reduce<CodeOdds | undefined>((best, next) => (best === undefined || isNearer(next, best, goal) ? next : best), undefined);
  return { isReached: false, nearest, needs: needsOf(odds, goal) };
}

/** The code with least overhead, above `above`, that keeps the goal. */
function cheapest(odds: StoreOdds, goal: CodeGoal, above = 0): CodeOdds | undefined {
  for (const code of codesWithin(Math.min(odds.stores.length, goal.maxColumns), goal.maxOverhead)) {
    const found = columnsOf({ code }) / code.k > above ? ifKept(odds, code, goal) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The odds of a code if it keeps the goal. The yearly loss takes most of the time, and is asked only where it matters. */
function ifKept(odds: StoreOdds, code: CodeParameters, goal: CodeGoal): CodeOdds | undefined {
  const trial = new CodeTrial(odds, code);
  const unreadable = trial.unreadable(goal.unreadable);
  if (unreadable > goal.unreadable) return undefined;
  const found = trial.odds(unreadable);
  return found.yearlyLoss <= goal.yearlyLoss ? found : undefined;
}

/** For each number of columns the code with most parity, the most columns first: no other of as many columns keeps more. */
function strongest({ stores }: StoreOdds, { maxColumns, maxOverhead }: CodeGoal): CodeParameters[] {
  const most = Math.min(stores.length, maxColumns);
  return Array.from({ length: most }, (_, i) => {
    const columns = most - i;
    const k = Math.max(1, Math.ceil(columns / maxOverhead - 1e-9));
    return { k, m: columns - k };
  });
}

/** Whether `a` misses the goal by less: an outage ends, a loss does not. */
function isNearer(a: CodeOdds, b: CodeOdds, goal: CodeGoal): boolean {
  const [aKept, bKept] = [a, b].map(({ yearlyLoss }) => yearlyLoss <= goal.yearlyLoss);
  if (aKept !== bKept) return aKept === true;
  if (aKept === true) return a.unreadable < b.unreadable;
  const missed = (odds: CodeOdds): number => Math.max(odds.unreadable / goal.unreadable, odds.yearlyLoss / goal.yearlyLoss);
  return missed(a) < missed(b);
}

/** Codes of at most so many columns and so much overhead, least overhead first, then fewest columns. */
function codesWithin(columns: number, maxOverhead: number): CodeParameters[] {
  const codes: CodeParameters[] = [];
  for (let m = 0; m < columns; m++)
    for (let k = 1; k + m <= columns && k <= 64; k++) if ((k + m) / k <= maxOverhead + 1e-12) codes.push({ k, m });
  return codes.sort((a, b) => a.m * b.k - b.m * a.k || a.k + a.m - b.k - b.m);
}

const isKept = (odds: StoreOdds, goal: CodeGoal): boolean =>
  strongest(odds, goal).some((code) => ifKept(odds, code, goal) !== undefined);

function needsOf(odds: StoreOdds, goal: CodeGoal): CodeNeeds {
  if (odds.stores.length === 0) return {};
  const more = least(goal.maxColumns, (count) => isKept(withMore(odds, count), goal));
  const { overhead } = cheapest(odds, { ...goal, maxOverhead: goal.maxColumns }, goal.maxOverhead) ?? {};
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

/** These stores if each answered so much of the time; of those that are out with their member's node, if the node did. */
function withAvailability(odds: StoreOdds, availability: number): StoreOdds {
  const { outage = {}, stores } = odds;
  const nodes = typeof outage.member === "object" ? outage.member : {};
  const isTied = ({ member }: MeasuredStore): boolean => (nodes[member] ?? 0) > 0;
  const member = Object.fromEntries(Object.keys(nodes).map((name) => [name, 1 - availability]));
  return {
    ...odds,
    outage: typeof outage.member === "object" ? { ...outage, member } : outage,
    stores: stores.map((store) => ({ ...store, availability: isTied(store) ? store.availability : availability })),
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
