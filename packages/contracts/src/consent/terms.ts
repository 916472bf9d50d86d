/**
 * What is asked of a directive's terms beyond their shape: periods that hold something, and grantees and pointers that exist.
 * Source: requirement C1; FHIR R4 Consent.provision.
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
import type { DirectiveTerms, Grantee, SealedPointer } from "../model/consent.ts";
import { getActor, getApproval, getMember } from "../reads.ts";
import type { StateReader } from "../rule.ts";

/** A period without a second in it, or one that is over. */
export type PeriodRefusal = { code: "period_empty" } | { code: "period_over" } | { code: "record_period_empty" };

/** Periods are half-open: one that ends where it begins, or has ended at `time`, holds nothing. */
export function checkPeriods(terms: DirectiveTerms, time: UnixSeconds): Result<undefined, PeriodRefusal> {
  const { notBefore, notAfter, recordPeriod } = terms;
  if (notBefore >= notAfter) return refuse({ code: "period_empty" });
  if (notAfter <= time) return refuse({ code: "period_over" });
  if (recordPeriod !== undefined && recordPeriod.from >= recordPeriod.to) return refuse({ code: "record_period_empty" });
  return accept(undefined);
}

/** Why a grantee that names its institution cannot be granted anything. */
export type NamedGranteeRefusal =
  | { code: "unknown_member"; member: MemberId }
  | { code: "unknown_actor"; actor: ActorId }
  | { code: "actor_of_another_member"; actor: ActorId };
/** Also for studies, whose approval must stand. */
export type GranteeRefusal = NamedGranteeRefusal | { code: "unknown_approval"; approval: CredentialId };

/** A grantee that names its institution. */
export type NamedGrantee = Exclude<Grantee, { readonly kind: "study" }>;

/** Whether the institution exists, and the person, who must be of it. */
export function checkNamedGrantee(state: StateReader, grantee: NamedGrantee): Result<undefined, NamedGranteeRefusal> {
  const { member } = grantee;
  if (getMember(state, member) === undefined) return refuse({ code: "unknown_member", member });
  if (grantee.kind !== "person") return accept(undefined);
  const actor = getActor(state, grantee.actor);
  if (actor === undefined) return refuse({ code: "unknown_actor", actor: grantee.actor });
  if (actor.member !== member) return refuse({ code: "actor_of_another_member", actor: grantee.actor });
  return accept(undefined);
}

/** Whether the grantee exists: as `checkNamedGrantee`, and of a study its approval. */
export function checkGrantee(state: StateReader, grantee: Grantee): Result<undefined, GranteeRefusal> {
  if (grantee.kind !== "study") return checkNamedGrantee(state, grantee);
  const { approval } = grantee;
  return getApproval(state, approval) === undefined ? refuse({ code: "unknown_approval", approval }) : accept(undefined);
}

/** A pointer to the patient is sealed to an institution that the directive does not name. */
export type PointerRefusal = { code: "pointer_not_for_grantee"; member: MemberId };

/** A pointer is sealed to an institution that the directive names: the grantee's, or that of the study's holder. */
export function checkPointers(
  state: StateReader,
  grantees: readonly Grantee[],
  pointers: readonly SealedPointer[],
): Result<undefined, PointerRefusal> {
  if (pointers.length === 0) return accept(undefined);
  const members = new Set(grantees.map((grantee) => memberOf(state, grantee)));
  const stray = pointers.find(({ member }) => !members.has(member));
  return stray === undefined ? accept(undefined) : refuse({ code: "pointer_not_for_grantee", member: stray.member });
}

const memberOf = (state: StateReader, grantee: Grantee): MemberId | undefined => {
  if (grantee.kind !== "study") return grantee.member;
  const holder = getApproval(state, grantee.approval)?.grantee;
  return holder === undefined || holder.kind === "study" ? undefined : holder.member;
};
