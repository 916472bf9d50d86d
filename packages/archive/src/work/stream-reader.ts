/** Reading ranges of an object's stream: found, checked, decoded and opened, chunk by chunk. */
import { Fault } from "@xinglin/primitives";
import { release } from "../profile/aead.ts";
import { ChunkSeal } from "../seal.ts";
import { stripesOf } from "../selection.ts";
import type { OpenObject } from "./open-object.ts";
import { type StripeClock, StripeReader } from "./stripe-reader.ts";
import type { TaskContext } from "./tasks.ts";

/** Wall time in milliseconds. */
export interface StreamClock extends StripeClock {
  unsealMs: number;
}

type Stripe = { readonly stripe: number; readonly columns: readonly number[] };

/** The stream of one object under its content key. */
export class StreamReader {
  readonly #object: OpenObject;
  readonly #seal: ChunkSeal;
  readonly #stripes: StripeReader;
  readonly #clock: StreamClock;
  readonly #context: TaskContext;
  /** The stripe that the codec's memory holds, and its columns that are right. */
  #held: Stripe | undefined;

  constructor(object: OpenObject, contentKey: Uint8Array, clock: StreamClock, context: TaskContext) {
    this.#object = object;
    this.#seal = new ChunkSeal(object.table.profile, contentKey, object.table.header.objectId);
    this.#stripes = new StripeReader(object, clock);
    this.#clock = clock;
    this.#context = context;
  }

  /** Pieces that had to be computed from others so far. */
  get rebuilt(): number {
    return this.#stripes.rebuilt;
  }

  /**
   * The chunks that hold these ranges, which rise, each with the byte of the stream that it begins at. A chunk is gone when the next is
   * asked for, unless its buffer was handed over. Faults: `archive_unrecoverable`, `manifest_mismatch`, `aborted`.
   */
  async *chunks(
    ranges: readonly { readonly from: number; readonly to: number }[],
  ): AsyncGenerator<{ at: number; chunk: Uint8Array }> {
    const stripes = stripesOf(ranges, this.#object.table.layout);
    const first = stripes.next();
    if (first.done === true) return;
    // Files that share pixels take turns between two streams, a little of each: what was read of a stripe is used again.
    if (await this.#isAtHand(first.value)) yield* this.#open(first.value);
    else yield* this.#read(before(first.value, stripes));
    yield* this.#read(stripes);
  }

  async *#read(stripes: Iterable<Stripe>): AsyncGenerator<{ at: number; chunk: Uint8Array }> {
    for (const next of this.#stripes.ahead(stripes)) {
      this.#held = undefined; // a load that fails leaves nothing to rely on
      if (next.stripe >= this.#object.table.layout.stripes) throw new Fault("manifest_mismatch", { part: "extent" });
      await this.#stripes.load(next.stripe, next.columns);
      this.#held = next;
      yield* this.#open(next);
    }
  }

  async *#open({ stripe, columns }: Stripe): AsyncGenerator<{ at: number; chunk: Uint8Array }> {
    this.#context.checkpoint();
    const { layout } = this.#object.table;
    for (const column of columns) {
      const index = stripe * layout.code.k + column;
      const start = performance.now();
      const chunk = this.#seal.open(index, this.#stripes.codec.piece(column));
      this.#clock.unsealMs += performance.now() - start;
      if (chunk === undefined) throw new Fault("manifest_mismatch", { part: "chunk" });
      yield { at: index * layout.chunkBytes, chunk };
      release(chunk);
    }
  }

  /** Whether the codec's memory holds all this. Who comes back to a stripe for more of it will come again: then all of it is read. */
  async #isAtHand({ stripe, columns }: Stripe): Promise<boolean> {
    if (this.#held?.stripe !== stripe) return false;
    if (columns.every((column) => this.#held?.columns.includes(column))) return true;
    const all = Array.from({ length: this.#object.table.layout.code.k }, (_, column) => column);
    this.#held = undefined;
    await this.#stripes.load(stripe, all);
    this.#held = { stripe, columns: all };
    return true;
  }

  /** Bytes `from` to before `to`, copied: for what fits in memory. */
  async read(from: number, to: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(to - from);
    for await (const { at, chunk } of this.chunks([{ from, to }])) {
      const first = Math.max(from, at);
      bytes.set(chunk.subarray(first - at, Math.min(to, at + chunk.length) - at), first - from);
    }
    return bytes;
  }
}

function* before<T>(first: T, others: Iterable<T>): Generator<T> {
  yield first;
  yield* others;
}
