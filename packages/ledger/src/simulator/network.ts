/**
 * The network between the nodes: it delays, reorders, repeats and loses messages, and falls into parts that do not hear each other.
 * Arrivals come in steps of time, so that what reaches a node at one time is taken in one go.
 */
import type { Random } from "./random.ts";

/** How bad the network is. */
export interface NetworkOdds {
  /** Of a thousand messages. */
  readonly lost: number;
  readonly repeated: number;
  readonly slow: number;
}

const STEP_MS = 20;
/** Of a thousand messages that are not slow, so many take a step more. */
const SECOND_STEP = 100;
const SLOW_STEPS = 40;

export class Network {
  readonly #random: Random;
  readonly #odds: NetworkOdds;
  /** Which part each node is in. */
  #parts: readonly number[] | undefined;
  #isHealed = false;
  readonly counts = { sent: 0, lost: 0, repeated: 0, cutOff: 0 };

  constructor(random: Random, odds: NetworkOdds) {
    this.#random = random;
    this.#odds = odds;
  }

  /** Splits the network: `parts[i]` is the part of node i. */
  split(parts: readonly number[]): void {
    this.#parts = parts;
  }
  /** Joins the parts. */
  join(): void {
    this.#parts = undefined;
  }
  get isSplit(): boolean {
    return this.#parts !== undefined;
  }
  /** Ends every fault for good. */
  heal(): void {
    this.#isHealed = true;
    this.join();
  }

  /** After how many milliseconds from now a message from one node reaches another: once, several times, or never. */
  send(from: number, to: number, nowMs: number): number[] {
    this.counts.sent++;
    if (this.#parts !== undefined && this.#parts[from] !== this.#parts[to]) {
      this.counts.cutOff++;
      return [];
    }
    if (this.#isHealed) return [this.#latency(false, nowMs)];
    if (this.#random.chance(this.#odds.lost)) {
      this.counts.lost++;
      return [];
    }
    const arrivals = [this.#latency(this.#random.chance(this.#odds.slow), nowMs)];
    if (this.#random.chance(this.#odds.repeated)) {
      this.counts.repeated++;
      arrivals.push(this.#latency(true, nowMs));
    }
    return arrivals;
  }

  #latency(isSlow: boolean, nowMs: number): number {
    const steps = isSlow ? this.#random.between(2, SLOW_STEPS) : 1 + Number(this.#random.chance(SECOND_STEP));
    return STEP_MS * (Math.floor(nowMs / STEP_MS) + steps) - nowMs;
  }
}
