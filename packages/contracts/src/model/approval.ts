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

/** Who allows whom which classes for what, from when until when. */
export const approvalElements = {
  kind: schema.oneOf(...APPROVAL_KINDS),
  /** Who decided: for a review the institution that holds the records, for ethics a commission. */
  member: memberId,
  grantee,
  /** Salted hash of the protocol's undertaking; ethics approvals must name one. */
  protocol: schema.optional(schema.bytes(32)),
  purpose,
  categories: schema.list(category, 11, 1),
  levels: schema.list(level, 4, 1),
  notBefore: unixSeconds,
  notAfter: unixSeconds,
} as const;

/** State at `approval/{id}`; the id also names the study in directives. */
export const approval = schema.object(approvalElements);
export type Approval = Infer<typeof approval>;
