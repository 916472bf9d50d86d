/**
 * How many operations a proposer puts into a block: as many as this node executes well within the time that the others give a proposer. On a machine that is
 * short of cores blocks then become smaller instead of too late, since a round that fails costs more than the time of the block.
 * Source: requirement A4; docs/internals/cometbft.md, "Cadence".
 */

/** A block's execution takes at most this share of the time after which the others give a proposer up. */
const SHARE_OF_PROPOSE = 0.1;
/** However slow the machine is. */
const LEAST_OPERATIONS = 50;
/** Weight of the newest block in the average. */
const NEWEST = 0.3;
/** Smaller blocks tell more of the machine's mood than of its speed. */
const OBSERVED_FROM = 20;

export class BlockSize {
  readonly #most: number;
  readonly #targetMs: number;
  #operationMs = 0;

  constructor(mostOperations: number, proposeMs: number) {
    this.#most = mostOperations;
    this.#targetMs = proposeMs * SHARE_OF_PROPOSE;
  }

  /** A block of so many operations was executed and written in this time. */
  observe(operations: number, milliseconds: number): void {
    if (operations < OBSERVED_FROM) return;
    const newest = milliseconds / operations;
    this.#operationMs = this.#operationMs === 0 ? newest : this.#operationMs + NEWEST * (newest - this.#operationMs);
  }

  /** Operations for the next block, at most. */
  get operations(): number {
    if (this.#operationMs === 0) return this.#most;
    return Math.min(this.#most, Math.max(LEAST_OPERATIONS, Math.floor(this.#targetMs / this.#operationMs)));
  }
}
