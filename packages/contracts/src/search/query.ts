/**
 * A search as one node is asked it, and what it answers. Source: requirement D7; docs/internals/search.md.
 */
import { actorId, credentialId, type Infer, memberId, recordId, schema } from "@xinglin/primitives";
import { BASES, category, recordClass } from "../model/class.ts";
import { purpose } from "../model/purpose.ts";
import { FORMATS, version } from "../model/record.ts";
import { MAX_SLICE_MICROMETRES, month, searchCode } from "./description.ts";
import { BODY_PARTS, FHIR_STATUSES, MANUFACTURERS, MODALITIES } from "./vocabulary.ts";

/** Records of one page at most. */
export const MAX_SEARCH_ROWS = 50;
/** Longest encoded query. */
export const MAX_QUERY_BYTES = 4_096;

/** What a record must be; all that is named must hold. */
export const searchCriteria = schema.object({
  category: schema.optional(category),
  /** The record has something of this month or later, and of this month or earlier. */
  fromMonth: schema.optional(month),
  toMonth: schema.optional(month),
  modality: schema.optional(schema.oneOf(...MODALITIES)),
  bodyPart: schema.optional(schema.oneOf(...BODY_PARTS)),
  manufacturer: schema.optional(schema.oneOf(...MANUFACTURERS)),
  maxSliceMicrometres: schema.optional(schema.uint(MAX_SLICE_MICROMETRES, 1)),
  contrast: schema.optional(schema.bool),
  /** Type, code and status are of one and the same kind of resource, and so are the months then. */
  resourceType: schema.optional(schema.text(64, /^[A-Z][A-Za-z]+$/)),
  code: schema.optional(searchCode),
  status: schema.optional(schema.oneOf(...FHIR_STATUSES)),
});
export type SearchCriteria = Infer<typeof searchCriteria>;

/** Where a page ended: the month and the id of its last record. */
const searchPlace = schema.object({ month: schema.uint(999_912), record: recordId });

/** Purpose and papers are those of the request that would follow. */
export const searchQuery = schema.object({
  purpose,
  credential: credentialId,
  approval: schema.optional(credentialId),
  criteria: searchCriteria,
  after: schema.optional(searchPlace),
});
export type SearchQuery = Infer<typeof searchQuery>;

/** A record that the caller may ask for. */
export const foundRecord = schema.object({
  record: recordId,
  /** Of a record of its own; one of a batch is asked for with its ticket, which its source hands out. */
  version: schema.optional(version),
  batch: schema.optional(schema.bytes(32)),
  member: memberId,
  /** The pseudonym at that member, under which it is asked for. */
  patient: actorId,
  class: recordClass,
  format: schema.oneOf(...FORMATS),
  /** The last month in it, if it says any. */
  month: schema.optional(month),
  /** What a permit would rest on. */
  basis: schema.oneOf(...BASES),
});
export type FoundRecord = Infer<typeof foundRecord>;

/** Newest month first. `next` is there if there is more that the caller may ask for; nothing is said of what it may not. */
export const searchAnswer = schema.object({
  records: schema.list(foundRecord, MAX_SEARCH_ROWS),
  next: schema.optional(searchPlace),
});
export type SearchAnswer = Infer<typeof searchAnswer>;
