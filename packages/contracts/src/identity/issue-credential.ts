/**
 * issueCredential: a member states that one of its staff has a role in a department, for a time.
 * Source: requirement B4; W3C VC Data Model 2.0 (issuer, subject, validFrom, validUntil).
 */
import { type ActorId, accept, actorId, credentialId, type Infer, schema, unixSeconds } from "@xinglin/primitives";
import { type ActorKind, type Credential, department } from "../model/actor.ts";
import { role } from "../model/purpose.ts";
import { getActor, getCredential } from "../reads.ts";
import { put, type Rule, refuseWith } from "../rule.ts";
import { keys } from "../state-keys.ts";
import { isAdministration } from "./administration.ts";

/** Who has which role in which department, from when until when. */
export const issueCredentialOperation = schema.object({
  id: credentialId,
  subject: actorId,
  role,
  department,
  notBefore: unixSeconds,
  notAfter: unixSeconds,
});
export type IssueCredential = Infer<typeof issueCredentialOperation>;

/** In the order of the checks. */
export type IssueCredentialRefusal =
  | { code: "unknown_actor"; actor: ActorId }
  | { code: "not_administration" }
  | { code: "kind_not_allowed"; kind: ActorKind }
  | { code: "period_empty" }
  | { code: "id_taken" };

/** By the administration of the subject's member; for staff only. Writes `credential/{id}`; the id must be new. */
export const issueCredential: Rule<IssueCredential, IssueCredentialRefusal["code"]> = (state, op, { caller }) => {
  const holder = getActor(state, op.subject);
  const subject = { credential: op.id, actor: op.subject };
  if (holder === undefined) return refuseWith<IssueCredentialRefusal>({ code: "unknown_actor", actor: op.subject }, subject);
  if (!isAdministration(caller, holder.member))
    return refuseWith<IssueCredentialRefusal>({ code: "not_administration" }, subject);
  const { kind } = holder;
  if (kind !== "staff") return refuseWith<IssueCredentialRefusal>({ code: "kind_not_allowed", kind }, subject);
  if (op.notBefore >= op.notAfter) return refuseWith<IssueCredentialRefusal>({ code: "period_empty" }, subject);
  if (getCredential(state, op.id) !== undefined) return refuseWith<IssueCredentialRefusal>({ code: "id_taken" }, subject);
  const { role, department, notBefore, notAfter } = op;
  const credential: Credential = {
    subject: op.subject,
    issuer: holder.member,
    role,
    department,
    notBefore,
    notAfter,
    status: "active",
  };
  return accept({ changes: [put(keys.credential(op.id), credential)], subject });
};
