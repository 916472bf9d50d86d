/**
 * Reading stripes: data columns first, each piece checked before it is used, lost ones computed from any k that are right. Of near stores one
 * piece after the other, into the codec's memory; of far ones all at once and some stripes ahead.
 */
import { Fault } from "@xinglin/primitives";
import { ReedSolomon } from "../code/reed-solomon.ts";
import { columnsOf, pieceBytesOf } from "../layout.ts";
import { type FarReading, fetchFarStripe } from "./far-stripe.ts";
import { type Holder, holdersOf, type OpenObject } from "./open-object.ts";
import { Pace } from "./pace.ts";

/** Wall time in milliseconds. */
export interface StripeClock {
  pieceReadMs: number;
  pieceHashMs: number;
  codeMs: number;
}

/** What became of one piece when it was looked for. */
export type PieceState = "held" | "missing" | "corrupt";

/** Stripes on their way from far stores while one is decoded: 15 MB at most, and enough for a line with a long way. */
const STRIPES_AHEAD = 3;

/** Reads stripes of one object into the memory of its codec. */
export class StripeReader {
  readonly codec: ReedSolomon;
  /** Pieces that were computed because no store had them right. */
  rebuilt = 0;
  readonly #object: OpenObject;
  readonly #clock: StripeClock;
  readonly #pieceBytes: number;
  /** Undefined if all holders are near. */
  readonly #far: FarReading | undefined;
  readonly #coming = new Map<number, ReturnType<typeof fetchFarStripe>>();

  constructor(object: OpenObject, clock: StripeClock) {
    const { layout } = object.table;
    this.#object = object;
    this.#clock = clock;
    this.#pieceBytes = pieceBytesOf(layout);
    this.codec = new ReedSolomon(layout.code.k, layout.code.m, this.#pieceBytes);
    if (object.holders.every(({ pack }) => pack.isNear === true)) return;
    const pieceBytes = this.#pieceBytes;
    this.#far = { object, pieceBytes, pace: new Pace(), clock, spare: [] };
  }

  /**
   * Puts the pieces `wanted` (data columns) of `stripe` into `codec.piece(column)`. Other columns are read only as far as lost ones
   * ask for it. Faults: `archive_unrecoverable`.
   */
  async load(stripe: number, wanted: readonly number[]): Promise<void> {
    if (this.#far !== undefined) return await this.#loadFar(this.#far, stripe, wanted);
    const present: number[] = [];
    const lost: number[] = [];
    for (const column of wanted) ((await this.fetch(stripe, column)) === "held" ? present : lost).push(column);
    if (lost.length === 0) return;
    const { k } = this.codec;
    const columns = columnsOf(this.#object.table.layout);
    for (let column = 0; column < columns && present.length < k; column++)
      if (!wanted.includes(column) && (await this.fetch(stripe, column)) === "held") present.push(column);
    if (present.length < k)
      throw new Fault("archive_unrecoverable", { stripe, available: present.length, needed: k }, { retry: true });
    this.rebuild(present.slice(0, k), lost);
  }

  /**
   * Gives out these stripes in turn, each to be loaded when it is given; what is far is asked for some stripes ahead, but for the first, which comes
   * alone and so sooner. End the iteration to stop what is on its way.
   */
  *ahead<T extends { readonly stripe: number; readonly columns: readonly number[] }>(stripes: Iterable<T>): Generator<T> {
    const far = this.#far;
    if (far === undefined) {
      yield* stripes;
      return;
    }
    const ending = new AbortController();
    const begun: T[] = [];
    let isFirst = true;
    try {
      for (const next of stripes) {
        const coming = fetchFarStripe(far, next.stripe, next.columns, ending.signal);
        coming.catch(() => undefined); // told to whoever loads it
        this.#coming.set(next.stripe, coming);
        begun.push(next);
        if (isFirst || begun.length > STRIPES_AHEAD) yield begun.shift() as T;
        isFirst = false;
      }
      yield* begun;
    } finally {
      ending.abort();
      this.#coming.clear();
    }
  }

  async #loadFar(far: FarReading, stripe: number, wanted: readonly number[]): Promise<void> {
    const start = performance.now();
    const coming = this.#coming.get(stripe) ?? fetchFarStripe(far, stripe, wanted, new AbortController().signal);
    this.#coming.delete(stripe);
    const pieces = await coming;
    this.#clock.pieceReadMs += performance.now() - start;
    const lost = wanted.filter((column) => !pieces.has(column));
    for (const [column, piece] of pieces) {
      if (lost.length > 0 || wanted.includes(column)) this.codec.piece(column).set(piece);
      far.spare.push(piece);
    }
    if (lost.length > 0) this.rebuild([...pieces.keys()].sort((a, b) => a - b).slice(0, this.codec.k), lost);
  }

  /** Computes the columns `lost` from k right ones in the codec's memory. */
  rebuild(present: readonly number[], lost: readonly number[]): void {
    const start = performance.now();
    this.codec.reconstruct(present, lost);
    this.#clock.codeMs += performance.now() - start;
    this.rebuilt += lost.length;
  }

  /** Reads one piece from whoever says to hold it, until one is right. Notes every store that failed. */
  async fetch(stripe: number, column: number): Promise<PieceState> {
    let state: PieceState = "missing";
    for (const holder of holdersOf(this.#object, stripe, column)) {
      const found = await this.fetchFrom(holder, stripe, column);
      if (found === "held") return found;
      this.#object.troubles.note(holder.store, found === "missing" ? "piece_missing" : "piece_corrupt", { stripe, column });
      if (found === "corrupt") state = found;
    }
    return state;
  }

  /** Reads one piece from the first who says to hold it, and does not check it: for what is checked by what comes of it. */
  async take(stripe: number, column: number): Promise<boolean> {
    const [holder] = holdersOf(this.#object, stripe, column);
    const start = performance.now();
    const whole = await holder?.pack.read(stripe * this.#pieceBytes, this.codec.piece(column)).catch(() => false);
    this.#clock.pieceReadMs += performance.now() - start;
    return whole === true;
  }

  /** Reads one piece from one store into the codec's memory and checks it against the table. */
  async fetchFrom({ pack }: Holder, stripe: number, column: number): Promise<PieceState> {
    const piece = this.codec.piece(column);
    const start = performance.now();
    const whole = await pack.read(stripe * this.#pieceBytes, piece).catch(() => false);
    const between = performance.now();
    const right = whole && this.#object.table.matches(stripe, column, piece);
    this.#clock.pieceReadMs += between - start;
    this.#clock.pieceHashMs += performance.now() - between;
    if (right) return "held";
    return whole ? "corrupt" : "missing";
  }
}
