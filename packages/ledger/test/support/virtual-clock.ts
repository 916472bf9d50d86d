/** A clock that stands still until it is moved. */
import type { Clock, Time } from "../../src/block-time.ts";

export class VirtualClock {
  #milliseconds: number;

  constructor(seconds = 1_800_000_000) {
    this.#milliseconds = seconds * 1000;
  }
  readonly now: Clock = (): Time => ({
    seconds: Math.floor(this.#milliseconds / 1000),
    nanos: (this.#milliseconds % 1000) * 1_000_000,
  });
  get seconds(): number {
    return Math.floor(this.#milliseconds / 1000);
  }
  move(milliseconds: number): void {
    this.#milliseconds += milliseconds;
  }
}
