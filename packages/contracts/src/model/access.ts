/**
 * The outcome of a request to read, and the tree of reasons that a person can follow.
 * Source: requirements C2, C10; design.md, "Consent, access, custody".
 */
import { actorId, credentialId, height, type Infer, memberId, recordId, type Schema, schema, unixSeconds } from "@xinglin/primitives";
import { BASES, recordClass } from "./class.ts";
import { purpose, role } from "./purpose.ts";
import { custodyReference, objectReference } from "./record.ts";

/** One step of a decision: a stable code, whether it held, the facts it rests on, and the steps below it. */
export interface Reason {
  readonly code: string;
  readonly holds: boolean;
  readonly facts: Readonly<Record<string, string | number>>;
  readonly because: readonly Reason[];
}
/** What is read: a record of its own, or a leaf of a batch (named by the batch root and the leaf's hash). */
export const target = schema.variant("kind", {
  record: schema.object({ record: recordId, version: schema.uint(65_535, 1) }),
  batch: schema.object({ root: schema.bytes(32), leaf: schema.bytes(32), record: recordId }),
});
export type Target = Infer<typeof target>;

/** State at `access/{patient}/{number}`: a permit. Refusals stand in the audit log. */
export const permit = schema.object({
  basis: schema.oneOf(...BASES),
  /** Number of the deciding directive of the patient, where the basis needs one. */
  directive: schema.optional(schema.uint(65_535)),
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
  restrictions: schema.uint(65_535),
  transaction: schema.bytes(32),
  height,
  decidedAt: unixSeconds,
  expiresAt: unixSeconds,
});
export type Permit = Infer<typeof permit>;

/** State at `access/{patient}`: how many permits there are. */
export const accessHead = schema.object({ count: schema.uint() });
export type AccessHead = Infer<typeof accessHead>;

const MAX_REASON_DEPTH = 6;
const reasonAt = (depth: number): Schema<Reason> => ({
  parse(value, path = "") {
    const shape = schema.object({
      code: schema.text(64, /^[a-z_]+$/),
      holds: schema.bool,
      facts: { parse: (facts: unknown) => facts as Readonly<Record<string, string | number>> },
      because: schema.list(depth === 0 ? schema.oneOf<string>() : (reasonAt(depth - 1) as Schema<unknown>), 64),
    });
    return shape.parse(value, path) as Reason;
  },
});
export const reason: Schema<Reason> = reasonAt(MAX_REASON_DEPTH);
