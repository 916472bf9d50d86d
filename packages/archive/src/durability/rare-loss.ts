/**
 * The loss of one object at real rates, by simulation: far too rare to wait for, so failures are made as likely as repairs and each run
 * counts for as much less as it was made likelier (failure biasing).
 * Source: E. E. Lewis, F. Böhm, "Monte Carlo simulation of Markov unreliability models" (1984).
 */
import type { CodeParameters } from "../layout.ts";
import { exponential, randomFrom } from "./event-queue.ts";
import { DAYS_A_YEAR, type Hazard } from "./yearly-loss.ts";

/** An estimate with its standard error. */
export interface Estimate {
  readonly mean: number;
  readonly error: number;
}

/**
 * Losses a year of an object whose columns fail alone, each by its own hazard, and are repaired at random times. Simulates `runs` stretches from
 * the first failure to the repair of all, or to a loss. Cost: some ten draws a run and column.
 */
export function rareLoss(hazards: readonly Hazard[], { m }: Pick<CodeParameters, "m">, runs: number, seed: number): Estimate {
  const random = randomFrom(seed);
  let [sum, squares] = [0, 0];
  for (let run = 0; run < runs; run++) {
    const weight = oneStretch(hazards, m, random);
    sum += weight;
    squares += weight * weight;
  }
  // Stretches begin as often as all columns are there and one fails.
  const failures = hazards.reduce((rate, { perYear }) => rate + perYear, 0);
  const allThere = hazards.reduce((share, { perYear, repairDays }) => share / (1 + (perYear * repairDays) / DAYS_A_YEAR), 1);
  const perYear = failures * allThere;
  const mean = sum / runs;
  return { mean: perYear * mean, error: perYear * Math.sqrt((squares / runs - mean * mean) / runs) };
}

/** The likelihood of this stretch under true odds against those it was drawn with, if it ends in a loss; else 0. */
function oneStretch(hazards: readonly Hazard[], m: number, random: () => number): number {
  const up = new Set(hazards.keys());
  const fail = (store: number): number => hazards[store]!.perYear;
  const mend = (store: number): number => DAYS_A_YEAR / hazards[store]!.repairDays;
  const down = new Set<number>();
  let weight = 1;
  const first = draw(up, fail, random);
  up.delete(first);
  down.add(first);
  while (down.size > 0 && down.size <= m) {
    const failing = total(up, fail);
    const mending = total(down, mend);
    const isFailure = random() < 0.5;
    weight *= (isFailure ? failing : mending) / (failing + mending) / 0.5;
    const [from, to, rate] = isFailure ? [up, down, fail] : [down, up, mend];
    const store = draw(from, rate, random);
    from.delete(store);
    to.add(store);
  }
  return down.size > m ? weight : 0;
}

const total = (stores: ReadonlySet<number>, rate: (store: number) => number): number => {
  let sum = 0;
  for (const store of stores) sum += rate(store);
  return sum;
};

/** The one that comes first, if each comes at its rate. */
function draw(stores: ReadonlySet<number>, rate: (store: number) => number, random: () => number): number {
  let best = -1;
  let earliest = Number.POSITIVE_INFINITY;
  for (const store of stores) {
    const at = exponential(random, 1 / rate(store));
    if (at < earliest) [best, earliest] = [store, at];
  }
  return best;
}
