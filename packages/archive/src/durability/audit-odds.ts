/**
 * What a sample finds: the probability that an audit notices a store that lost some of its pieces.
 * Source: requirement D3; hypergeometric distribution. G. Ateniese et al., "Provable Data Possession at Untrusted Stores" (2007), section 5.
 */
import { invariant } from "@xinglin/primitives";

/** The share of its pieces that a store is imagined to have lost, where a report says with what probability it would be found. */
export const LOST_SHARE = 0.01;

/** Of `pieces`, how many were looked at. */
export interface Sampled {
  readonly pieces: number;
  readonly sampled: number;
}

/** How many pieces a share is: at least one, since less is no loss. */
export const lostPieces = (pieces: number, share: number): number =>
  Math.min(pieces, Math.max(1, Math.ceil(pieces * share - 1e-9)));

/** The probability that at least one of `lost` pieces is among `sampled` different ones, whichever they are. Exact. Cost: the smaller of the two. */
export function oddsOfFinding({ pieces, sampled }: Sampled, lost: number): number {
  invariant(sampled <= pieces && lost <= pieces, "no more than there are");
  if (sampled + lost > pieces) return 1;
  const [few, many] = sampled < lost ? [sampled, lost] : [lost, sampled];
  let logMissed = 0;
  for (let i = 0; i < few; i++) logMissed += Math.log1p(-many / (pieces - i));
  return -Math.expm1(logMissed);
}

/** The fewest different pieces to look at so that a loss of `share` is found with at least `confidence`. */
export function sampleFor(pieces: number, share: number, confidence: number): number {
  const lost = lostPieces(pieces, share);
  const isEnough = (sampled: number): boolean => oddsOfFinding({ pieces, sampled }, lost) >= confidence;
  let high = 1;
  while (high < pieces && !isEnough(high)) high = Math.min(pieces, high * 2); // the answer is small however many pieces there are
  let low = Math.ceil(high / 2);
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (isEnough(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * At least the probability of finding a store that lost `share` of all its pieces, wherever it is worst for the auditor, when each object
 * was sampled by itself. Exact for one object; for several the lost pieces are put where the sampled share is smallest.
 */
export function oddsOverObjects(objects: readonly Sampled[], share: number): number {
  const [only] = objects;
  if (only === undefined) return 0;
  if (objects.length === 1) return oddsOfFinding(only, lostPieces(only.pieces, share));
  let left = lostPieces(
    objects.reduce((sum, { pieces }) => sum + pieces, 0),
    share,
  );
  let logMissed = 0;
  for (const { pieces, sampled } of objects.toSorted((a, b) => a.sampled / a.pieces - b.sampled / b.pieces)) {
    const here = Math.min(left, pieces);
    if (here > 0) logMissed += here * Math.log1p(-sampled / pieces);
    left -= here;
  }
  return -Math.expm1(logMissed);
}

/** Mean days until an audit finds a loss of `share`, when one of `sampled` pieces is made every `everyDays`: half a period, and a period for each that misses it. */
export const meanDaysToFind = (of: Sampled, share: number, everyDays: number): number =>
  everyDays * (1 / oddsOfFinding(of, lostPieces(of.pieces, share)) - 0.5);
