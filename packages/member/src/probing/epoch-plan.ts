/**
 * When in an epoch a node probes and when it tells: at heights that only it knows, so that a node can't be well at those alone.
 * Source: requirement A8; docs/internals/validators.md, "Probes".
 */

/** Rounds with a transfer, of the rounds of an epoch. */
export const TRANSFER_ROUNDS = 2;
/** Probing ends with this part of the epoch, and what was seen is told somewhere between here and `TELL_LAST`, so that it is in a block in time. */
const TELL_FIRST = 0.6;
const TELL_LAST = 0.8;

/** One look at all peers, once the chain has reached `height`. */
export interface Round {
  readonly height: number;
  readonly withTransfer: boolean;
}

/** What a node does in an epoch. */
export interface EpochPlan {
  readonly epoch: number;
  /** In the order of their heights. */
  readonly rounds: readonly Round[];
  /** From this height on what was seen is told, as long as the next block does not end the epoch. */
  readonly tellFrom: number;
  /** The first block with transactions from here on ends the epoch. */
  readonly endsFrom: number;
}

/** Plans the rest of an epoch that began at `since`, from height `now` on: each round somewhere in its equal part of the time. */
export function planEpoch(
  { epoch, since, epochBlocks }: { readonly epoch: number; readonly since: number; readonly epochBlocks: number },
  now: number,
  rounds: number,
  random: () => number,
): EpochPlan {
  const until = since + Math.floor(TELL_FIRST * epochBlocks);
  const from = Math.min(Math.max(since, now), until);
  const heights = Array.from({ length: rounds }, (_, i) => from + Math.floor(((until - from) * (i + random())) / rounds));
  const withTransfer = new Set(pick(rounds, TRANSFER_ROUNDS, random));
  return {
    epoch,
    rounds: heights.map((height, i) => ({ height, withTransfer: withTransfer.has(i) })),
    tellFrom: until + Math.floor((TELL_LAST - TELL_FIRST) * epochBlocks * random()),
    endsFrom: since + epochBlocks,
  };
}

/** `count` of the numbers below `of`, in random order. */
export function pick(of: number, count: number, random: () => number): number[] {
  const left = Array.from({ length: of }, (_, i) => i);
  return Array.from({ length: Math.min(of, count) }, () => left.splice(Math.floor(random() * left.length), 1)[0] as number);
}
