/**
 * Compares this machine's clock with the chain's. Block time is the median of the validators' clocks, so one wrong clock changes nothing of it; but
 * its node judges by it which transactions are over, and a custodian beside it how old a header is.
 *
 * Only a chain that runs beside us tells the time: of a node that catches up, the blocks are old and follow each other fast. So an offset counts once
 * the chain's time and ours went on equally long.
 * Source: design.md, "Time"; CometBFT v0.40 spec, "BFT time".
 */
import type { cometbft } from "@xinglin/crypto/pure";
import { millisecondsBetween, type Time } from "@xinglin/ledger";

/** How long both must have gone on together before an offset is believed. */
const TOGETHER_MS = 5_000;
/** And how much the one may have gone on further than the other meanwhile: a block comes when its turn is. */
const APART_MS = 2_000;
/** What a busy machine and a slow line make of two clocks that agree. */
export const TOLERATED_SECONDS = 5;

export interface ClockWatchOptions {
  /** This machine's clock, which may jump. */
  readonly clock: () => Time;
  /** Milliseconds that never jump. */
  readonly monotonic: () => number;
  /** Hears of an offset of more than `TOLERATED_SECONDS`, when it changes by as much, and with 0 when it is gone. */
  readonly onOffset: (seconds: number) => void;
}

export class ClockWatch {
  readonly #options: ClockWatchOptions;
  #together: { readonly at: number; readonly chain: Time } | undefined;
  #told = 0;
  #offset: number | undefined;

  constructor(options: ClockWatchOptions) {
    this.#options = options;
  }

  /** Seconds by which this machine's clock is ahead of the chain's, negative if it is behind; undefined until that is known. */
  get offsetSeconds(): number | undefined {
    return this.#offset;
  }

  /** A block was just decided; `votes` are the times of the precommits for it. */
  onCommit(votes: readonly Time[]): void {
    const chain = medianOf(votes);
    if (chain === undefined) return;
    const { clock, monotonic, onOffset } = this.#options;
    const at = monotonic();
    this.#together ??= { at, chain };
    const ours = at - this.#together.at;
    const theirs = millisecondsBetween(this.#together.chain, chain);
    if (Math.abs(ours - theirs) > APART_MS) {
      this.#together = { at, chain };
      return;
    }
    if (ours < TOGETHER_MS) return;
    const offset = Math.round(millisecondsBetween(chain, clock()) / 1000) + 0; // no -0
    this.#offset = offset;
    const told = Math.abs(offset) > TOLERATED_SECONDS ? offset : 0;
    if (told === this.#told || (told !== 0 && Math.abs(told - this.#told) <= TOLERATED_SECONDS)) return;
    this.#told = told;
    onOffset(told);
  }
}

/** The middle one of the times. Not weighted by power: it is for people, and the rules never see it. */
function medianOf(times: readonly Time[]): Time | undefined {
  const sorted = times.toSorted((a, b) => -millisecondsBetween(a, b));
  return sorted[Math.floor(sorted.length / 2)];
}

/** Times of the votes in a commit. */
export const votesOf = ({ signatures }: cometbft.Commit): readonly Time[] =>
  signatures.flatMap((signature) => (signature.flag === "absent" ? [] : [signature.timestamp]));
