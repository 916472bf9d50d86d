/**
 * An object's stream in chunks. How long a filtered stream is nobody knows before its end, and a short one has smaller chunks: so what
 * would fill a stripe is gathered before anything is cut.
 */
import type { ObjectStream } from "../filter/object-stream.ts";
import { CHUNK_BYTES, chunkBytesFor } from "../layout.ts";

/** Hands out chunks in order, the last filled up with zeros, then chunks of zeros to the end of a stripe. */
export class ChunkFeed {
  readonly chunkBytes: number;
  readonly #stream: ObjectStream;
  readonly #chunk: Uint8Array;
  #gathered: Uint8Array;

  constructor(stream: ObjectStream, k: number) {
    this.#stream = stream;
    const gathered = new Uint8Array(k * CHUNK_BYTES);
    const bytes = stream.read(gathered);
    this.chunkBytes = bytes < gathered.length ? chunkBytesFor(bytes, k) : CHUNK_BYTES;
    this.#gathered = gathered.subarray(0, this.chunkBytes * Math.ceil(bytes / this.chunkBytes));
    this.#chunk = new Uint8Array(this.chunkBytes);
  }

  /** The next chunk, in a view that the next call overwrites; `undefined` when nothing is left. */
  next(): Uint8Array | undefined {
    if (this.#gathered.length > 0) {
      const chunk = this.#gathered.subarray(0, this.chunkBytes);
      this.#gathered = this.#gathered.subarray(this.chunkBytes);
      return chunk;
    }
    const filled = this.#stream.read(this.#chunk);
    if (filled === 0) return undefined;
    return this.#chunk.fill(0, filled);
  }

  /** A chunk of zeros: what fills a stripe whose data end early. */
  get zeros(): Uint8Array {
    return this.#chunk.fill(0);
  }
}
