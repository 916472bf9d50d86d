/**
 * The highest rate that a network holds: a closed loop tells about where it lies, then open loops above and below it, each of which is held or not.
 */
import { latency } from "./measure.ts";
import type { Trial } from "./network-nodes.ts";

/** A rate is held if nothing was turned away and so few took longer. */
export const HELD_P99_MS = 1_000;
/** Operations on the way on each node in the closed loop: two full blocks altogether. */
const WINDOW_OPERATIONS = 500;
/** First try, as a share of what the closed loop came to; then so much more or less. */
const FIRST_SHARE = 0.72;
const STEP = 1.25;

/** A network that load can be sent at. */
export interface Loadable {
  readonly size: number;
  /** Makes so many transactions for each node, not measured. */
  make(kind: "record", perNode: number, operations: number): Promise<void>;
  /** Keeps so many of what was made on the way on each node. */
  drive(window: number, milliseconds: number, operations: number): Promise<Trial>;
  /** Sends what was made at this rate over all nodes, whatever becomes of it. */
  pace(perSecond: number, operations: number): Promise<Trial>;
}

export interface Search {
  readonly operations: number;
  /** Transactions a second to sign for the closed loop. */
  readonly guess: number;
  readonly pilotSeconds: number;
  readonly trialSeconds: number;
  readonly trials: number;
}

export interface Found {
  /** Held; undefined if none of the tries was. */
  readonly best: Trial | undefined;
  readonly all: readonly Trial[];
  /** Transactions a second in the closed loop. */
  readonly pilot: number;
}

/** Transactions a second, the waiting for the last ones included. */
export const rateOf = ({ committed, seconds }: Trial): number => committed / seconds;

/** Transactions a second of a rate that was held: the rate that was offered, all of which was committed in time. */
export const heldRateOf = ({ offeredPerSecond }: Trial): number => offeredPerSecond;

export const isHeld = ({ turnedAway, latencies }: Trial): boolean =>
  turnedAway === 0 && latencies.length > 0 && latency(latencies).p99 < HELD_P99_MS;

export async function search(
  network: Loadable,
  { operations, guess, pilotSeconds, trialSeconds, trials }: Search,
): Promise<Found> {
  const pilot = rateOf(await drive(network, operations, guess, pilotSeconds));
  const all: Trial[] = [];
  let [highest, lowest] = [0, Number.POSITIVE_INFINITY];
  let rate = pilot * FIRST_SHARE;
  for (let i = 0; i < trials; i++) {
    const trial = await pace(network, operations, rate, trialSeconds);
    all.push(trial);
    if (isHeld(trial)) highest = rate;
    else lowest = rate;
    if (highest === 0) rate /= STEP;
    else if (lowest === Number.POSITIVE_INFINITY) rate *= STEP;
    else rate = Math.sqrt(highest * lowest);
  }
  const held = all.filter(isHeld).toSorted((a, b) => heldRateOf(b) - heldRateOf(a));
  return { best: held[0], all, pilot };
}

/** Signs and sends; `guess` transactions a second are signed. */
export async function drive(network: Loadable, operations: number, guess: number, seconds: number): Promise<Trial> {
  await network.make("record", (guess * seconds) / network.size, operations);
  return network.drive(Math.ceil(WINDOW_OPERATIONS / operations), seconds * 1_000, operations);
}

/** Signs and sends at this rate, in transactions a second. */
export async function pace(network: Loadable, operations: number, perSecond: number, seconds: number): Promise<Trial> {
  await network.make("record", (perSecond * seconds) / network.size, operations);
  return network.pace(perSecond, operations);
}
