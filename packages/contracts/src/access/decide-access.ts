/**
 * The decision on one read: what the rule of a request and a search both go by, so that a search shows what a request would be permitted and
 * nothing else. It changes nothing and knows no key.
 * Source: requirements C1, C2, C4, D7; FHIR R4 Consent.provision; design.md, "Consent, access, custody".
 */
import {
  type ActorId,
  accept,
  type CredentialId,
  type MemberId,
  type Result,
  refuse,
  type UnixSeconds,
} from "@xinglin/primitives";
import { type CredentialRefusal, checkCredential } from "../identity/credential-in-force.ts";
import type { Reason } from "../model/access.ts";
import type { Basis, RecordClass } from "../model/class.ts";
import type { Purpose, Role } from "../model/purpose.ts";
import { getActor, getApproval, getClassRule, getConsentHead, getOpenDirectives } from "../reads.ts";
import type { Caller, StateReader } from "../rule.ts";
import { type ApprovalGap, approvalGap, scopeGap } from "./approval-covers.ts";
import type { Reading } from "./reading.ts";
import { step } from "./reasons.ts";
import type { FoundTarget, TargetRefusal } from "./target.ts";
import { type Weighed, weighDirectives } from "./weigh-directives.ts";

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

/** What is wanted, why, and on which papers. */
export interface AccessQuestion {
  readonly patient: ActorId;
  readonly purpose: Purpose;
  readonly class: RecordClass;
  /** The requester's. */
  readonly credential: CredentialId;
  /** The review or ethics approval (a study) that it rests on. */
  readonly approval?: CredentialId;
}

/** What of a target the decision looks at. */
export type DecidedTarget = Pick<FoundTarget, "source" | "anchoredAt">;

/** On what a permit rests. */
export interface AccessGrounds<Found extends DecidedTarget> {
  readonly found: Found;
  readonly role: Role;
  readonly basis: Basis;
  /** Number of the deciding directive, where the basis needs one. */
  readonly directive?: number;
  /** The named approval, if it covers the read. */
  readonly approval?: CredentialId;
  /** Of the patient's consent head. */
  readonly restrictions: number;
}

/** The outcome, and the tree of reasons for it. */
export interface AccessDecision<Found extends DecidedTarget> {
  readonly outcome: Result<AccessGrounds<Found>, RequestAccessRefusal>;
  readonly reason: Reason;
}

/**
 * Decides as of `time`. `find` looks up the target once the patient is known to be one; it is given the member that registered the patient. The class matrix
 * says what the class demands: nothing (free), the holding institution's review, the patient's consent, or consent and an ethics approval. Unless the class
 * is free, every directive of the patient that may be in force is read, through the authenticated head, and deny beats permit. Cost: linear in these.
 */
export function decideAccess<Found extends DecidedTarget>(
  state: StateReader,
  asked: AccessQuestion,
  caller: Pick<Caller, "actorId" | "actor">,
  time: UnixSeconds,
  find: (home: MemberId) => Result<Found, TargetRefusal>,
): AccessDecision<Found> {
  const steps: Reason[] = [];
  const decision = (outcome: AccessDecision<Found>["outcome"]): AccessDecision<Found> => {
    const facts = { purpose: asked.purpose, category: asked.class.category, level: asked.class.level };
    return { outcome, reason: step("read", outcome.ok, facts, steps) };
  };
  const no = (refusal: RequestAccessRefusal): AccessDecision<Found> => decision(refuse(refusal));

  const patient = getActor(state, asked.patient);
  const isPatient = patient?.kind === "patient";
  steps.push(step("patient_known", isPatient));
  if (!isPatient) return no({ code: "unknown_patient" });

  const { actorId: actor, actor: requester } = caller;
  const held =
    requester.kind === "staff"
      ? checkCredential(state, caller, asked.credential, READING_ROLES, time)
      : ({ ok: false, refusal: { code: "no_credential" } } as const);
  steps.push(step("credential_in_force", held.ok, held.ok ? { role: held.value.role } : {}));
  if (!held.ok) return no(held.refusal);

  const target = find(patient.member);
  steps.push(step("target_readable", target.ok));
  if (!target.ok) return no(target.refusal);
  const found = target.value;

  // A class without its cell can't arise from a genesis; were it to, the strictest demand would be the safe one.
  const basis: Basis = getClassRule(state, asked.class)?.basis ?? "ethics";
  steps.push(step("class_rule", true, { basis }));

  const { role } = held.value;
  const approval = asked.approval === undefined ? undefined : getApproval(state, asked.approval);
  const reading: Reading = {
    actor,
    member: requester.member,
    role,
    purpose: asked.purpose,
    class: asked.class,
    anchoredAt: found.anchoredAt,
    approvalId: asked.approval,
    approval,
    time,
  };
  if (basis === "review" || basis === "ethics") {
    const why = approvalGap(reading, basis, found.source);
    steps.push(step("approval_covers", why === undefined, why === undefined ? { basis } : { basis, why }));
    if (why !== undefined) return no({ code: basis === "review" ? "review_missing" : "ethics_approval_missing", why });
  }

  const head = getConsentHead(state, asked.patient);
  let directive: number | undefined;
  if (basis !== "free") {
    const weighed = weighDirectives(getOpenDirectives(state, asked.patient, head), reading);
    const refusal = refusalOf(weighed, head.count, head.lastEnded, basis);
    steps.push(step("directives", refusal === undefined, { considered: weighed.considered, all: head.count }, weighed.reasons));
    if (refusal !== undefined) return no(refusal);
    if (basis !== "review") directive = weighed.permit;
  }

  // An approval that was named without covering the request played no part: the permit must not lend it weight.
  const restsOn = approval !== undefined && scopeGap(reading, approval) === undefined ? asked.approval : undefined;
  return decision(
    accept({
      found,
      role,
      basis,
      ...(directive === undefined ? {} : { directive }),
      ...(restsOn === undefined ? {} : { approval: restsOn }),
      restrictions: head.restrictions,
    }),
  );
}

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
