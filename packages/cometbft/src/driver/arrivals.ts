/**
 * Transactions that peers handed on, on their way into the mempool: a few at a turn of the event loop, so that blocks and votes are not held up,
 * and so many at most that a flood is pushed back.
 * Source: docs/internals/cometbft.md, "Transactions from peers".
 */
import type { Application } from "@xinglin/ledger";
import { type Bytes, Fault } from "@xinglin/primitives";

/** Taken at a turn; each costs some 50 µs. */
const A_TURN = 16;
/** Bytes on their way at most. */
const MAX_BYTES = 8 * 1024 * 1024;
/** What an array costs beside its bytes: a flood of tiny ones is a flood, too. */
const ARRAY_BYTES = 256;
const costOf = ({ length }: Bytes): number => length + ARRAY_BYTES;

export class Arrivals {
  readonly #application: Application;
  readonly #onWaiting: () => void;
  #queue: Bytes[] = [];
  #bytes = 0;
  #running = false;

  /** `onWaiting` hears when a transaction began to wait. */
  constructor(application: Application, onWaiting: () => void) {
    this.#application = application;
    this.#onWaiting = onWaiting;
  }

  /** Takes them, or none of them if there is no room: then false. */
  add(transactions: readonly Bytes[]): boolean {
    const bytes = transactions.reduce((sum, transaction) => sum + costOf(transaction), 0);
    if (this.#bytes > 0 && this.#bytes + bytes > MAX_BYTES) return false;
    this.#bytes += bytes;
    this.#queue.push(...transactions);
    if (!this.#running) void this.#run();
    return true;
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#queue.length > 0) {
      await new Promise(setImmediate);
      for (const transaction of this.#queue.splice(0, A_TURN)) {
        this.#bytes -= costOf(transaction);
        this.#insert(transaction);
      }
    }
    this.#running = false;
  }

  #insert(transaction: Bytes): void {
    // A wrong one leaves no trace; one for which there is no room comes again from the node that accepted it.
    const ignore = (error: unknown): void => {
      if (!(error instanceof Fault)) throw error;
    };
    try {
      this.#application.insertTx(transaction).verified.then(this.#onWaiting, ignore);
    } catch (error) {
      ignore(error);
    }
  }
}
