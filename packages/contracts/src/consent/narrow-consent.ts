/**
 * narrowConsent: a patient takes back a part of a permit that they gave.
 * Source: requirement C1; design.md, "Consent, access, custody".
 */
import { accept, actorId, cbor, equal, type Infer, schema } from "@xinglin/primitives";
import { type ConsentHead, type Directive, directiveNumber, directiveTerms } from "../model/consent.ts";
import { MAX_VERSION } from "../model/record.ts";
import { getConsentHead } from "../reads.ts";
import { put, type Rule, refuseWith } from "../rule.ts";
import { keys } from "../state-keys.ts";
import { endOf } from "./directive-period.ts";
import { firstWider, type Narrowed } from "./narrower.ts";
import { type OwnDirectiveRefusal, ownDirective } from "./own-directive.ts";
import { checkGrantee, checkPeriods, type GranteeRefusal, type PeriodRefusal } from "./terms.ts";

/** Which directive gets which narrower terms. */
export const narrowConsentOperation = schema.object({ patient: actorId, number: directiveNumber, terms: directiveTerms });
export type NarrowConsent = Infer<typeof narrowConsentOperation>;

/** In the order of the checks. `not_narrower` names the first element in which the new terms reach further. */
export type NarrowConsentRefusal =
  | OwnDirectiveRefusal
  | { code: "directive_ended" }
  | { code: "denial_not_narrowed" }
  | { code: "not_narrower"; element: Narrowed }
  | PeriodRefusal
  | GranteeRefusal
  | { code: "unchanged" }
  | { code: "too_many_versions"; most: number };

/**
 * By the patient alone, for a permit that has not ended: a denial is not narrowed, since that would open something; it is revoked. Writes
 * `consent/{patient}/{number}` and counts a restriction.
 */
export const narrowConsent: Rule<NarrowConsent, NarrowConsentRefusal["code"]> = (
  state,
  { patient, number, terms },
  { block, caller },
) => {
  const subject = { patient, number };
  const found = ownDirective(state, caller, patient, number);
  if (!found.ok) return refuseWith<NarrowConsentRefusal>(found.refusal, subject);
  const old = found.value;
  if (block.time >= endOf(old)) return refuseWith<NarrowConsentRefusal>({ code: "directive_ended" }, subject);
  if (old.terms.effect === "deny") return refuseWith<NarrowConsentRefusal>({ code: "denial_not_narrowed" }, subject);
  const element = firstWider(old.terms, terms);
  if (element !== undefined) return refuseWith<NarrowConsentRefusal>({ code: "not_narrower", element }, subject);
  const periods = checkPeriods(terms, block.time);
  if (!periods.ok) return refuseWith<NarrowConsentRefusal>(periods.refusal, subject);
  for (const grantee of terms.grantees) {
    const known = checkGrantee(state, grantee);
    if (!known.ok) return refuseWith<NarrowConsentRefusal>(known.refusal, subject);
  }
  if (equal(cbor.encode(terms), cbor.encode(old.terms))) return refuseWith<NarrowConsentRefusal>({ code: "unchanged" }, subject);
  if (old.version >= MAX_VERSION)
    return refuseWith<NarrowConsentRefusal>({ code: "too_many_versions", most: MAX_VERSION }, subject);
  const narrowed: Directive = { ...old, terms, version: old.version + 1 };
  const head = getConsentHead(state, patient);
  const restricted: ConsentHead = { ...head, restrictions: head.restrictions + 1 };
  return accept({ changes: [put(keys.consentHead(patient), restricted), put(keys.consent(patient, number), narrowed)], subject });
};
