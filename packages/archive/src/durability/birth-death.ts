/**
 * Loss of one stripe over equal stores, as a chain of states: how many columns are gone.
 * Source: D. A. Patterson, G. Gibson, R. H. Katz, "A Case for Redundant Arrays of Inexpensive Disks" (1988); J. E. Angus, "On computing
 * MTBF for a k-out-of-n:G repairable system" (1988).
 */
import type { CodeParameters } from "../layout.ts";

/** Rates, both for the same unit of time. */
export interface Rates {
  /** Failures of one store. */
  readonly failure: number;
  /** Repairs of one column: 1 / mean delay. */
  readonly repair: number;
  /** Whether columns are repaired side by side, as in a network (the default), or one after the other, as by one spare disk. */
  readonly repairs?: "side by side" | "in turn";
}

/** Rate of the next failure, and of the next repair, with `gone` columns gone. */
function ratesAt({ k, m }: CodeParameters, { failure, repair, repairs = "side by side" }: Rates, gone: number): [number, number] {
  return [(k + m - gone) * failure, repairs === "side by side" ? gone * repair : Math.min(gone, 1) * repair];
}

/**
 * Mean time until more than m columns are gone, from all there. Exact: the time from `gone` to `gone` + 1 is (1 + repair × the time from
 * the state before) / failure rate.
 */
export function meanTimeToLoss(code: CodeParameters, rates: Rates): number {
  let total = 0;
  let step = 0;
  for (let gone = 0; gone <= code.m; gone++) {
    const [fail, mend] = ratesAt(code, rates, gone);
    step = (1 + mend * step) / fail;
    total += step;
  }
  return total;
}

/** The probability that more than m columns are gone at some time within `time`, from all there. Exact, by powers of the transition matrix. */
export function lossWithin(code: CodeParameters, rates: Rates, time: number): number {
  const lost = code.m + 1; // the last state, which is never left
  const fastest = Math.max(
    ...Array.from({ length: lost }, (_, gone) => ratesAt(code, rates, gone)[0] + ratesAt(code, rates, gone)[1]),
  );
  // A step so short that at most one thing happens in it on average; then the step is doubled until it is `time`.
  const doublings = Math.max(0, Math.ceil(Math.log2(fastest * time)));
  let matrix = shortStep(code, rates, time / 2 ** doublings, fastest);
  for (let i = 0; i < doublings; i++) matrix = multiply(matrix, matrix);
  return matrix[0]![lost]!;
}

type Matrix = readonly (readonly number[])[];

/** Sums over the number of events within the step, of which each is a failure, a repair or nothing (uniformisation): positive terms only. */
function shortStep(code: CodeParameters, rates: Rates, time: number, fastest: number): Matrix {
  const size = code.m + 2;
  const one = Array.from({ length: size }, (_, gone) => {
    const row = Array<number>(size).fill(0);
    const [fail, mend] = gone === size - 1 ? [0, 0] : ratesAt(code, rates, gone);
    row[gone] = 1 - (fail + mend) / fastest;
    if (fail > 0) row[gone + 1]! += fail / fastest;
    if (mend > 0) row[gone - 1]! += mend / fastest;
    return row;
  });
  let power: Matrix = Array.from({ length: size }, (_, i) => Array.from({ length: size }, (_, j) => Number(i === j)));
  let weight = Math.exp(-fastest * time);
  let sum: Matrix = power.map((row) => row.map((value) => value * weight));
  for (let events = 1; events <= size + 40; events++) {
    power = multiply(power, one);
    weight *= (fastest * time) / events;
    sum = sum.map((row, i) => row.map((value, j) => value + weight * power[i]![j]!));
  }
  return sum;
}

const multiply = (a: Matrix, b: Matrix): Matrix =>
  a.map((row) => row.map((_, j) => row.reduce((sum, value, i) => sum + value * b[i]![j]!, 0)));
