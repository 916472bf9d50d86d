/**
 * What the chain knows of a record: where its sealed pieces are committed to, who keeps the shares of its key, and its versions.
 * Source: requirements C3, D1, D8; design.md, "Consent, access, custody" and "Archive".
 */
import { actorId, type Bytes, cbor, height, type Infer, memberId, recordId, schema, unixSeconds } from "@xinglin/primitives";
import { recordClass } from "./class.ts";

/** Shares of one key. */
export const MAX_CUSTODIANS = 16;

const wholeObject = {
  id: schema.bytes(16),
  manifest: schema.bytes(32),
  root: schema.bytes(32),
  sizeClass: schema.uint(63),
  code: schema.object({ k: schema.uint(128, 1), m: schema.uint(127, 0) }),
  /** What sealed and hashed the pieces: SM4 and SM3, or by absence AES-256-GCM and SHA-256. Pieces and documents that say otherwise are refused. */
  profile: schema.optional(schema.oneOf("national")),
} as const;
/** A pack of many small records, as a whole: what auditors and repairers look after. */
export const packReference = schema.object(wholeObject);
export type PackReference = Infer<typeof packReference>;

/** Where the sealed bytes of one small record lie in its pack. */
export const packSlice = schema.object({ at: schema.uint(2 ** 40), length: schema.uint(131_072, 64) });

/**
 * The archive object: hash of the sealed manifest, root of the piece tree, bit length of the size, erasure code, profile. With a `slice` it is a pack, and the
 * record is that part of it, sealed under a key of its own.
 */
export const objectReference = schema.object({ ...wholeObject, slice: schema.optional(packSlice) });
export type ObjectReference = Infer<typeof objectReference>;

/** Counts the sharings of one record version's key, from 1. */
export const epoch = schema.uint(65_535, 1);

/** Who holds shares of the content key, how many are needed, and the root of the salted commitments to the shares. */
export const custodyReference = schema.object({
  epoch,
  threshold: schema.uint(MAX_CUSTODIANS, 1),
  custodians: schema.list(actorId, MAX_CUSTODIANS, 1),
  commitments: schema.bytes(32),
});
export type CustodyReference = Infer<typeof custodyReference>;

/** What a sealed object holds, and where a record stands in its life. Wire values: append, never reuse. */
export const FORMATS = ["dicom", "fhir"] as const;
/** DICOM Part 10 series or FHIR R4 Bundle. */
export const format = schema.oneOf(...FORMATS);
/** What became of a version; see `record`. */
export const RECORD_STATUSES = ["current", "withdrawn", "misfiled", "ending"] as const;

/** Who signed: actor, key, device if any. */
export const recordedBy = schema.object({ actor: actorId, key: schema.text(16), device: schema.optional(actorId) });
export type RecordedBy = Infer<typeof recordedBy>;
/** When the chain decided: height and block time. */
export const recordedAt = schema.object({ height, time: unixSeconds });
export type RecordedAt = Infer<typeof recordedAt>;

/** A version counts from 1. */
export const MAX_VERSION = 65_535;
/** Version of a record. */
export const version = schema.uint(MAX_VERSION, 1);

/** State at `record/{id}` (newest) and `record/{id}/{version}` (older ones). `patient` is the pseudonym at `source`. */
export const record = schema.object({
  version,
  patient: actorId,
  source: memberId,
  class: recordClass,
  format,
  object: objectReference,
  custody: custodyReference,
  /** `withdrawn`: not to be read any more; `misfiled`: this version stood under the wrong patient; `ending`: shares are being erased. */
  status: schema.oneOf(...RECORD_STATUSES),
  /** Who anchored this version, and when. */
  by: recordedBy,
  at: recordedAt,
});
export type MedicalRecord = Infer<typeof record>;

/** Records of one batch. */
export const MAX_BATCH_LEAVES = 1_048_576;
/** Leaves of a batch. */
export const batchCount = schema.uint(MAX_BATCH_LEAVES, 1);

/** Packs of one batch. */
export const MAX_BATCH_PACKS = 64;
/** The packs that a batch's records lie in, each once. */
export const batchPacks = schema.list(packReference, MAX_BATCH_PACKS, 1);

/** State at `batch/{root}`: one RFC 6962 root over `count` leaves; each leaf is an encoded `BatchLeaf`. */
export const batch = schema.object({
  source: memberId,
  count: batchCount,
  packs: schema.optional(batchPacks),
  by: recordedBy,
  at: recordedAt,
});
export type Batch = Infer<typeof batch>;

/** A record inside a batch. The 256-bit salt keeps the leaf from being guessed; it lives with the sealed manifest and is erased with it. */
export const batchLeaf = schema.object({
  salt: schema.bytes(32),
  record: recordId,
  patient: actorId,
  class: recordClass,
  format,
  object: objectReference,
  custody: custodyReference,
});
export type BatchLeaf = Infer<typeof batchLeaf>;

/** Canonical bytes of a batch leaf: what the batch's tree is built over. */
export const encodeBatchLeaf = (leaf: BatchLeaf): Bytes => cbor.encode(leaf);
