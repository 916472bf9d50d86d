/** A directive in plain sentences, the same before it is signed and after. Source: requirement C1; design.md, "Consent" (renders to plain Chinese). */
import type { DirectiveTerms, Grantee } from "@xinglin/contracts";
import type { MemberRow } from "../feed/rows.ts";
import type { Text } from "../text/language.ts";
import { joined, memberName, word, words } from "../text/names.ts";
import { lastDay, shanghaiDate } from "../text/time.ts";

/** Whom a directive names. */
export function granteeName(text: Text, members: readonly MemberRow[], grantee: Grantee): string {
  switch (grantee.kind) {
    case "institution":
      return memberName(text, members, grantee.member);
    case "role":
      return text("grantee.role", { who: memberName(text, members, grantee.member), role: word(text, "role", grantee.role) });
    case "person":
      return text("grantee.person", { who: memberName(text, members, grantee.member), actor: grantee.actor.slice(0, 8) });
    case "study":
      return text("grantee.study", { approval: grantee.approval.slice(0, 8) });
  }
}

/** Who may, or may not, read what, for what and until when. */
export function termsSentence(text: Text, members: readonly MemberRow[], terms: DirectiveTerms): string {
  const { effect, grantees, purposes, categories, levels, recordPeriod, notAfter } = terms;
  const facts = {
    who: joined(
      text,
      grantees.map((grantee) => granteeName(text, members, grantee)),
    ),
    purposes: words(text, "purpose", purposes),
    categories: words(text, "category", categories),
    levels: words(text, "level", levels),
    until: lastDay(notAfter),
  };
  const sentence = text(effect === "permit" ? "terms.permit" : "terms.deny", facts);
  if (recordPeriod === undefined) return sentence;
  return sentence + text("terms.record_period", { from: shanghaiDate(recordPeriod.from), to: lastDay(recordPeriod.to) });
}

/** Where a directive stands at `now`. */
export type ConsentStanding = "in_force" | "not_yet" | "ended" | "revoked";

/** Periods are half-open; a revoked directive ended when it was revoked. */
export function standing(consent: { terms: DirectiveTerms; revokedAt?: number }, now: number): ConsentStanding {
  if (consent.revokedAt !== undefined) return "revoked";
  if (now >= consent.terms.notAfter) return "ended";
  return now < consent.terms.notBefore ? "not_yet" : "in_force";
}
