/**
 * revokeConsent: a patient takes a directive back, from this block on.
 * Source: requirement C1 (revoke at any time); design.md, "Consent, access, custody".
 */
import { accept, actorId, type Infer, schema } from "@xinglin/primitives";
import { type ConsentHead, type Directive, directiveNumber } from "../model/consent.ts";
import { getConsentHead } from "../reads.ts";
import { put, type Rule, refuseWith } from "../rule.ts";
import { keys } from "../state-keys.ts";
import { endOf, later } from "./directive-period.ts";
import { type OwnDirectiveRefusal, ownDirective } from "./own-directive.ts";

/** Which directive is taken back. */
export const revokeConsentOperation = schema.object({ patient: actorId, number: directiveNumber });
export type RevokeConsent = Infer<typeof revokeConsentOperation>;

/** In the order of the checks. */
export type RevokeConsentRefusal = OwnDirectiveRefusal;

/**
 * By the patient alone; a denial may be revoked too. Writes `consent/{patient}/{number}`, which stays with the time of its revocation, and counts a
 * restriction, which closes every permit of the patient that was taken before.
 */
export const revokeConsent: Rule<RevokeConsent, RevokeConsentRefusal["code"]> = (
  state,
  { patient, number },
  { block, caller },
) => {
  const subject = { patient, number };
  const found = ownDirective(state, caller, patient, number);
  if (!found.ok) return refuseWith<RevokeConsentRefusal>(found.refusal, subject);
  const revoked: Directive = { ...found.value, revokedAt: block.time };
  const head = getConsentHead(state, patient);
  const next: ConsentHead = {
    ...head,
    restrictions: head.restrictions + 1,
    open: head.open.filter((open) => open !== number),
    lastEnded: later(head.lastEnded, endOf(revoked)),
  };
  return accept({ changes: [put(keys.consentHead(patient), next), put(keys.consent(patient, number), revoked)], subject });
};
