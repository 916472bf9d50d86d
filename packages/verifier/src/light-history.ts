/**
 * Which verified blocks a follower keeps: enough to find out where another history parted from its own and to show that to others, few
 * enough for a browser's storage.
 * Source: requirement A9; CometBFT v0.40 `light/detector.go` (what a trace is for).
 */
import type { cometbft } from "@xinglin/crypto/pure";
import { overlaps } from "./light-step.ts";

/** Of the blocks that lead nowhere new, one a day is kept. */
const KEPT_EVERY_SECONDS = 86_400;
/** A bound on storage whatever the validators do. */
const MAX_KEPT = 200;

/**
 * The history with newly verified blocks added. Each block in it follows from the one before by a single step; blocks older than
 * `oldestSeconds` are forgotten, the newest never.
 */
export function extendHistory(
  history: readonly cometbft.LightBlock[],
  verified: readonly cometbft.LightBlock[],
  oldestSeconds = 0,
): cometbft.LightBlock[] {
  const kept = [...history];
  for (const block of verified) {
    const before = kept.at(-2);
    if (before !== undefined && isWithinADay(before, block) && overlaps(before.validators, block)) kept.pop();
    kept.push(block);
  }
  const first = kept.findIndex(({ header }) => header.time.seconds >= oldestSeconds);
  return kept.slice(Math.max(first < 0 ? kept.length - 1 : first, kept.length - MAX_KEPT));
}

const isWithinADay = (a: cometbft.LightBlock, b: cometbft.LightBlock): boolean =>
  b.header.time.seconds - a.header.time.seconds < KEPT_EVERY_SECONDS;
