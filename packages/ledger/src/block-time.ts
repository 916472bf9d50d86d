/**
 * The time of blocks. A sole validator's is its own clock: BFT time is the median of the validators' clocks, and of one it is the one.
 * It never goes back: when the clock does, blocks are a millisecond apart until the clock has caught up.
 * Source: design.md, "Time"; CometBFT spec, "BFT time" (a vote is at least a millisecond after its block).
 */

/** Seconds since 1970-01-01T00:00:00Z and nanoseconds within the second. */
export interface Time {
  readonly seconds: number;
  readonly nanos: number;
}
/** Where a driver gets its time from. */
export type Clock = () => Time;

const SECOND = 1_000_000_000;
const MILLISECOND = 1_000_000;

/** The clock of this machine, to the millisecond. */
export const systemClock: Clock = () => {
  const milliseconds = Date.now();
  return { seconds: Math.floor(milliseconds / 1000), nanos: (milliseconds % 1000) * MILLISECOND };
};

/** A millisecond later: the least by which a vote follows its block, and a block the one before. */
export const justAfter = ({ seconds, nanos }: Time): Time =>
  nanos + MILLISECOND < SECOND
    ? { seconds, nanos: nanos + MILLISECOND }
    : { seconds: seconds + 1, nanos: nanos + MILLISECOND - SECOND };

const isBefore = (a: Time, b: Time): boolean => a.seconds < b.seconds || (a.seconds === b.seconds && a.nanos < b.nanos);

/** The time of the block after one at `last`: now, but always later than `last`. */
export function nextBlockTime(now: Time, last: Time | undefined): Time {
  if (last === undefined) return now;
  const earliest = justAfter(last);
  return isBefore(now, earliest) ? earliest : now;
}

/** Milliseconds from `from` to `to`, negative if `to` is before. */
export const millisecondsBetween = (from: Time, to: Time): number =>
  (to.seconds - from.seconds) * 1000 + (to.nanos - from.nanos) / MILLISECOND;
