/**
 * When CometBFT hears what is to be handed on. It asks again and again at a fixed interval, at a round trip each time, whether there is anything or
 * not; so an answer without transactions waits until there may be some. Answers of one connection come in the order of the questions: whatever else
 * CometBFT asks on that connection ends the waiting, and while a block is made final, when it waits for that connection to be empty, there is none.
 * Source: CometBFT v0.40 `mempool/app_mempool.go` (reapTxs), `state/execution.go` (Commit calls FlushAppConn).
 */
import { Wake } from "@xinglin/ledger";

/** No answer waits longer: what something forgot to wake is late by this, not stuck. */
const LONGEST_MS = 500;

export class ReapWait {
  #wake = new Wake();
  #held = false;
  #released = false;

  /** There may be something to hand on, or CometBFT asks for something else. */
  notify(): void {
    this.#wake.up();
  }

  /** From now on nothing waits, until `resume`: a block is being made final. */
  hold(): void {
    this.#held = true;
    this.#wake.up();
  }
  resume(): void {
    this.#held = false;
  }

  /** Nothing waits any more, now and later. */
  release(): void {
    this.#released = true;
    this.#wake.up();
  }

  /** Resolves when the question should be answered. */
  async untilWork(): Promise<void> {
    if (this.#held || this.#released) return;
    await this.#wake.wait(LONGEST_MS);
  }
}
