/**
 * What a store of another member is asked and answers, over HTTP. Shared by the store's client and the service, so that they cannot drift.
 * Source: docs/internals/archive.md, "At another member's".
 */
import { type Infer, schema } from "@xinglin/primitives";

/** Most bytes of pieces in one request or answer. */
export const MAX_PART_BYTES = 4 * 1024 * 1024;
/** Largest document: the table of an object of some 380 GB. */
export const MAX_DOCUMENT_BYTES = 64 * 1024 * 1024;
/** Largest body that holds neither. */
export const MAX_SMALL_BYTES = 16_384;
/** Ids in one page of a list. */
export const LIST_PAGE = 10_000;

const objectId = schema.text(32, /^[0-9a-f]{32}$/);
/** Owner of a stage, as `stageOwner` names it. */
export const stageOwnerName = schema.text(64, /^[0-9a-f]{8}-[0-9]{1,10}-[0-9a-f]{8}$/);

/** Begins a pack. */
export const stageRequest = schema.object({
  objectId,
  slot: schema.uint(95),
  purpose: schema.oneOf("import", "repair"),
  owner: stageOwnerName,
});
export type StageRequest = Infer<typeof stageRequest>;
export const stageAnswer = schema.object({ stage: schema.text(32, /^[0-9a-f]{32}$/) });

/** Room as the asking member has it: its own quota at this store is counted in. */
export const roomAnswer = schema.object({
  freeBytes: schema.uint(),
  disk: schema.text(128),
  diskFreeBytes: schema.uint(),
});
export const heldAnswer = schema.object({ objects: schema.uint(), bytes: schema.uint(), ownBytes: schema.uint() });
export const listAnswer = schema.object({ ids: schema.list(objectId, LIST_PAGE) });
export const packAnswer = schema.object({ slot: schema.uint(95) });
export const collectAnswer = schema.object({
  stages: schema.list(schema.object({ objectId, purpose: schema.oneOf("import", "repair") }), LIST_PAGE),
});
/** A refusal. What else a store says is not believed. */
export const refusalAnswer = schema.object({ code: schema.text(64, /^[a-z_]+$/) });

/**
 * Codes that a store may answer with; any other answer is `store_answer_wrong`. All others than those about the pass are as the same
 * store's own member would meet them.
 */
export const REFUSALS = [
  "store_absent",
  "store_unclaimed",
  "store_unreadable",
  "store_unwritable",
  "disk_full",
  "store_busy",
  "store_draining",
  "store_forbidden",
  "store_proof_wrong",
  "store_stage_lost",
  "member_quota_reached",
  "store_pass_refused",
  "store_pass_unknown",
  "object_exists",
  "object_unknown",
  "body_too_large",
  "content_digest_wrong",
  "host_unknown",
  "malformed",
  "request_replayed",
  "request_signature_malformed",
  "request_signature_wrong",
  "request_stale",
  "route_unknown",
  "session_missing",
] as const;
export type StoreRefusal = (typeof REFUSALS)[number];
