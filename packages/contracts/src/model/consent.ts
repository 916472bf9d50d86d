/**
 * A patient's directive: who may read what, for what, until when. Deny beats permit.
 * Source: requirement C1; FHIR R4 Consent.provision (type, period, actor, purpose, class, code, dataPeriod); IHE PCF.
 */
import { actorId, credentialId, height, type Infer, memberId, schema, unixSeconds } from "@xinglin/primitives";
import { category, level } from "./class.ts";
import { purpose, role } from "./purpose.ts";

/** Whom a directive names: an institution, one role in it, one person in it, or a study. */
export const grantee = schema.variant("kind", {
  institution: schema.object({ member: memberId }),
  role: schema.object({ member: memberId, role }),
  person: schema.object({ member: memberId, actor: actorId }),
  study: schema.object({ approval: credentialId }),
});
export type Grantee = Infer<typeof grantee>;

/** A directive permits or denies; deny beats permit. */
export const EFFECTS = ["permit", "deny"] as const;
/** What a patient writes. Periods are half-open, in seconds UTC. Empty lists are not allowed: a directive names what it means. */
export const directiveTerms = schema.object({
  effect: schema.oneOf(...EFFECTS),
  grantees: schema.list(grantee, 16, 1),
  purposes: schema.list(purpose, 8, 1),
  categories: schema.list(category, 11, 1),
  /** Each level by name: naming one says nothing of another. Core still needs its ethics approval by the matrix. */
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

/** Directives of one patient over its life. */
export const MAX_DIRECTIVES = 65_535;
/** Directives of one patient that may be in force at one time: a read looks at every one of these. */
export const MAX_OPEN_DIRECTIVES = 1_000;
/** Numbers a directive in its patient's sequence, from 1. */
export const directiveNumber = schema.uint(MAX_DIRECTIVES, 1);

/**
 * State at `consent/{patient}`: how many directives there are (numbered from 1 to `count`), and how often the patient restricted one (a
 * revocation, a narrowing, a denial). A custodian compares `restrictions` with the permit's: a later restriction closes the permit whatever
 * it restricts. `open` numbers, in order, every directive that may be in force now or later; `lastEnded` is the latest end of the others. So a
 * read costs what is in force, not what ever was.
 */
export const consentHead = schema.object({
  count: schema.uint(MAX_DIRECTIVES),
  restrictions: schema.uint(),
  open: schema.list(directiveNumber, MAX_OPEN_DIRECTIVES),
  lastEnded: schema.optional(unixSeconds),
});
export type ConsentHead = Infer<typeof consentHead>;
