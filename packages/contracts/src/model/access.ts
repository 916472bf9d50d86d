/**
 * The outcome of a request to read, and the tree of reasons that a person can follow.
 * Source: requirements C2, C10; design.md, "Consent, access, custody".
 */
import {
  actorId,
  credentialId,
  Fault,
  height,
  type Infer,
  memberId,
  recordId,
  type Schema,
  schema,
  unixSeconds,
} from "@xinglin/primitives";
import { BASES, recordClass } from "./class.ts";
import { directiveNumber } from "./consent.ts";
import { purpose, role } from "./purpose.ts";
import { custodyReference, objectReference, version } from "./record.ts";

/** One step of a decision: a stable code, whether it held, the facts it rests on, and the steps below it. */
export interface Reason {
  readonly code: string;
  readonly holds: boolean;
  readonly facts: Facts;
  readonly because: readonly Reason[];
}
/** What a permit opens: a record of its own, or a leaf of a batch (named by the batch root and the RFC 6962 leaf hash). */
export const target = schema.variant("kind", {
  record: schema.object({ record: recordId, version }),
  batch: schema.object({ root: schema.bytes(32), leaf: schema.bytes(32), record: recordId }),
});
export type Target = Infer<typeof target>;

/** State at `access/{patient}/{number}`: a permit. Refusals stand in the audit log. */
export const permit = schema.object({
  basis: schema.oneOf(...BASES),
  /** Number of the deciding directive of the patient, where the basis needs one. */
  directive: schema.optional(directiveNumber),
  /** The review or ethics approval, where the basis needs one. */
  approval: schema.optional(credentialId),
  grantee: schema.object({ member: memberId, actor: actorId, key: schema.text(16), role, credential: credentialId }),
  purpose,
  class: recordClass,
  source: memberId,
  target,
  object: objectReference,
  custody: custodyReference,
  /** SHA-256 of the X-Wing public key that the signed request carried: shares are released to this key only. */
  hpke: schema.bytes(32),
  /** `restrictions` of the patient's consent head when this was decided. */
  restrictions: schema.uint(),
  transaction: schema.bytes(32),
  height,
  decidedAt: unixSeconds,
  expiresAt: unixSeconds,
});
export type Permit = Infer<typeof permit>;

/** State at `access/{patient}`: how many permits there are, numbered from 1 to `count`. */
export const accessHead = schema.object({ count: schema.uint() });
export type AccessHead = Infer<typeof accessHead>;

/** Facts that a refusal or a step of a decision rests on: identifiers, codes and numbers by name. */
export type Facts = Readonly<Record<string, string | number>>;
const MAX_FACTS = 8;
const factName = /^[a-zA-Z]{1,32}$/;
const factText = schema.text(64, undefined, 0);
const factNumber = schema.uint();
/** At most eight facts by name: short texts and integers, never floats or bytes. */
export const facts: Schema<Facts> = {
  parse(value, path = "") {
    if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Uint8Array)
      throw new Fault("malformed", { element: path, expected: "object" });
    const entries = Object.entries(value);
    if (entries.length > MAX_FACTS) throw new Fault("malformed", { element: path, expected: `at most ${MAX_FACTS} facts` });
    for (const [name, fact] of entries) {
      if (!factName.test(name)) throw new Fault("malformed", { element: path, expected: `name like ${factName.source}` });
      if (typeof fact === "number") factNumber.parse(fact, `${path}/${name}`);
      else factText.parse(fact, `${path}/${name}`);
    }
    return value as Facts;
  },
};

const MAX_REASON_DEPTH = 6;
/** Steps below one step; a decision that looks at more directives lists the first and counts the rest. */
export const MAX_REASONS = 64;
const reasonShape = schema.object({
  code: schema.text(64, /^[a-z_]+$/),
  holds: schema.bool,
  facts,
  because: schema.list({ parse: (value: unknown) => value }, MAX_REASONS),
});
const parseReason = (value: unknown, path: string, depth: number): Reason => {
  if (depth === 0) throw new Fault("malformed", { element: path, expected: `at most ${MAX_REASON_DEPTH} steps deep` });
  const step = reasonShape.parse(value, path);
  return { ...step, because: step.because.map((below, i) => parseReason(below, `${path}/because/${i}`, depth - 1)) };
};
/** The shape of a tree of reasons, bounded in depth and breadth. */
export const reason: Schema<Reason> = { parse: (value, path = "") => parseReason(value, path, MAX_REASON_DEPTH) };
