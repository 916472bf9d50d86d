/**
 * How a file is cut into units, each filtered on its own, so that any byte of it can be had by decoding one unit. The cut follows the
 * beginning of the file and nothing else: a wrong guess costs size, never bytes.
 */
import { type Identity, type Pixels, readPart10 } from "./part10.ts";
import { MAX_UNIT_BYTES, type SampleLayout } from "./predictor.ts";

/** So many bytes of a file, in order: kept as they are, made smaller as bytes or as samples of an image, or left to another object. */
export type Unit =
  | { readonly kind: "kept" | "bytes" | "elsewhere"; readonly length: number }
  | { readonly kind: "samples"; readonly length: number };

/** The units of a file, which together are all of it, the layout of its samples if it has any, and what DICOM calls it. */
export interface FilePlan {
  readonly identity?: Identity;
  readonly samples?: SampleLayout;
  readonly units: Iterable<Unit>;
}

/** Fills `into` from `position` of the file and returns how many bytes there were. */
export type Peek = (position: number, into: Uint8Array) => number;

/** Small frames are filtered together up to here: alone they would cost more than they save. */
const GROUP_BYTES = 2 ** 18;
/** How much of a beginning is read at first, and at most. */
const FIRST_LOOK = 2 ** 14;
const LONGEST_LOOK = 2 ** 22;
/** What a text is known by. */
const TEXT_LOOK = 1024;
/** Files beyond this are kept as they are: their segments would fill a table. */
export const MAX_FILTERED_BYTES = 2 ** 35;
/** Below this nothing is gained that a segment's entry would not cost. */
const LEAST_BYTES = 256;

/** Looks at the beginning of a file of `sizeBytes` and cuts it. */
export function planFile(sizeBytes: number, peek: Peek): FilePlan {
  const kept = { units: [{ kind: "kept", length: sizeBytes }] as const };
  if (sizeBytes === 0) return { units: [] };
  if (sizeBytes < LEAST_BYTES || sizeBytes > MAX_FILTERED_BYTES) return kept;
  for (let wanted = FIRST_LOOK; ; wanted *= 4) {
    const head = new Uint8Array(Math.min(wanted, sizeBytes));
    const length = peek(0, head);
    if (length < head.length) return kept; // it shrank meanwhile, which the reader will tell
    if (wanted === FIRST_LOOK && isText(head.subarray(0, TEXT_LOOK))) return { units: evenly("bytes", sizeBytes) };
    const found = readPart10(head, sizeBytes);
    const { identity } = found;
    if (found.kind === "opaque") return { ...kept, identity };
    if (found.kind === "pixels") return { identity, samples: found.pixels, units: unitsOf(found.pixels, sizeBytes) };
    if (found.kind === "plain" || wanted >= LONGEST_LOOK) return { identity, units: evenly("bytes", sizeBytes) };
  }
}

/** The units of pixels and of what stands around them in a file of `sizeBytes`. */
export function* unitsOf(pixels: Pixels, sizeBytes: number): Generator<Unit> {
  const rowBytes = pixels.row * pixels.sampleBytes;
  const frameBytes = rowBytes * pixels.rows;
  const end = pixels.at + pixels.frames * frameBytes;
  yield* evenly("bytes", pixels.at);
  if (frameBytes <= MAX_UNIT_BYTES) {
    const group = frameBytes * Math.max(1, Math.floor(GROUP_BYTES / frameBytes));
    for (let at = pixels.at; at < end; at += group) yield { kind: "samples", length: Math.min(group, end - at) };
  } else {
    const strips = Math.ceil(pixels.rows / Math.floor(MAX_UNIT_BYTES / rowBytes));
    const strip = rowBytes * Math.ceil(pixels.rows / strips);
    for (let frame = 0; frame < pixels.frames; frame++)
      for (let at = 0; at < frameBytes; at += strip) yield { kind: "samples", length: Math.min(strip, frameBytes - at) };
  }
  yield* evenly("bytes", sizeBytes - end);
}

/** The units of a file whose pixels another object keeps. */
export function* unitsAround(region: { readonly at: number; readonly sizeBytes: number }, sizeBytes: number): Generator<Unit> {
  yield* evenly("bytes", region.at);
  yield* evenly("elsewhere", region.sizeBytes);
  yield* evenly("bytes", sizeBytes - region.at - region.sizeBytes);
}

function* evenly(kind: "bytes" | "elsewhere", length: number): Generator<Unit> {
  for (let at = 0; at < length; at += MAX_UNIT_BYTES) yield { kind, length: Math.min(MAX_UNIT_BYTES, length - at) };
}

/** Whether bytes are a text's: no control characters but those of lines. An escape starts another character set in HL7 v2. */
function isText(head: Uint8Array): boolean {
  return head.every((byte) => (byte >= 0x20 ? byte !== 0x7f : byte === 0x09 || byte === 0x0a || byte === 0x0d || byte === 0x1b));
}
