/**
 * grantConsent: a patient writes a directive: who may, or may not, read what, for what and until when.
 * Source: requirements C1, B1; FHIR R4 Consent.provision; design.md, "Consent, access, custody".
 */
import { type ActorId, accept, actorId, type Infer, schema, type UnixSeconds } from "@xinglin/primitives";
import {
  type ConsentHead,
  type Directive,
  directiveTerms,
  MAX_DIRECTIVES,
  MAX_OPEN_DIRECTIVES,
  sealedPointer,
} from "../model/consent.ts";
import { getConsentHead, getOpenDirectives } from "../reads.ts";
import { put, type Rule, refuseWith, type StateReader } from "../rule.ts";
import { keys } from "../state-keys.ts";
import { endOf, later } from "./directive-period.ts";
import {
  checkGrantee,
  checkPeriods,
  checkPointers,
  type GranteeRefusal,
  type PeriodRefusal,
  type PointerRefusal,
} from "./terms.ts";

/** A directive's terms, and pointers for its grantees. */
export const grantConsentOperation = schema.object({
  patient: actorId,
  terms: directiveTerms,
  pointers: schema.list(sealedPointer, 16),
});
export type GrantConsent = Infer<typeof grantConsentOperation>;

/** In the order of the checks. */
export type GrantConsentRefusal =
  | { code: "not_the_patient" }
  | PeriodRefusal
  | GranteeRefusal
  | PointerRefusal
  | { code: "too_many_directives"; most: number };

/**
 * By the patient alone. Appends to `consent/{patient}`: the directive's number is the new count. A denial counts as a restriction, so that it closes
 * permits that were taken before it. Cost: constant, and linear in the open directives when their number stands at its limit.
 */
export const grantConsent: Rule<GrantConsent, GrantConsentRefusal["code"]> = (
  state,
  { patient, terms, pointers },
  { block, caller },
) => {
  const unnumbered = { patient };
  if (caller.actor.kind !== "patient" || caller.actorId !== patient)
    return refuseWith<GrantConsentRefusal>({ code: "not_the_patient" }, unnumbered);
  const periods = checkPeriods(terms, block.time);
  if (!periods.ok) return refuseWith<GrantConsentRefusal>(periods.refusal, unnumbered);
  for (const grantee of terms.grantees) {
    const known = checkGrantee(state, grantee);
    if (!known.ok) return refuseWith<GrantConsentRefusal>(known.refusal, unnumbered);
  }
  const pointed = checkPointers(state, terms.grantees, pointers);
  if (!pointed.ok) return refuseWith<GrantConsentRefusal>(pointed.refusal, unnumbered);
  const head = withRoom(state, patient, block.time);
  if (head.count >= MAX_DIRECTIVES)
    return refuseWith<GrantConsentRefusal>({ code: "too_many_directives", most: MAX_DIRECTIVES }, unnumbered);
  if (head.open.length >= MAX_OPEN_DIRECTIVES)
    return refuseWith<GrantConsentRefusal>({ code: "too_many_directives", most: MAX_OPEN_DIRECTIVES }, unnumbered);

  const number = head.count + 1;
  const directive: Directive = { terms, pointers, version: 1, grantedAt: block.time, grantedHeight: block.height };
  const restrictions = head.restrictions + (terms.effect === "deny" ? 1 : 0);
  const next: ConsentHead = { ...head, count: number, restrictions, open: [...head.open, number] };
  return accept({
    changes: [put(keys.consentHead(patient), next), put(keys.consent(patient, number), directive)],
    subject: { patient, number },
  });
};

/** The head; where its open directives stand at the limit, without those that have ended. */
function withRoom(state: StateReader, patient: ActorId, time: UnixSeconds): ConsentHead {
  const head = getConsentHead(state, patient);
  if (head.open.length < MAX_OPEN_DIRECTIVES) return head;
  const open: number[] = [];
  let { lastEnded } = head;
  for (const { number, directive } of getOpenDirectives(state, patient, head)) {
    const end = endOf(directive);
    if (time < end) open.push(number);
    else lastEnded = later(lastEnded, end);
  }
  return lastEnded === undefined ? head : { ...head, open, lastEnded };
}
