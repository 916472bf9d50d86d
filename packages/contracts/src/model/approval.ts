/**
 * What an institution's review or a commission's ethics committee allowed: who may read which classes, for one purpose, under which protocol.
 * Source: requirement C4; design.md, "Consent, access, custody" (class matrix).
 */
import { type Infer, memberId, schema, unixSeconds } from "@xinglin/primitives";
import { category, level } from "./class.ts";
import { grantee } from "./consent.ts";
import { purpose } from "./purpose.ts";

/** Who allows: the institution that holds the records, or an ethics committee. */
export const APPROVAL_KINDS = ["review", "ethics"] as const;
export type ApprovalKind = (typeof APPROVAL_KINDS)[number];

/**
 * State at `approval/{id}`; the id also names the study in directives. `member` decided it: for a review the institution that holds the
 * records, for ethics a commission. `protocol` is the salted hash of the protocol's undertaking, which ethics approvals must name.
 */
export const approval = schema.object({
  kind: schema.oneOf(...APPROVAL_KINDS),
  member: memberId,
  grantee,
  protocol: schema.optional(schema.bytes(32)),
  purpose,
  categories: schema.list(category, 11, 1),
  levels: schema.list(level, 4, 1),
  notBefore: unixSeconds,
  notAfter: unixSeconds,
});
export type Approval = Infer<typeof approval>;
