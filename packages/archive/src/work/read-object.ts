/** Reading an object or part of it, in order, into a sink: found, checked, decoded, opened, and each whole file's hash checked at its end. */
import { Fault } from "@xinglin/primitives";
import type { FileEntry, PlacedFile } from "../file-entry.ts";
import { type Manifest, openManifest } from "../manifest.ts";
import { extentsOf, type Range, runsOf, type Selection } from "../selection.ts";
import { FileCutter } from "./file-cutter.ts";
import { FileDirectory } from "./file-directory.ts";
import { findManifest, type ObjectOrder, openObject } from "./open-object.ts";
import { type StreamClock, StreamReader } from "./stream-reader.ts";
import { openShared, Streams } from "./streams.ts";
import type { TaskContext } from "./tasks.ts";
import type { StoreTrouble } from "./trouble.ts";

/** Numbers in the segment lists of files that are read in one go. */
const BATCH_NUMBERS = 2 ** 13;

/** What to read. */
export interface ReadOrder extends ObjectOrder {
  readonly contentKey: Uint8Array;
  readonly only?: Selection;
}

/** Where files go, one after another. What `write` is given is gone when it returns, unless the sink hands the buffer over. */
export interface FileSink {
  begin(file: FileEntry): void | Promise<void>;
  write(bytes: Uint8Array): void | Promise<void>;
  end(): void | Promise<void>;
}

/** Wall time of each stage in milliseconds. */
export interface ReadStages extends StreamClock {
  /** Until table and manifest are found and checked. */
  openMs: number;
  filterMs: number;
  fileHashMs: number;
  writeMs: number;
}

/** What reading an object took. */
export interface ReadOutcome {
  readonly manifest: Manifest;
  /** Files given out, and their bytes. */
  readonly files: number;
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
  const stages = { openMs: 0, pieceReadMs: 0, pieceHashMs: 0, codeMs: 0, unsealMs: 0, filterMs: 0, fileHashMs: 0, writeMs: 0 };
  const openStart = performance.now();
  const object = await openObject(order, { hurry: true });
  let streams: Streams | undefined;
  try {
    const { table } = object;
    const { code } = table.layout;
    // Too few packs are too few for some stripe: better said now than after an hour, and the same for every size of object.
    const available = new Set(object.holders.map(({ pack }) => pack.slot)).size;
    if (available < code.k) throw new Fault("archive_unrecoverable", { stripe: 0, available, needed: code.k }, { retry: true });
    const manifest = openManifest(await findManifest(object, order.reference), order.contentKey, order.reference, table);
    stages.openMs = performance.now() - openStart;

    const stream = new StreamReader(object, order.contentKey, stages, context);
    streams = new Streams(object, stream, (index) => openShared(order, manifest, index, stages, context));
    const directory = new FileDirectory(manifest, (from, to) => stream.read(from, to));
    const cutter = new FileCutter(table.profile, sink, stages);
    const { runs, range, totalBytes } = await choose(directory, manifest, order.only);
    for await (const files of runs)
      for (const some of batchesOf(files)) {
        const extents = some.map((file) => extentsOf(file, range));
        cutter.expect(some, extents, range === undefined);
        for (const run of runsOf(extents.flat())) {
          const index = run[0]!.stream;
          for await (const { at, chunk } of (await streams.of(index)).chunks(run)) {
            await cutter.take(index, at, chunk);
            context.progress(cutter.doneBytes, totalBytes);
          }
        }
        await cutter.finish();
      }
    const { doneBytes: readBytes, doneFiles: files } = cutter;
    return { manifest, files, readBytes, rebuiltPieces: streams.rebuilt, troubles: streams.troubles, stages };
  } finally {
    await streams?.close();
    await object.close();
  }
}

/** Files with few segments together, those with many alone: a study of long multi-frame files would fill the memory with what it consists of. */
function* batchesOf(files: readonly PlacedFile[]): Generator<readonly PlacedFile[]> {
  let batch: PlacedFile[] = [];
  let numbers = 0;
  for (const file of files) {
    batch.push(file);
    numbers += 3 + (file.entry.segments?.length ?? 0);
    if (numbers < BATCH_NUMBERS) continue;
    yield batch;
    batch = [];
    numbers = 0;
  }
  if (batch.length > 0) yield batch;
}

interface Choice {
  readonly runs: AsyncIterable<readonly PlacedFile[]> | Iterable<readonly PlacedFile[]>;
  readonly range?: Range;
  readonly totalBytes: number;
}

async function choose(directory: FileDirectory, manifest: Manifest, only: Selection | undefined): Promise<Choice> {
  if (only === undefined) return { runs: directory.all(), totalBytes: manifest.sizeBytes };
  const files = await directory.find(keysWanted(only));
  if ("path" in only) {
    const { start, end } = only;
    return { runs: [files], range: { start, end }, totalBytes: end - start };
  }
  return { runs: [files], totalBytes: files.reduce((sum, { entry }) => sum + entry.sizeBytes, 0) };
}

function keysWanted(only: Selection): string[] {
  if ("paths" in only) return only.paths.map((path) => `p${path}`);
  if ("series" in only) return [`s${only.series}`];
  if ("instance" in only) return [`i${only.instance}`];
  return [`p${only.path}`];
}
