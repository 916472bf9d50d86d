/**
 * Keeps a follower up to date at a price: after each look it rests as long as the bytes that the look cost are worth.
 * Source: requirement A9 (at most 1 MB a day for a followed chain).
 */
import { Fault } from "@xinglin/primitives";
import type { LightBudget } from "./light-budget.ts";
import type { LightFollower, LightReport } from "./light-follower.ts";

/** What following a chain may cost. */
export const DAILY_BYTES = 1_000_000;
const DAY_SECONDS = 86_400;
/** Part of it that is planned with; the rest is for the first look, which asks every node. */
const PLANNED = 0.97;

/** How to follow. */
export interface FollowOptions {
  readonly follower: Pick<LightFollower, "update">;
  /** Bytes that its sources fetched so far, requests and answers. */
  readonly bytes: () => number;
  /** Rests; resolves early when `signal` aborts. */
  readonly rest: (seconds: number, signal: AbortSignal) => Promise<void>;
  readonly signal: AbortSignal;
  /** Never rest less than this; 60 seconds if not told. */
  readonly leastSeconds?: number;
  readonly dailyBytes?: number;
  readonly onReport?: (report: LightReport, restSeconds: number) => void;
  /** A look that failed and is tried again. */
  readonly onFault?: (fault: Fault, restSeconds: number) => void;
  /** What earlier clients of the same chain have spent. */
  readonly budget?: Pick<LightBudget, "due" | "begin" | "end">;
  /** It rests before a look, since the day's budget is spent. */
  readonly onSpent?: (restSeconds: number) => void;
}

/** Seconds to rest after a look that cost `bytes`. */
export const restAfter = (bytes: number, dailyBytes = DAILY_BYTES, leastSeconds = 60): number =>
  Math.max(leastSeconds, Math.ceil((bytes * DAY_SECONDS) / (dailyBytes * PLANNED)));

/**
 * Looks and rests until `signal` aborts. What a retry may cure is told to `onFault`; everything else ends it: `node_lied`, `trust_expired`, an
 * answer that does not verify.
 */
export async function followChain(options: FollowOptions): Promise<void> {
  const { follower, signal, dailyBytes, leastSeconds, budget } = options;
  while (!signal.aborted) {
    const due = (await budget?.due()) ?? 0;
    if (due > 0) {
      options.onSpent?.(due);
      await options.rest(due, signal);
      continue;
    }
    await budget?.begin();
    const before = options.bytes();
    let told: LightReport | Fault;
    try {
      told = await follower.update();
    } catch (error) {
      if (!(error instanceof Fault) || !error.retry) throw error;
      told = error;
    } finally {
      await budget?.end(options.bytes() - before);
    }
    const seconds = restAfter(options.bytes() - before, dailyBytes, leastSeconds);
    if (told instanceof Fault) options.onFault?.(told, seconds);
    else options.onReport?.(told, seconds);
    await options.rest(seconds, signal);
  }
}
