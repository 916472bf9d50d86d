/**
 * Where the bytes of a file lie in an object's stream: segments, each stored as it is or made smaller on its own. A list of them comes
 * from a manifest that anyone may have written, so all of it is held against its bounds before it is used.
 * Source: design.md, "Archive" (lossless filter where it pays).
 */
import { Fault } from "@xinglin/primitives";
import { fits, MAX_UNIT_BYTES, type SampleLayout } from "./filter/predictor.ts";
import { FORETOLD, KEPT, type Method, SHRUNK } from "./filter/unit-codec.ts";

/** Segments of one file: thirty-two gigabytes in units of the least size. */
export const MAX_SEGMENTS = 2 ** 18;
/** A segment is three numbers in its file's flat list: method, stored bytes, bytes of the file. */
const FIELDS = 3;
export const MAX_SEGMENT_NUMBERS = FIELDS * MAX_SEGMENTS;

/** What a file's entry says of its segments; without a list all of it is stored as it is. */
export interface Segmented {
  readonly sizeBytes: number;
  readonly segments?: readonly number[];
  readonly samples?: SampleLayout;
  readonly shared?: { readonly sizeBytes: number };
}

/** Bytes of a file that stand in its own object's stream. */
const ownBytes = ({ sizeBytes, shared }: Segmented): number => sizeBytes - (shared?.sizeBytes ?? 0);

/** One segment, `from` byte of the stream and `start` byte of the file on. */
export interface Segment {
  readonly method: Method;
  readonly from: number;
  readonly storedBytes: number;
  readonly start: number;
  readonly sizeBytes: number;
}

/** The segments of a file's own bytes, which begin at byte `at` of the stream, in order; of an empty file none. */
export function* segmentsOf(file: Segmented, at: number): Generator<Segment> {
  if (file.segments === undefined) {
    const sizeBytes = ownBytes(file);
    if (sizeBytes > 0) yield { method: KEPT, from: at, storedBytes: sizeBytes, start: 0, sizeBytes };
    return;
  }
  let start = 0;
  for (let i = 0, from = at; i < file.segments.length; i += FIELDS) {
    const [method, storedBytes, sizeBytes] = file.segments.slice(i, i + FIELDS) as [Method, number, number];
    yield { method, from, storedBytes, start, sizeBytes };
    from += storedBytes;
    start += sizeBytes;
  }
}

/** Bytes that a file takes in its own object's stream. Faults: `manifest_mismatch` (segments that no import makes). */
export function storedBytesOf(file: Segmented): number {
  const own = ownBytes(file);
  if (own < 0) throw new Fault("manifest_mismatch", { part: "segments" });
  if (file.segments === undefined) return own;
  const numbers = file.segments;
  let stored = 0;
  let size = 0;
  let right = numbers.length > 0 && numbers.length % FIELDS === 0;
  for (let i = 0; right && i < numbers.length; i += FIELDS) {
    const [method, storedBytes, sizeBytes] = numbers.slice(i, i + FIELDS) as [number, number, number];
    right = isSound(method, storedBytes, sizeBytes, file.samples);
    stored += storedBytes;
    size += sizeBytes;
  }
  if (!right || size !== own || !Number.isSafeInteger(stored)) throw new Fault("manifest_mismatch", { part: "segments" });
  return stored;
}

function isSound(method: number, storedBytes: number, sizeBytes: number, samples: SampleLayout | undefined): boolean {
  if (sizeBytes < 1 || storedBytes < 1) return false;
  if (method === KEPT) return storedBytes === sizeBytes;
  if (storedBytes >= sizeBytes || sizeBytes > MAX_UNIT_BYTES) return false;
  if (method === SHRUNK) return true;
  return method === FORETOLD && samples !== undefined && fits(samples, sizeBytes);
}

/** Gathers the segments of one file, in order. */
export class SegmentList {
  readonly #numbers: number[] = [];

  add(method: Method, storedBytes: number, sizeBytes: number): void {
    const last = this.#numbers.length - FIELDS;
    if (method === KEPT && this.#numbers[last] === KEPT) {
      this.#numbers[last + 1]! += storedBytes;
      this.#numbers[last + 2]! += sizeBytes;
    } else this.#numbers.push(method, storedBytes, sizeBytes);
  }

  /** The flat list, or `undefined` if the file is stored as it is. */
  get numbers(): number[] | undefined {
    return this.#numbers.some((value, i) => i % FIELDS === 0 && value !== KEPT) ? this.#numbers : undefined;
  }

  /** Whether one of the segments is of samples, so that the file's entry has to say how they lie. */
  get hasSamples(): boolean {
    return this.#numbers.some((value, i) => i % FIELDS === 0 && value === FORETOLD);
  }
}
