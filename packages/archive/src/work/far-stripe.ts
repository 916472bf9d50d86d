/**
 * One stripe from stores that are far: the pieces that are wanted are asked for at once, others in place of those that are late or wrong, and
 * whoever is no longer needed is told so. Every piece is held against its leaf before it counts.
 * Source: docs/internals/archive.md, "Reading".
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Fault } from "@xinglin/primitives";
import { columnsOf } from "../layout.ts";
import { type Holder, holdersOf, type OpenObject } from "./open-object.ts";
import type { Pace } from "./pace.ts";

/** What a stripe is fetched with. */
export interface FarReading {
  readonly object: OpenObject;
  readonly pieceBytes: number;
  readonly pace: Pace;
  /** Time that hashing took, in milliseconds, is added here. */
  readonly clock: { pieceHashMs: number };
  /** Buffers of a piece that nobody uses. */
  readonly spare: Uint8Array<ArrayBuffer>[];
}

/** What a store may need to come back, before it is asked for the last time. */
const LAST_PAUSE_MS = 250;

interface Asked {
  readonly column: number;
  readonly store: string;
  readonly begun: number;
  readonly stop: AbortController;
  isLate: boolean;
}

/** Right pieces by column: all that are wanted, or k of any. Rejects with `archive_unrecoverable`. */
export function fetchFarStripe(
  reading: FarReading,
  stripe: number,
  wanted: readonly number[],
  signal: AbortSignal,
): Promise<ReadonlyMap<number, Uint8Array<ArrayBuffer>>> {
  return new Promise((resolve, reject) => new FarStripe(reading, stripe, wanted, { resolve, reject }, signal).start());
}

class FarStripe {
  readonly #reading: FarReading;
  readonly #stripe: number;
  readonly #wanted: readonly number[];
  readonly #end: { resolve(pieces: ReadonlyMap<number, Uint8Array<ArrayBuffer>>): void; reject(error: unknown): void };
  readonly #signal: AbortSignal;
  readonly #k: number;
  readonly #got = new Map<number, Uint8Array<ArrayBuffer>>();
  readonly #pending = new Map<number, Asked>();
  /** Columns not asked for yet, the likeliest to come soon first. */
  readonly #left: number[];
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;
  #isLastTry = false;
  #isWaiting = false;

  constructor(
    reading: FarReading,
    stripe: number,
    wanted: readonly number[],
    end: { resolve(pieces: ReadonlyMap<number, Uint8Array<ArrayBuffer>>): void; reject(error: unknown): void },
    signal: AbortSignal,
  ) {
    this.#reading = reading;
    this.#stripe = stripe;
    this.#wanted = wanted;
    this.#end = end;
    this.#signal = signal;
    const { layout } = reading.object.table;
    this.#k = layout.code.k;
    const others = Array.from({ length: columnsOf(layout) }, (_, column) => column).filter((column) => !wanted.includes(column));
    const now = performance.now();
    const cost = (column: number): number => {
      const holder = this.#holdersOf(column)[0];
      if (holder === undefined) return Number.POSITIVE_INFINITY;
      return reading.pace.expectedMs(holder.store.id) + (reading.pace.isWorthAsking(holder.store.id, now) ? 0 : 1e6);
    };
    this.#left = others
      .map((column) => [cost(column), column] as const)
      .sort(([a], [b]) => a - b)
      .map(([, column]) => column);
  }

  start(): void {
    this.#signal.addEventListener("abort", this.#onAbort, { once: true });
    const now = performance.now();
    const passedOver: number[] = [];
    for (const column of this.#wanted) {
      const holder = this.#holdersOf(column)[0];
      if (holder !== undefined && this.#reading.pace.isWorthAsking(holder.store.id, now)) this.#ask(column);
      else if (holder !== undefined) passedOver.push(column);
    }
    // Those that are not worth asking are asked when nothing else is left.
    this.#left.push(...passedOver);
    if (this.#pending.size < this.#wanted.length) this.#askOthers();
    this.#wait();
    this.#settle();
  }

  #holdersOf(column: number): readonly Holder[] {
    return holdersOf(this.#reading.object, this.#stripe, column);
  }

  /** Asks for as many more as make k together with those that have come or are in time. */
  #askOthers(): void {
    const inTime = [...this.#pending.values()].filter(({ isLate }) => !isLate).length;
    for (let missing = this.#k - this.#got.size - inTime; missing > 0; missing--) {
      const column = this.#left.shift();
      if (column === undefined) return;
      this.#ask(column);
    }
  }

  #ask(column: number): void {
    const [first] = this.#holdersOf(column);
    if (first === undefined) return;
    const asked: Asked = {
      column,
      store: first.store.id,
      begun: performance.now(),
      stop: new AbortController(),
      isLate: false,
    };
    this.#pending.set(column, asked);
    void this.#read(asked).then((piece) => this.#arrived(asked, piece));
  }

  /** The piece, from whoever says to hold it; undefined if nobody has it right. */
  async #read({ column, stop }: Asked): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const { object, pieceBytes, pace, clock, spare } = this.#reading;
    for (const { store, pack } of this.#holdersOf(column)) {
      const piece = spare.pop() ?? new Uint8Array(pieceBytes);
      const begun = performance.now();
      const whole = await pack.read(this.#stripe * pieceBytes, piece, stop.signal).catch(() => undefined);
      if (stop.signal.aborted) return undefined; // who knows what writes to the buffer yet
      const came = performance.now();
      const isRight = whole === true && object.table.matches(this.#stripe, column, piece);
      clock.pieceHashMs += performance.now() - came;
      if (isRight) {
        pace.answered(store.id, came - begun);
        return piece;
      }
      spare.push(piece);
      pace.failed(store.id, came);
      object.troubles.note(store, whole === true ? "piece_corrupt" : "piece_missing", { stripe: this.#stripe, column });
    }
    return undefined;
  }

  #arrived(asked: Asked, piece: Uint8Array<ArrayBuffer> | undefined): void {
    if (this.#isOver) return;
    this.#pending.delete(asked.column);
    if (piece !== undefined) this.#got.set(asked.column, piece);
    else this.#askOthers();
    this.#settle();
  }

  #settle(): void {
    if (this.#isOver) return;
    const isDone = this.#got.size >= this.#k || this.#wanted.every((column) => this.#got.has(column));
    if (isDone) {
      this.#over();
      this.#end.resolve(this.#got);
    } else if (this.#pending.size === 0 && !this.#isLastTry) this.#tryAll();
    else if (this.#pending.size === 0 && !this.#isWaiting) {
      this.#over();
      const facts = { stripe: this.#stripe, available: this.#got.size, needed: this.#k };
      this.#end.reject(new Fault("archive_unrecoverable", facts, { retry: true }));
    }
  }

  /** Before giving up: once everybody has said what they hold, all that is missing is asked for again, of those that failed as well. */
  #tryAll(): void {
    this.#isLastTry = true;
    this.#isWaiting = true;
    void Promise.all([this.#reading.object.allAnswered, sleep(LAST_PAUSE_MS)]).then(() => {
      this.#isWaiting = false;
      if (this.#isOver) return;
      const { layout } = this.#reading.object.table;
      for (let column = 0; column < columnsOf(layout); column++) if (!this.#got.has(column)) this.#ask(column);
      this.#settle();
    });
  }

  #wait(): void {
    this.#timer = setTimeout(() => {
      for (const asked of this.#pending.values()) asked.isLate = true;
      this.#askOthers();
      this.#wait();
    }, this.#reading.pace.delayMs);
  }

  readonly #onAbort = (): void => {
    if (this.#isOver) return;
    this.#over();
    this.#end.reject(new Fault("aborted"));
  };

  /** Tells those that are still at it that nobody waits for them. */
  #over(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#signal.removeEventListener("abort", this.#onAbort);
    const now = performance.now();
    for (const { column, store, begun, stop, isLate } of this.#pending.values()) {
      this.#reading.pace.late(store, now - begun);
      const holder = this.#holdersOf(column)[0];
      if (isLate && holder !== undefined)
        this.#reading.object.troubles.note(holder.store, "slow", { stripe: this.#stripe, column });
      stop.abort();
    }
    this.#pending.clear();
  }
}
