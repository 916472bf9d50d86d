/**
 * When a proposer answers. CometBFT v0.40 has no delay between blocks that follows the load, so the proposer waits: until there is work, then a
 * moment for company; at once when the last block changed the state, whose proof stands in the next header; and no longer than the heartbeat,
 * well below the time after which the others give it up. While it waits, peers' transactions still come in and wake it.
 * Source: requirement A4; CometBFT v0.40 `consensus/state.go` (enterPropose); docs/internals/cometbft.md, "Cadence".
 */
import { type Application, Wake } from "@xinglin/ledger";

/** The longest wait of an idle proposer, as a share of the time after which the others give it up. */
const SHARE_OF_PROPOSE = 0.5;
/**
 * And as a share of the longest gap that governance allows: a header's time is that of the votes before it, so the newest header can be as old as
 * two gaps.
 */
const SHARE_OF_GAP = 0.4;

export interface PaceOptions {
  readonly application: Application;
  /** After which the other validators give a proposer up. */
  readonly proposeMs: number;
  /** How long the first transaction waits for company. */
  readonly gatherMs: number;
}

export class Pace {
  readonly #options: PaceOptions;
  readonly #wake = new Wake();
  #released = false;

  constructor(options: PaceOptions) {
    this.#options = options;
  }

  /** There may be work. */
  notify(): void {
    this.#wake.up();
  }

  /** Nobody waits any more, now and later. */
  release(): void {
    this.#released = true;
    this.#wake.up();
  }

  /** Resolves when the proposal should be made. */
  async untilWork(needsProof: boolean): Promise<void> {
    const { application, proposeMs, gatherMs } = this.#options;
    const idleMs = Math.min(proposeMs * SHARE_OF_PROPOSE, application.parameters().maxBlockGapSeconds * 1000 * SHARE_OF_GAP);
    const deadline = performance.now() + idleMs;
    while (!needsProof && !this.#released && application.waiting === 0) {
      const left = deadline - performance.now();
      if (left <= 0) return;
      await this.#wake.wait(left);
    }
    if (application.waiting > 0 && gatherMs > 0 && !this.#released) await new Promise((resolve) => setTimeout(resolve, gatherMs));
  }
}
