/**
 * Which waiting transactions a node still has to hand on to its peers. Handing on is best effort on the way (a queue to a peer may be full, a
 * peer may have no room), so what this node itself accepted is handed on again when it has waited for some blocks; what came from a peer is
 * handed on once, and only where that peer does not reach everyone itself.
 * Source: CometBFT v0.40, `mempool/app_mempool.go` (ReapTxs hands on once) and `mempool/app_reactor.go` (broadcast may drop).
 */
import type { Bytes } from "@xinglin/primitives";
import type { Waiting } from "./mempool.ts";

/** Where a transaction came from: from a client of this node, or from another node. */
export type Origin = "own" | "peer";

/** Blocks after which an own transaction that still waits is handed on again. */
const AGAIN_AFTER_BLOCKS = 8;
/** Lists are cleared of what no longer waits when they are this much longer than the mempool. */
const SLACK = 1_024;

/** One hand-over: what fits, and whether peers' transactions are wanted. */
export interface Reaping {
  readonly maxBytes: number;
  /** Height of the newest block. */
  readonly height: number;
  /** Hand on what came from peers, too. */
  readonly relay: boolean;
}

export class Gossip {
  readonly #isHere: (waiting: Waiting) => boolean;
  #own: Waiting[] = [];
  #peers: Waiting[] = [];
  /** Own ones that were handed on at these heights, oldest first. */
  #handed: { readonly waiting: Waiting; readonly height: number }[] = [];

  /** `isHere` tells whether a transaction still waits. */
  constructor(isHere: (waiting: Waiting) => boolean) {
    this.#isHere = isHere;
  }

  /** A transaction began to wait; `size` is how many do. */
  add(waiting: Waiting, origin: Origin, size: number): void {
    (origin === "own" ? this.#own : this.#peers).push(waiting);
    if (this.#own.length > size + SLACK) this.#own = this.#own.filter(this.#isHere);
    if (this.#peers.length > size + SLACK) this.#peers = this.#peers.filter(this.#isHere);
  }

  /** Transactions to hand on now, own ones first; at least one if there is any, whatever its size. */
  reap({ maxBytes, height, relay }: Reaping): Bytes[] {
    const again = this.#handed.findIndex((entry) => entry.height + AGAIN_AFTER_BLOCKS > height);
    const due = this.#handed.splice(0, again < 0 ? this.#handed.length : again);
    for (const { waiting } of due) if (this.#isHere(waiting)) this.#own.push(waiting);
    const reaped: Bytes[] = [];
    let left = maxBytes;
    const take = (queue: Waiting[], onTaken: (waiting: Waiting) => void): Waiting[] => {
      let at = 0;
      for (; at < queue.length; at++) {
        const waiting = queue[at]!;
        if (!this.#isHere(waiting)) continue;
        if (waiting.bytes.length > left && reaped.length > 0) break;
        left -= waiting.bytes.length;
        reaped.push(waiting.bytes);
        onTaken(waiting);
      }
      return at === 0 ? queue : queue.slice(at);
    };
    this.#own = take(this.#own, (waiting) => this.#handed.push({ waiting, height }));
    this.#peers = relay ? take(this.#peers, () => {}) : [];
    return reaped;
  }
}
