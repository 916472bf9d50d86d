/**
 * recordApproval: an institution's review, or a commission's ethics committee, allows named classes to someone for one purpose.
 * Source: requirement C4; design.md, "Consent, access, custody" (class matrix).
 */
import { accept, credentialId, type Infer, schema } from "@xinglin/primitives";
import { checkNamedGrantee, type NamedGranteeRefusal } from "../consent/terms.ts";
import { isAdministration, isCommission } from "../identity/administration.ts";
import { type Approval, approvalElements } from "../model/approval.ts";
import { getApproval } from "../reads.ts";
import { put, type Rule, refuseWith } from "../rule.ts";
import { keys } from "../state-keys.ts";

/** An approval, under an id that is new. */
export const recordApprovalOperation = schema.object({ id: credentialId, ...approvalElements });
export type RecordApproval = Infer<typeof recordApprovalOperation>;

/** In the order of the checks. */
export type RecordApprovalRefusal =
  | { code: "not_administration" }
  | { code: "not_commission" }
  | { code: "protocol_missing" }
  | { code: "grantee_not_allowed" }
  | NamedGranteeRefusal
  | { code: "period_empty" }
  | { code: "id_taken" };

/**
 * By the administration of `member`; for ethics, of a commission, and with the hash of the protocol. An approval names institutions, roles or people,
 * never another study. Writes `approval/{id}`; the id must be new.
 */
export const recordApproval: Rule<RecordApproval, RecordApprovalRefusal["code"]> = (state, { id, ...approval }, { caller }) => {
  const subject = { approval: id, member: approval.member };
  if (!isAdministration(caller, approval.member))
    return refuseWith<RecordApprovalRefusal>({ code: "not_administration" }, subject);
  if (approval.kind === "ethics") {
    if (!isCommission(state, caller)) return refuseWith<RecordApprovalRefusal>({ code: "not_commission" }, subject);
    if (approval.protocol === undefined) return refuseWith<RecordApprovalRefusal>({ code: "protocol_missing" }, subject);
  }
  if (approval.grantee.kind === "study") return refuseWith<RecordApprovalRefusal>({ code: "grantee_not_allowed" }, subject);
  const known = checkNamedGrantee(state, approval.grantee);
  if (!known.ok) return refuseWith<RecordApprovalRefusal>(known.refusal, subject);
  if (approval.notBefore >= approval.notAfter) return refuseWith<RecordApprovalRefusal>({ code: "period_empty" }, subject);
  if (getApproval(state, id) !== undefined) return refuseWith<RecordApprovalRefusal>({ code: "id_taken" }, subject);
  const entry: Approval = approval;
  return accept({ changes: [put(keys.approval(id), entry)], subject });
};
