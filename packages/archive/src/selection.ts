/** Which bytes of an object are wanted, and what of its stream that takes. */
import { Fault } from "@xinglin/primitives";
import type { PlacedFile } from "./file-entry.ts";
import type { Method } from "./filter/unit-codec.ts";
import { KEPT } from "./filter/unit-codec.ts";
import type { Layout } from "./layout.ts";
import { segmentsOf } from "./segments.ts";

/** Part of an object: some of its files, the files of a DICOM series, one DICOM instance, or bytes `start` to before `end` of one file. */
export type Selection =
  | { readonly paths: readonly string[] }
  | { readonly series: string }
  | { readonly instance: string }
  | { readonly path: string; readonly start: number; readonly end: number };

/** Bytes `from` to before `to` of an object's stream, and what of them is wanted. */
export interface Extent {
  readonly file: PlacedFile;
  readonly from: number;
  readonly to: number;
  readonly method: Method;
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
  const extents: Extent[] = [];
  for (const segment of segmentsOf(file.entry, file.at)) {
    const first = Math.max(start, segment.start) - segment.start;
    const last = Math.min(end, segment.start + segment.sizeBytes) - segment.start;
    if (first >= last) continue;
    const { method, from, storedBytes, sizeBytes: decodedBytes } = segment;
    // Of what is stored as it is, only what is wanted need be read.
    if (method === KEPT)
      extents.push({
        file,
        from: from + first,
        to: from + last,
        method,
        decodedBytes: last - first,
        start: 0,
        end: last - first,
      });
    else extents.push({ file, from, to: from + storedBytes, method, decodedBytes, start: first, end: last });
  }
  return extents;
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
