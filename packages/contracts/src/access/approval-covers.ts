/**
 * Whether an approval that a request names covers it.
 * Source: requirement C4 (internal data after the institution's review; core data with ethics approval, protocol and one pinned purpose).
 */
import type { MemberId } from "@xinglin/primitives";
import type { Approval, ApprovalKind } from "../model/approval.ts";
import type { Grantee } from "../model/consent.ts";
import type { Reading } from "./reading.ts";

/** What an approval lacks, in the order of the checks. */
export const APPROVAL_GAPS = [
  "not_named",
  "unknown",
  "other_kind",
  "other_holder",
  "other_grantee",
  "other_purpose",
  "other_category",
  "other_level",
  "not_yet",
  "ended",
] as const;
export type ApprovalGap = (typeof APPROVAL_GAPS)[number];

/** Whether a grantee of kind institution, role or person names the requester. Studies are compared by their approval. */
export const names = (grantee: Grantee, { actor, member, role }: Reading): boolean => {
  switch (grantee.kind) {
    case "institution":
      return grantee.member === member;
    case "role":
      return grantee.member === member && grantee.role === role;
    case "person":
      return grantee.member === member && grantee.actor === actor;
    case "study":
      return false;
  }
};

/** What keeps the request's approval from covering it as one of `kind`, for records that `holder` holds; undefined if it covers. */
export function approvalGap(reading: Reading, kind: ApprovalKind, holder: MemberId): ApprovalGap | undefined {
  if (reading.approvalId === undefined) return "not_named";
  const { approval } = reading;
  if (approval === undefined) return "unknown";
  if (approval.kind !== kind) return "other_kind";
  if (kind === "review" && approval.member !== holder) return "other_holder";
  return scopeGap(reading, approval);
}

/** What of grantee, purpose, class and period keeps `approval` from covering the request; undefined if all of it does. Its period is half-open. */
export function scopeGap(reading: Reading, approval: Approval): ApprovalGap | undefined {
  if (!names(approval.grantee, reading)) return "other_grantee";
  if (approval.purpose !== reading.purpose) return "other_purpose";
  if (!approval.categories.includes(reading.class.category)) return "other_category";
  if (!approval.levels.includes(reading.class.level)) return "other_level";
  if (reading.time < approval.notBefore) return "not_yet";
  if (reading.time >= approval.notAfter) return "ended";
  return undefined;
}
