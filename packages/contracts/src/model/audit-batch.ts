/**
 * What a member's node, or its administration, found on the stores in one round: numbers, and the root of the statements that say it object by object.
 * The statements themselves stay with the member. Source: requirement D3; docs/internals/archive.md, "Recorded rounds".
 */
import { type Infer, schema } from "@xinglin/primitives";
import { recordedAt, recordedBy } from "./record.ts";

/** Most statements of a batch. */
const MAX_STATEMENTS = 1_000_000;

/** What was found, as the operation and the state have it. */
export const auditFindings = {
  /** RFC 6962 root over the statements. */
  root: schema.bytes(32),
  /** Statements. */
  count: schema.uint(MAX_STATEMENTS, 1),
  /** Objects looked at. */
  objects: schema.uint(),
  /** Pieces drawn, and how many of them were not shown rightly. */
  drawn: schema.uint(),
  lost: schema.uint(),
  /** Pieces written by repairs. */
  repaired: schema.uint(),
  /** Objects that were left with fewer spare columns than the member wants. */
  endangered: schema.uint(),
  /** SHA-256 of the secret from which the next round draws its pieces: it is chosen before, and told after. */
  next: schema.optional(schema.bytes(32)),
} as const;

/** State at `audit/{member}/{n}`. */
export const auditBatch = schema.object({ ...auditFindings, by: recordedBy, at: recordedAt });
export type AuditBatch = Infer<typeof auditBatch>;

/** State at `audit/{member}`: how many there are, and when the last one came; absent before the first. */
export const auditHead = schema.object({ count: schema.uint(), at: schema.optional(recordedAt) });
export type AuditHead = Infer<typeof auditHead>;
