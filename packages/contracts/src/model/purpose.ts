/**
 * Why records are read (HL7 v3 ActReason, PurposeOfUse) and in which role. Codes are wire values: append, never reuse.
 * Source: requirement C1; HL7 ActReason; HL7 practitioner-role; design.md, "Consent, access, custody".
 */
import { schema } from "@xinglin/primitives";

/** Treatment, payment, operations, research, public health, emergency treatment, the patient's own request. */
export const PURPOSES = ["TREAT", "HPAYMT", "HOPERAT", "HRESCH", "PUBHLTH", "ETREAT", "PATRQT"] as const;
export type Purpose = (typeof PURPOSES)[number];
/** One of the purposes. */
export const purpose = schema.oneOf(...PURPOSES);

/** What a person of the staff works as, as its credential says. Wire values: append, never reuse. */
export const ROLES = ["doctor", "nurse", "pharmacist", "technician", "researcher", "registrar", "ict"] as const;
export type Role = (typeof ROLES)[number];
/** One of the roles. */
export const role = schema.oneOf(...ROLES);
