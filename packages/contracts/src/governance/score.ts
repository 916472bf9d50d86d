/**
 * What a candidate's part in the consortium is worth, in integers: the formula behind voting power.
 *
 *     score     = base × 1000 + records × R + storage × S + stability × T        (weights governed, 0..1000 each, base at least 1)
 *     R         = min(2000, floor(1000 × points / max(1, median of points)))
 *     S         = min(2000, floor(1000 × free / max(1, median of free)))         free: megabytes that peers' probes saw
 *     T         = floor((C + A) / 2) with a seat, floor(A / 2) without
 *     C         = min(1000, floor(1500 × signed / due))                          0 if nothing was due
 *     A         = answers per thousand probes
 *
 * Points: 1 for each record anchored or amended, and for a batch the number of binary digits of its count. A count is the anchoring member's
 * claim; by its logarithm a false one buys next to nothing. Medians are over the fit candidates, the lower middle one of an even number, so
 * a few members with huge figures neither move them beyond others' nor gain more than twice the ordinary share.
 *
 * A commit counts as signed in full from two thirds on: a proposer chooses which votes beyond two thirds it includes, so proposers with less
 * than a third of the power can hide another's vote in less than a third of the blocks.
 *
 * Bounds: points, free, signed and due are at most 10^12, so no product exceeds 1.5 × 10^15 < 2^53; a score is at most 6 × 10^6 and at least 1000.
 *
 * Source: requirements A3 (stake is data contribution and node stability), A8; design.md, "Validators".
 */
import type { ElectionParameters } from "../model/election-parameters.ts";
import type { Operation } from "../operations.ts";

/** Most that a ratio to the median counts for. */
const MOST_RATIO = 2000;

/** What an accepted operation adds to its member's points. Constant cost. */
export function pointsOf(operation: Operation): number {
  switch (operation.op) {
    case "anchorRecord":
    case "amendRecord":
      return 1;
    case "anchorBatch":
      return 32 - Math.clz32(operation.count);
    default:
      return 0;
  }
}

/** What one epoch measured of a candidate. */
export interface Measured {
  readonly points: number;
  readonly freeMegabytes: number;
  readonly answeredPerMille: number;
  readonly due: number;
  readonly signed: number;
}

/** The lower middle one; 0 of none. */
export function lowerMedian(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}

const ratio = (value: number, typical: number): number => Math.min(MOST_RATIO, Math.floor((1000 * value) / Math.max(1, typical)));

/** The score of a candidate among others whose points and storage have these medians. */
export function scoreOf(
  { base, records, storage, stability }: ElectionParameters["weights"],
  { points, freeMegabytes, answeredPerMille, due, signed }: Measured,
  typical: { readonly points: number; readonly freeMegabytes: number },
): number {
  const commits = due === 0 ? 0 : Math.min(1000, Math.floor((1500 * signed) / due));
  const steady = Math.floor((commits + answeredPerMille) / 2);
  return (
    base * 1000 +
    records * ratio(points, typical.points) +
    storage * ratio(freeMegabytes, typical.freeMegabytes) +
    stability * steady
  );
}

/** The score that somebody newly admitted begins with: the base only, until an epoch has measured it. */
export const newcomerScore = ({ base }: ElectionParameters["weights"]): number => base * 1000;
