/**
 * When a directive counts. Source: requirement C1; FHIR R4 Consent.provision.period.
 */
import type { UnixSeconds } from "@xinglin/primitives";
import type { Directive } from "../model/consent.ts";

/** The first second at which the directive does not count any more: its `notAfter`, or its revocation if that came first. */
export const endOf = ({ terms, revokedAt }: Directive): UnixSeconds =>
  revokedAt === undefined || terms.notAfter < revokedAt ? terms.notAfter : revokedAt;

/** Whether the directive counts at `time`: its period is half-open. */
export const isInForce = (directive: Directive, time: UnixSeconds): boolean =>
  directive.terms.notBefore <= time && time < endOf(directive);

/** The later of two times; the second where the first is none. */
export const later = (a: UnixSeconds | undefined, b: UnixSeconds): UnixSeconds => (a === undefined || a < b ? b : a);
