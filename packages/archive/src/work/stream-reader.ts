/** Reading ranges of an object's stream: found, checked, decoded and opened, chunk by chunk. */
import { Fault } from "@xinglin/primitives";
import { ChunkSeal, release } from "../seal.ts";
import { stripesOf } from "../selection.ts";
import type { OpenObject } from "./open-object.ts";
import { type StripeClock, StripeReader } from "./stripe-reader.ts";
import type { TaskContext } from "./tasks.ts";

/** Wall time in milliseconds. */
export interface StreamClock extends StripeClock {
  unsealMs: number;
}

/** The stream of one object under its content key. */
export class StreamReader {
  readonly #object: OpenObject;
  readonly #seal: ChunkSeal;
  readonly #stripes: StripeReader;
  readonly #clock: StreamClock;
  readonly #context: TaskContext;

  constructor(object: OpenObject, contentKey: Uint8Array, clock: StreamClock, context: TaskContext) {
    this.#object = object;
    this.#seal = new ChunkSeal(contentKey, object.table.header.objectId);
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
    const { layout } = this.#object.table;
    for (const { stripe, columns } of this.#stripes.ahead(stripesOf(ranges, layout))) {
      this.#context.checkpoint();
      await this.#stripes.load(stripe, columns);
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
