/** Which bytes of an object are wanted, and what of its stream that takes. */
import { Fault } from "@xinglin/primitives";
import type { PlacedFile } from "./file-entry.ts";
import type { SampleLayout } from "./filter/predictor.ts";
import type { Method } from "./filter/unit-codec.ts";
import { KEPT } from "./filter/unit-codec.ts";
import type { Layout } from "./layout.ts";
import { type Segmented, segmentsOf } from "./segments.ts";

/** Part of an object: some of its files, the files of a DICOM series, one DICOM instance, or bytes `start` to before `end` of one file. */
export type Selection =
  | { readonly paths: readonly string[] }
  | { readonly series: string }
  | { readonly instance: string }
  | { readonly path: string; readonly start: number; readonly end: number };

/** Bytes `from` to before `to` of a stream, and what of them is wanted. */
export interface Extent {
  readonly file: PlacedFile;
  /** Which stream: 0 is the object's own, n that of the n-th object it shares with. */
  readonly stream: number;
  readonly from: number;
  readonly to: number;
  readonly method: Method;
  readonly samples: SampleLayout | undefined;
  /** Bytes that the extent decodes to, and which of them are wanted. */
  readonly decodedBytes: number;
  readonly start: number;
  readonly end: number;
}

/** Part of a file: bytes `start` to before `end`. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** What to read of `file` for `range`, or for all of it. Faults: `range_invalid`. */
export function extentsOf(file: PlacedFile, range?: Range): Extent[] {
  const { sizeBytes } = file.entry;
  const { start, end } = range ?? { start: 0, end: sizeBytes };
  const sound = Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start < end && end <= sizeBytes;
  if (range !== undefined && !sound) throw new Fault("range_invalid", { sizeBytes });
  const { entry, at } = file;
  const { shared } = entry;
  const own = { file, stream: 0, samples: entry.samples };
  if (shared === undefined) return cut(own, entry, at, start, end);
  const sharedEnd = shared.at + shared.sizeBytes;
  const there = { file, stream: 1 + shared.object, samples: shared.samples };
  return [
    ...cut(own, entry, at, start, Math.min(end, shared.at)),
    ...cut(there, shared, shared.from, Math.max(0, start - shared.at), Math.min(end, sharedEnd) - shared.at),
    ...cut(own, entry, at, Math.max(start, sharedEnd) - shared.sizeBytes, end - shared.sizeBytes),
  ];
}

/** The extents of bytes `start` to before `end` of what segments that begin at `at` hold. */
function cut(
  common: Pick<Extent, "file" | "stream" | "samples">,
  segmented: Segmented,
  at: number,
  start: number,
  end: number,
): Extent[] {
  const extents: Extent[] = [];
  for (const segment of segmentsOf(segmented, at)) {
    const first = Math.max(start, segment.start) - segment.start;
    const last = Math.min(end, segment.start + segment.sizeBytes) - segment.start;
    if (first >= last) continue;
    const { method, from, storedBytes, sizeBytes: decodedBytes } = segment;
    // Of what is stored as it is, only what is wanted need be read.
    if (method === KEPT) {
      const length = last - first;
      extents.push({ ...common, from: from + first, to: from + last, method, decodedBytes: length, start: 0, end: length });
    } else extents.push({ ...common, from, to: from + storedBytes, method, decodedBytes, start: first, end: last });
  }
  return extents;
}

/** Extents that follow one another in one stream, so that they are read together. */
export function* runsOf(extents: readonly Extent[]): Generator<readonly Extent[]> {
  let run: Extent[] = [];
  for (const extent of extents) {
    const last = run.at(-1);
    if (last !== undefined && (last.stream !== extent.stream || extent.from < last.to)) {
      yield run;
      run = [];
    }
    run.push(extent);
  }
  if (run.length > 0) yield run;
}

/** The stripes that hold these ranges of the stream, which rise, each with the data columns that are wanted of it, in order. */
export function* stripesOf(
  ranges: readonly { readonly from: number; readonly to: number }[],
  layout: Layout,
): Generator<{ stripe: number; columns: number[] }> {
  const { k } = layout.code;
  let stripe = -1;
  let columns: number[] = [];
  for (const { from, to } of ranges) {
    if (from === to) continue;
    const last = Math.floor((to - 1) / layout.chunkBytes);
    for (let chunk = Math.floor(from / layout.chunkBytes); chunk <= last; chunk++) {
      const at = Math.floor(chunk / k);
      if (at !== stripe) {
        if (columns.length > 0) yield { stripe, columns };
        stripe = at;
        columns = [];
      }
      const column = chunk % k;
      if (columns.at(-1) !== column) columns.push(column); // two ranges can share a chunk
    }
  }
  if (columns.length > 0) yield { stripe, columns };
}
