/** Which bytes of an object are wanted, and which chunks that takes. */
import { Fault } from "@xinglin/primitives";
import type { Layout } from "./layout.ts";
import type { Manifest } from "./manifest.ts";

/** Part of an object: some of its files, or bytes `start` to before `end` of one. */
export type Selection =
  | { readonly paths: readonly string[] }
  | { readonly path: string; readonly start: number; readonly end: number };

/** Bytes `from` to before `to` of the object's stream, all in one file. */
export interface Segment {
  readonly file: number;
  readonly from: number;
  readonly to: number;
  /** Whether that is all of the file, so that its hash can be checked. */
  readonly whole: boolean;
}

/** The segments of a selection, in the order of the stream; of the whole object without one. Faults: `file_unknown`, `range_invalid`. */
export function segmentsOf(manifest: Manifest, only: Selection | undefined): Segment[] {
  let at = 0;
  const all = manifest.files.map(({ sizeBytes }, file): Segment => {
    const from = at;
    at += sizeBytes;
    return { file, from, to: at, whole: true };
  });
  if (only === undefined) return all;
  const find = (path: string): Segment => {
    const index = manifest.files.findIndex((file) => file.path === path);
    const segment = all[index];
    if (segment === undefined) throw new Fault("file_unknown");
    return segment;
  };
  if ("paths" in only) return [...new Set(only.paths.map(find))].sort((a, b) => a.file - b.file);
  const { file, from, to } = find(only.path);
  const { start, end } = only;
  const valid = Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start < end && end <= to - from;
  if (!valid) throw new Fault("range_invalid", { sizeBytes: to - from });
  return [{ file, from: from + start, to: from + end, whole: start === 0 && end === to - from }];
}

/** The stripes that hold the segments, each with the data columns that are wanted of it, in order. */
export function* stripesOf(segments: readonly Segment[], layout: Layout): Generator<{ stripe: number; columns: number[] }> {
  const { k } = layout.code;
  let stripe = -1;
  let columns: number[] = [];
  for (const { from, to } of segments) {
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
      if (columns.at(-1) !== column) columns.push(column); // two segments can share a chunk
    }
  }
  if (columns.length > 0) yield { stripe, columns };
}
