/** Reading an object or part of it, in order, into a sink: found, checked, decoded, opened, and each whole file's hash checked at its end. */
import { createHash } from "node:crypto";
import { equal, Fault } from "@xinglin/primitives";
import { type Manifest, openManifest } from "../manifest.ts";
import { ChunkSeal, release } from "../seal.ts";
import { type Segment, type Selection, segmentsOf, stripesOf } from "../selection.ts";
import { findManifest, type ObjectOrder, openObject } from "./open-object.ts";
import { type StripeClock, StripeReader } from "./stripe-reader.ts";
import type { TaskContext } from "./tasks.ts";
import type { StoreTrouble } from "./trouble.ts";

/** What to read. */
export interface ReadOrder extends ObjectOrder {
  readonly contentKey: Uint8Array;
  readonly only?: Selection;
}

/** Where files go, one after another. What `write` is given is gone when it returns, unless the sink hands the buffer over. */
export interface FileSink {
  begin(file: number, manifest: Manifest): void | Promise<void>;
  write(bytes: Uint8Array): void | Promise<void>;
  end(): void | Promise<void>;
}

/** Wall time of each stage in milliseconds. */
export interface ReadStages extends StripeClock {
  /** Until table and manifest are found and checked. */
  openMs: number;
  unsealMs: number;
  fileHashMs: number;
  writeMs: number;
}

/** What reading an object took. */
export interface ReadOutcome {
  readonly manifest: Manifest;
  readonly readBytes: number;
  /** Pieces that had to be computed from others. */
  readonly rebuiltPieces: number;
  /** Stores that failed, and how; reading went on around them. */
  readonly troubles: readonly StoreTrouble[];
  readonly stages: ReadStages;
}

/**
 * Reads into `sink`. Faults: `archive_unrecoverable`, `manifest_mismatch`, `content_key_wrong`, `path_refused`, `malformed`,
 * `file_unknown`, `range_invalid`, `aborted`, the sink's.
 */
export async function readObject(order: ReadOrder, sink: FileSink, context: TaskContext): Promise<ReadOutcome> {
  const stages = { openMs: 0, pieceReadMs: 0, pieceHashMs: 0, codeMs: 0, unsealMs: 0, fileHashMs: 0, writeMs: 0 };
  const openStart = performance.now();
  const object = await openObject(order);
  try {
    const { table } = object;
    const { chunkBytes, code } = table.layout;
    // Too few packs are too few for some stripe: better said now than after an hour, and the same for every size of object.
    const available = new Set(object.holders.map(({ pack }) => pack.slot)).size;
    if (available < code.k) throw new Fault("archive_unrecoverable", { stripe: 0, available, needed: code.k }, { retry: true });
    const manifest = openManifest(await findManifest(object, order.reference), order.contentKey, order.reference, table);
    stages.openMs = performance.now() - openStart;

    const segments = segmentsOf(manifest, order.only);
    const readBytes = segments.reduce((sum, { from, to }) => sum + (to - from), 0);
    const seal = new ChunkSeal(order.contentKey, order.objectId);
    const files = new FileCutter(manifest, segments, sink, stages);
    const reader = new StripeReader(object, stages);
    for (const { stripe, columns } of stripesOf(segments, table.layout)) {
      context.checkpoint();
      await reader.load(stripe, columns);
      for (const column of columns) {
        const index = stripe * code.k + column;
        const start = performance.now();
        const chunk = seal.open(index, reader.codec.piece(column));
        stages.unsealMs += performance.now() - start;
        if (chunk === undefined) throw new Fault("manifest_mismatch", { part: "chunk" });
        await files.take(index * chunkBytes, chunk);
        release(chunk);
      }
      context.progress(files.doneBytes, readBytes);
    }
    await files.finish();
    return { manifest, readBytes, rebuiltPieces: reader.rebuilt, troubles: object.troubles.list, stages };
  } finally {
    await object.close();
  }
}

/** Cuts the stream of chunks into files and checks each whole one. */
class FileCutter {
  doneBytes = 0;
  readonly #manifest: Manifest;
  readonly #segments: readonly Segment[];
  readonly #sink: FileSink;
  readonly #stages: ReadStages;
  #next = 0;
  #hash = createHash("sha256");
  #begun = false;

  constructor(manifest: Manifest, segments: readonly Segment[], sink: FileSink, stages: ReadStages) {
    this.#manifest = manifest;
    this.#segments = segments;
    this.#sink = sink;
    this.#stages = stages;
  }

  /** Takes the chunk that begins at byte `at` of the stream; chunks come in order, unwanted ones left out. */
  async take(at: number, chunk: Uint8Array): Promise<void> {
    const chunkEnd = at + chunk.length;
    for (let segment = this.#segments[this.#next]; segment !== undefined; segment = this.#segments[this.#next]) {
      if (segment.from >= chunkEnd) return;
      await this.#begin(segment);
      const from = Math.max(segment.from, at);
      await this.#write(segment, chunk.subarray(from - at, Math.max(from, Math.min(segment.to, chunkEnd)) - at)); // none of an empty file
      if (segment.to > chunkEnd) return;
      await this.#end(segment);
    }
  }

  /** Ends the stream: only empty files can be left. */
  async finish(): Promise<void> {
    for (let segment = this.#segments[this.#next]; segment !== undefined; segment = this.#segments[this.#next]) {
      await this.#begin(segment);
      await this.#end(segment);
    }
  }

  async #begin(segment: Segment): Promise<void> {
    if (this.#begun) return;
    this.#begun = true;
    await this.#sink.begin(segment.file, this.#manifest);
  }

  async #write(segment: Segment, part: Uint8Array): Promise<void> {
    if (part.length === 0) return;
    const start = performance.now();
    if (segment.whole) this.#hash.update(part);
    const between = performance.now();
    this.doneBytes += part.length;
    await this.#sink.write(part);
    this.#stages.fileHashMs += between - start;
    this.#stages.writeMs += performance.now() - between;
  }

  async #end(segment: Segment): Promise<void> {
    if (segment.whole) {
      const right = equal(this.#hash.digest(), this.#manifest.files[segment.file]!.sha256);
      if (!right) throw new Fault("manifest_mismatch", { part: "file_hash", file: segment.file });
      this.#hash = createHash("sha256");
    }
    await this.#sink.end();
    this.#begun = false;
    this.#next++;
  }
}
