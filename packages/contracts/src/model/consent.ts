/**
 * A patient's directive: who may read what, for what, until when. Deny beats permit.
 * Source: requirement C1; FHIR R4 Consent.provision (type, period, actor, purpose, class, code, dataPeriod); IHE PCF.
 */
import { actorId, height, type Infer, memberId, schema, unixSeconds } from "@xinglin/primitives";
import { category, level } from "./class.ts";
import { purpose, role } from "./purpose.ts";

/** Whom a directive names: an institution, one role in it, one person in it, or a study. */
export const grantee = schema.variant("kind", {
  institution: schema.object({ member: memberId }),
  role: schema.object({ member: memberId, role }),
  person: schema.object({ member: memberId, actor: actorId }),
  study: schema.object({ approval: schema.text(32, /^[0-9a-f]{32}$/) }),
});
export type Grantee = Infer<typeof grantee>;

/** What a patient writes. Periods are half-open, in seconds UTC. Empty lists are not allowed: a directive names what it means. */
export const directiveTerms = schema.object({
  effect: schema.oneOf("permit", "deny"),
  grantees: schema.list(grantee, 16, 1),
  purposes: schema.list(purpose, 8, 1),
  categories: schema.list(category, 11, 1),
  /** Up to which level; core still needs its ethics approval by the matrix. */
  levels: schema.list(level, 4, 1),
  /** Only records anchored in this period; absent: any. */
  recordPeriod: schema.optional(schema.object({ from: unixSeconds, to: unixSeconds })),
  notBefore: unixSeconds,
  notAfter: unixSeconds,
});
export type DirectiveTerms = Infer<typeof directiveTerms>;

/** Largest sealed pointer: X-Wing encapsulation, tag and the pointer itself. */
export const MAX_POINTER_BYTES = 1536;
/** The pseudonym under which the source files the patient, sealed to a grantee member. Source: design.md, "Identity". */
export const sealedPointer = schema.object({ member: memberId, sealed: schema.bytes(1136, MAX_POINTER_BYTES) });
export type SealedPointer = Infer<typeof sealedPointer>;

/** State at `consent/{patient}/{number}`. `version` counts the narrowings. */
export const directive = schema.object({
  terms: directiveTerms,
  pointers: schema.list(sealedPointer, 16),
  version: schema.uint(65_535, 1),
  grantedAt: unixSeconds,
  grantedHeight: height,
  revokedAt: schema.optional(unixSeconds),
});
export type Directive = Infer<typeof directive>;

/**
 * State at `consent/{patient}`: how many directives there are, and how often the patient restricted one (a revocation, a narrowing, a denial).
 * A custodian compares `restrictions` with the permit's: a later restriction closes the permit whatever it restricts.
 */
export const consentHead = schema.object({ count: schema.uint(65_535), restrictions: schema.uint(65_535) });
export type ConsentHead = Infer<typeof consentHead>;
