/**
 * One line of the audit log: what was asked, by whom, and what came of it. Leaves of the log's Merkle tree; the read model is a
 * projection of these and of nothing else. No clinical values, no names. Source: requirements C10, D8; design.md, "Audit log".
 */
import {
  actorId,
  type Bytes,
  cbor,
  credentialId,
  height,
  type Infer,
  memberId,
  proposalId,
  recordId,
  schema,
  unixSeconds,
} from "@xinglin/primitives";
import { facts, reason } from "./model/access.ts";
import { PROPOSAL_OUTCOMES } from "./model/proposal.ts";

const subject = schema.object({
  patient: schema.optional(actorId),
  record: schema.optional(recordId),
  version: schema.optional(schema.uint()),
  number: schema.optional(schema.uint()),
  credential: schema.optional(credentialId),
  actor: schema.optional(actorId),
  batch: schema.optional(schema.bytes(32)),
  member: schema.optional(memberId),
  approval: schema.optional(credentialId),
  proposal: schema.optional(proposalId),
  decided: schema.optional(schema.oneOf(...PROPOSAL_OUTCOMES)),
});

/** The shape of one line; `decodeAuditEntry` reads it from canonical bytes. */
export const auditEntry = schema.object({
  height,
  time: unixSeconds,
  transaction: schema.bytes(32),
  index: schema.uint(4095),
  operation: schema.text(32),
  by: schema.object({ actor: actorId, key: schema.text(16), member: memberId, device: schema.optional(actorId) }),
  /** `refused` carries `code`. */
  outcome: schema.oneOf("accepted", "refused"),
  code: schema.optional(schema.text(64)),
  facts: schema.optional(facts),
  subject,
  reason: schema.optional(reason),
  /** SHA-256 of the operation's canonical bytes, so that the operation itself can be shown to be the one decided. */
  operationHash: schema.bytes(32),
});
export type AuditEntry = Infer<typeof auditEntry>;

/** Canonical bytes of an entry, as they stand in the log. */
export const encodeAuditEntry = (entry: AuditEntry): Bytes => cbor.encode(entry);
/** Throws `Fault("malformed")`. */
export const decodeAuditEntry = (bytes: Bytes): AuditEntry => auditEntry.parse(cbor.decode(bytes, 65_536));
