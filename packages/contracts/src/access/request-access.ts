/**
 * requestAccess: decides one read of a patient's record by someone who never held its key.
 * Source: requirements C1, C2, C4; FHIR R4 Consent.provision; design.md, "Consent, access, custody".
 */
import { sha256 } from "@xinglin/crypto/pure";
import { accept, actorId, credentialId, type Infer, invariant, schema, type UnixSeconds } from "@xinglin/primitives";
import { type CredentialRefusal, checkCredential } from "../identity/credential-in-force.ts";
import type { Permit, Reason } from "../model/access.ts";
import { HPKE_PUBLIC_KEY_BYTES } from "../model/actor.ts";
import { type Basis, recordClass } from "../model/class.ts";
import { purpose, type Role } from "../model/purpose.ts";
import {
  getAccessHead,
  getActor,
  getApproval,
  getClassRule,
  getConsentHead,
  getOpenDirectives,
  getParameters,
} from "../reads.ts";
import { type Outcome, put, type Rule, refuseWith } from "../rule.ts";
import { keys } from "../state-keys.ts";
import { type ApprovalGap, approvalGap, scopeGap } from "./approval-covers.ts";
import type { Reading } from "./reading.ts";
import { step } from "./reasons.ts";
import { findTarget, requestTarget, subjectOf, type TargetRefusal } from "./target.ts";
import { type Weighed, weighDirectives } from "./weigh-directives.ts";

/** The request names what is wanted, never a directive. */
export const requestAccessOperation = schema.object({
  patient: actorId,
  purpose,
  class: recordClass,
  target: requestTarget,
  /** A fresh X-Wing public key: shares are released to it and to no other. */
  hpke: schema.bytes(HPKE_PUBLIC_KEY_BYTES),
  /** The requester's. */
  credential: credentialId,
  /** The review or ethics approval (a study) that the request rests on. */
  approval: schema.optional(credentialId),
});
export type RequestAccess = Infer<typeof requestAccessOperation>;

/** Roles that read records. */
export const READING_ROLES: readonly Role[] = ["doctor", "nurse", "pharmacist", "technician", "researcher"];

/** Why a read is refused, in the order the checks run. Codes are wire values: append, never reuse. */
export type RequestAccessRefusal =
  | { code: "unknown_patient" }
  | { code: "no_credential" }
  | CredentialRefusal
  | TargetRefusal
  | { code: "review_missing"; why: ApprovalGap }
  | { code: "ethics_approval_missing"; why: ApprovalGap }
  | { code: "denied"; directive: number }
  | { code: "no_directive" }
  | { code: "none_in_force"; lastEnded: UnixSeconds }
  | { code: "not_yet_in_force"; begins: UnixSeconds }
  | { code: "not_permitted"; considered: number };

/**
 * By staff, with a credential in force for a role that reads. The class matrix says what the class demands: nothing (free), the holding
 * institution's review, the patient's consent, or consent and an ethics approval. Unless the class is free, every directive of the patient that may be in
 * force is read, through the authenticated head, and deny beats permit. A permit is appended to `access/{patient}`, pins the request's key, and is
 * redeemable for `permitSeconds`. A refusal changes nothing; the executor writes it to the audit log with its tree of reasons, so it can be
 * proved. Periods are half-open, in seconds of the block header. Cost: linear in the patient's open directives.
 */
export const requestAccess: Rule<RequestAccess, RequestAccessRefusal["code"]> = (state, op, { block, caller, transaction }) => {
  const subject = { patient: op.patient, ...subjectOf(op.target), credential: op.credential };
  const steps: Reason[] = [];
  const decision = (holds: boolean): Reason =>
    step("read", holds, { purpose: op.purpose, category: op.class.category, level: op.class.level }, steps);
  const no = (stated: RequestAccessRefusal): Outcome<RequestAccessRefusal["code"]> =>
    refuseWith<RequestAccessRefusal>(stated, subject, decision(false));

  const patient = getActor(state, op.patient);
  const isPatient = patient?.kind === "patient";
  steps.push(step("patient_known", isPatient));
  if (!isPatient) return no({ code: "unknown_patient" });

  const { actorId: actor, actor: requester, key } = caller;
  const held =
    requester.kind === "staff"
      ? checkCredential(state, caller, op.credential, READING_ROLES, block.time)
      : ({ ok: false, refusal: { code: "no_credential" } } as const);
  steps.push(step("credential_in_force", held.ok, held.ok ? { role: held.value.role } : {}));
  if (!held.ok) return no(held.refusal);

  const found = findTarget(state, op.target, op.patient, patient.member, op.class);
  steps.push(step("target_readable", found.ok));
  if (!found.ok) return no(found.refusal);
  const { target, source, object, custody, anchoredAt } = found.value;

  // A class without its cell can't arise from a genesis; were it to, the strictest demand would be the safe one.
  const basis: Basis = getClassRule(state, op.class)?.basis ?? "ethics";
  steps.push(step("class_rule", true, { basis }));

  const { role } = held.value;
  const approval = op.approval === undefined ? undefined : getApproval(state, op.approval);
  const reading: Reading = {
    actor,
    member: requester.member,
    role,
    purpose: op.purpose,
    class: op.class,
    anchoredAt,
    approvalId: op.approval,
    approval,
    time: block.time,
  };
  if (basis === "review" || basis === "ethics") {
    const why = approvalGap(reading, basis, source);
    steps.push(step("approval_covers", why === undefined, why === undefined ? { basis } : { basis, why }));
    if (why !== undefined) return no({ code: basis === "review" ? "review_missing" : "ethics_approval_missing", why });
  }

  const head = getConsentHead(state, op.patient);
  let directive: number | undefined;
  if (basis !== "free") {
    const weighed = weighDirectives(getOpenDirectives(state, op.patient, head), reading);
    const refusal = refusalOf(weighed, head.count, head.lastEnded, basis);
    steps.push(step("directives", refusal === undefined, { considered: weighed.considered, all: head.count }, weighed.reasons));
    if (refusal !== undefined) return no(refusal);
    if (basis !== "review") directive = weighed.permit;
  }

  // An approval that was named without covering the request played no part: the permit must not lend it weight.
  const restsOn = approval !== undefined && scopeGap(reading, approval) === undefined ? op.approval : undefined;
  const parameters = getParameters(state);
  invariant(parameters !== undefined, "a chain has parameters");
  const number = getAccessHead(state, op.patient).count + 1;
  const permit: Permit = {
    basis,
    ...(directive === undefined ? {} : { directive }),
    ...(restsOn === undefined ? {} : { approval: restsOn }),
    grantee: { member: requester.member, actor, key, role, credential: op.credential },
    purpose: op.purpose,
    class: op.class,
    source,
    target,
    object,
    custody,
    hpke: sha256(op.hpke),
    restrictions: head.restrictions,
    transaction,
    height: block.height,
    decidedAt: block.time,
    expiresAt: (block.time + parameters.permitSeconds) as UnixSeconds,
  };
  return accept({
    changes: [put(keys.accessHead(op.patient), { count: number }), put(keys.access(op.patient, number), permit)],
    subject: { ...subject, number },
    reason: decision(true),
  });
};

/** What the weighed directives refuse. A denial closes reviewed classes too; only consent and ethics need a permit. */
function refusalOf(
  weighed: Weighed,
  count: number,
  closedEnd: UnixSeconds | undefined,
  basis: Basis,
): RequestAccessRefusal | undefined {
  const { denial, permit, considered, begins } = weighed;
  if (denial !== undefined) return { code: "denied", directive: denial };
  if (basis === "review" || permit !== undefined) return undefined;
  if (count === 0) return { code: "no_directive" };
  if (considered > 0) return { code: "not_permitted", considered };
  const lastEnded = latest(weighed.lastEnded, closedEnd);
  if (lastEnded !== undefined) return { code: "none_in_force", lastEnded };
  return begins === undefined ? { code: "no_directive" } : { code: "not_yet_in_force", begins };
}

const latest = (a: UnixSeconds | undefined, b: UnixSeconds | undefined): UnixSeconds | undefined =>
  a === undefined || (b !== undefined && a < b) ? b : a;
