/** What an object's manifest says of one file. */
import { Fault, type Infer, schema } from "@xinglin/primitives";
import { MAX_ROW_BYTES } from "./filter/predictor.ts";
import { firstBadPath } from "./paths.ts";
import { MAX_SEGMENT_NUMBERS, storedBytesOf } from "./segments.ts";

/** Objects that one version can share pixels with. */
export const MAX_SHARED_OBJECTS = 256;

/** An identifier as DICOM writes it. Source: DICOM PS3.5, 9.1. */
export const dicomUid = schema.text(64, /^[0-9][0-9.]*$/);

const samples = schema.object({
  sampleBytes: schema.uint(2, 1),
  row: schema.uint(MAX_ROW_BYTES, 1),
  step: schema.uint(4, 1),
  signed: schema.bool,
});

/** Bytes of a file that stand in another object, see `shared/`: where in the file, how many, and where there. */
const sharedRegion = schema.object({
  /** Place in the manifest's list of shared objects. */
  object: schema.uint(MAX_SHARED_OBJECTS - 1),
  at: schema.uint(),
  sizeBytes: schema.uint(Number.MAX_SAFE_INTEGER, 1),
  /** The byte of that object's stream that they begin at, and how they are stored there. */
  from: schema.uint(),
  segments: schema.optional(schema.list(schema.uint(), MAX_SEGMENT_NUMBERS, 3)),
  samples: schema.optional(samples),
});
export type SharedRegion = Infer<typeof sharedRegion>;

export const fileEntry = schema.object({
  path: schema.text(1024),
  sizeBytes: schema.uint(),
  /** Of the whole file as it was: SHA-256, or that of the profile. */
  digest: schema.bytes(32),
  /** IANA media type, for example `application/dicom`. */
  mediaType: schema.text(127, /^[\x21-\x7e]+\/[\x21-\x7e]+(; ?[\x20-\x7e]+)*$/),
  /** How it is stored, see `segments.ts`; without it, as it is. */
  segments: schema.optional(schema.list(schema.uint(), MAX_SEGMENT_NUMBERS, 3)),
  /** How the samples of its foretold segments lie. */
  samples: schema.optional(samples),
  shared: schema.optional(sharedRegion),
  /** What DICOM calls it, so that a series or an instance can be asked for. */
  study: schema.optional(dicomUid),
  series: schema.optional(dicomUid),
  instance: schema.optional(dicomUid),
});
/** One file of an object. Files follow one another in the byte stream without gaps, in the order of the table. */
export type FileEntry = Infer<typeof fileEntry>;

/** A file and where it begins in the stream. */
export interface PlacedFile {
  readonly entry: FileEntry;
  /** Its place among the object's files, from 0. */
  readonly number: number;
  readonly at: number;
}

/** Sums of a run of files. Faults: `manifest_mismatch` (segments), `path_refused` (its place among the object's files). */
export function checkFiles(files: readonly FileEntry[], first: number): { storedBytes: number; sizeBytes: number } {
  const bad = firstBadPath(files.map((file) => file.path));
  if (bad >= 0) throw new Fault("path_refused", { file: first + bad });
  let storedBytes = 0;
  let sizeBytes = 0;
  for (const file of files) {
    storedBytes += storedBytesOf(file);
    if (file.shared !== undefined) checkShared(file, file.shared);
    sizeBytes += file.sizeBytes;
  }
  return { storedBytes, sizeBytes };
}

/** Faults: `manifest_mismatch`. */
function checkShared(file: FileEntry, shared: SharedRegion): void {
  storedBytesOf(shared);
  if (shared.at + shared.sizeBytes > file.sizeBytes) throw new Fault("manifest_mismatch", { part: "shared" });
}
