/**
 * recordAudits: a member records what it found on the stores, and mended, in one round: counts, and the root of the statements that say it.
 * Source: requirement D3; docs/internals/archive.md, "Recorded rounds".
 */
import { accept, type Infer, schema } from "@xinglin/primitives";
import type { ActorKind } from "../model/actor.ts";
import { type AuditBatch, type AuditHead, auditFindings } from "../model/audit-batch.ts";
import { getAuditHead } from "../reads.ts";
import { decidedAt, put, type Rule, refuseWith, signedBy } from "../rule.ts";
import { keys } from "../state-keys.ts";

/** A round's findings; `number` follows that of the member's last one, so that none is recorded twice. */
export const recordAuditsOperation = schema.object({ number: schema.uint(Number.MAX_SAFE_INTEGER, 1), ...auditFindings });
export type RecordAudits = Infer<typeof recordAuditsOperation>;

/** In the order of the checks. */
export type RecordAuditsRefusal =
  | { code: "caller_not_allowed"; kind: ActorKind }
  | { code: "audit_number_wrong"; expected: number };

/**
 * By the administration, a device or the custodian of a member: the custodian's key is the one that every node has. Appends to the sequence
 * `audit/{member}`; its head also tells the other members whether this one still looks after its objects.
 */
export const recordAudits: Rule<RecordAudits, RecordAuditsRefusal["code"]> = (state, { number, ...found }, { caller, block }) => {
  const { kind, member } = caller.actor;
  const subject = { member, number, batch: found.root };
  if (kind !== "member" && kind !== "device" && kind !== "custodian")
    return refuseWith<RecordAuditsRefusal>({ code: "caller_not_allowed", kind }, subject);
  const expected = getAuditHead(state, member).count + 1;
  if (number !== expected) return refuseWith<RecordAuditsRefusal>({ code: "audit_number_wrong", expected }, subject);
  const at = decidedAt(block);
  const head: AuditHead = { count: number, at };
  const batch: AuditBatch = { ...found, by: signedBy(caller), at };
  return accept({ changes: [put(keys.auditHead(member), head), put(keys.audit(member, number), batch)], subject });
};
