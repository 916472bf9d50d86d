/**
 * Why a node makes no blocks just now, as far as it can tell: no room on its disk, an engine that does not start, or nothing new from the others.
 * Source: docs/internals/cometbft.md, "The bridge".
 */
import type { DriverSite } from "@xinglin/ledger";
import { Fault } from "@xinglin/primitives";

/** Without a new block for so many of the longest gaps (and at least so long), the ledger is said to be unavailable. */
const STALLED_GAPS = 3;
const STALLED_MS = 15_000;
const TICK_MS = 500;
/** A tick that comes later than this found the process stopped, or the machine asleep: the others are not to blame for that time. */
const LATE_MS = 1_000;

export class Availability {
  readonly #site: Pick<DriverSite, "application" | "checkRoom">;
  #fault: Fault | undefined;
  readonly #timer: NodeJS.Timeout;
  #tickedAt = performance.now();
  /** Since the last block, without what this process slept. */
  #waitedMs = 0;

  constructor(site: Pick<DriverSite, "application" | "checkRoom">) {
    this.#site = site;
    this.#timer = setInterval(() => this.#tick(), TICK_MS).unref();
  }

  /** Nobody asks any more. */
  stop(): void {
    clearInterval(this.#timer);
  }

  /** A block was committed. */
  onBlock(): void {
    this.#waitedMs = 0;
  }

  /** The engine answers. */
  onAnswering(): void {
    this.#fault = undefined;
  }

  /** The engine ends again and again. Returns what that comes from. */
  onFailing(fault: Fault): Fault {
    // CometBFT ends, too, when it can't write: then that is what to say.
    this.#fault = this.#noRoom() ?? fault;
    return this.#fault;
  }

  /** Throws `Fault("disk_full")` while there is no room for a block. */
  checkRoom(): void {
    this.#fault = this.#noRoom();
    if (this.#fault !== undefined) throw this.#fault;
  }

  /** Why there are no blocks, if there are none: `disk_full`, `engine_failed`, `ledger_unavailable`. */
  fault(): Fault | undefined {
    if (this.#fault !== undefined) return this.#fault;
    const { maxBlockGapSeconds } = this.#site.application.parameters();
    const stalledMs = Math.max(STALLED_MS, maxBlockGapSeconds * 1_000 * STALLED_GAPS);
    return this.#waitedMs > stalledMs ? new Fault("ledger_unavailable", {}, { retry: true }) : undefined;
  }

  #tick(): void {
    const now = performance.now();
    this.#waitedMs += Math.min(now - this.#tickedAt, LATE_MS);
    this.#tickedAt = now;
  }

  #noRoom(): Fault | undefined {
    try {
      this.#site.checkRoom();
      return undefined;
    } catch (error) {
      if (error instanceof Fault) return error;
      throw error;
    }
  }
}
