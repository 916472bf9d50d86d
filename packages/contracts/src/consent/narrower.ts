/**
 * Whether one directive's terms lie within another's in every respect.
 * Source: requirement C1 (narrowing never widens).
 */
import type { DirectiveTerms, Grantee } from "../model/consent.ts";

/** Elements in the order in which they are compared. */
export const NARROWED = [
  "effect",
  "grantees",
  "purposes",
  "categories",
  "levels",
  "recordPeriod",
  "notBefore",
  "notAfter",
] as const;
export type Narrowed = (typeof NARROWED)[number];

/** The first element in which `terms` allow something that `old` do not, or undefined if they are narrower or equal. */
export function firstWider(old: DirectiveTerms, terms: DirectiveTerms): Narrowed | undefined {
  if (terms.effect !== old.effect) return "effect";
  if (!terms.grantees.every((grantee) => old.grantees.some((wider) => isWithin(grantee, wider)))) return "grantees";
  if (!terms.purposes.every((purpose) => old.purposes.includes(purpose))) return "purposes";
  if (!terms.categories.every((category) => old.categories.includes(category))) return "categories";
  if (!terms.levels.every((level) => old.levels.includes(level))) return "levels";
  const { recordPeriod } = old;
  if (recordPeriod !== undefined) {
    const period = terms.recordPeriod;
    if (period === undefined || period.from < recordPeriod.from || period.to > recordPeriod.to) return "recordPeriod";
  }
  if (terms.notBefore < old.notBefore) return "notBefore";
  if (terms.notAfter > old.notAfter) return "notAfter";
  return undefined;
}

/** Whether everyone whom `grantee` names is named by `wider` too: an institution holds its roles and its people. */
export function isWithin(grantee: Grantee, wider: Grantee): boolean {
  switch (wider.kind) {
    case "institution":
      return grantee.kind !== "study" && grantee.member === wider.member;
    case "role":
      return grantee.kind === "role" && grantee.member === wider.member && grantee.role === wider.role;
    case "person":
      return grantee.kind === "person" && grantee.member === wider.member && grantee.actor === wider.actor;
    case "study":
      return grantee.kind === "study" && grantee.approval === wider.approval;
  }
}
