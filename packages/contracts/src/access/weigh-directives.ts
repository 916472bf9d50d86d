/**
 * Weighs a patient's directives against one read: deny beats permit, whatever their order; of several that decide, the lowest number is named.
 * Source: requirement C1; FHIR R4 Consent.provision; XACML 3.0 deny-overrides.
 */
import type { UnixSeconds } from "@xinglin/primitives";
import { endOf, isInForce, later } from "../consent/directive-period.ts";
import { MAX_REASONS, type Reason } from "../model/access.ts";
import type { DirectiveTerms, Grantee } from "../model/consent.ts";
import type { NumberedDirective } from "../reads.ts";
import { names, scopeGap } from "./approval-covers.ts";
import type { Reading } from "./reading.ts";
import { step } from "./reasons.ts";

/** Clauses of a directive, in the order in which they are compared. */
export const CLAUSES = ["grantee", "purpose", "category", "level", "record_period"] as const;
export type Clause = (typeof CLAUSES)[number];

/** The first clause of `terms` that the read does not meet, or undefined if it meets all. The record period is half-open. */
export function failedClause(terms: DirectiveTerms, reading: Reading): Clause | undefined {
  if (!terms.grantees.some((grantee) => isGrantee(grantee, reading))) return "grantee";
  if (!terms.purposes.includes(reading.purpose)) return "purpose";
  if (!terms.categories.includes(reading.class.category)) return "category";
  if (!terms.levels.includes(reading.class.level)) return "level";
  const { recordPeriod } = terms;
  if (recordPeriod !== undefined && (reading.anchoredAt < recordPeriod.from || reading.anchoredAt >= recordPeriod.to))
    return "record_period";
  return undefined;
}

/** A study is met by a request that names its approval, if that covers the request. */
const isGrantee = (grantee: Grantee, reading: Reading): boolean => {
  if (grantee.kind !== "study") return names(grantee, reading);
  const { approvalId, approval } = reading;
  return approval !== undefined && approvalId === grantee.approval && scopeGap(reading, approval) === undefined;
};

/** What a patient's directives say to one read. */
export interface Weighed {
  /** Lowest number among the denials in force that cover the read. */
  readonly denial: number | undefined;
  /** Lowest number among the permits in force that cover it. */
  readonly permit: number | undefined;
  /** Directives in force: each was compared. */
  readonly considered: number;
  /** Latest end of those among `directives` that have ended; earliest beginning of those that have not begun. */
  readonly lastEnded: UnixSeconds | undefined;
  readonly begins: UnixSeconds | undefined;
  /** One step for each considered directive; if there are too many, for the first, and the deciding one, and a count of the rest. */
  readonly reasons: readonly Reason[];
}

/** `directives` in the order of their numbers. Cost: linear in them. */
export function weighDirectives(directives: readonly NumberedDirective[], reading: Reading): Weighed {
  let denial: number | undefined;
  let permit: number | undefined;
  let lastEnded: UnixSeconds | undefined;
  let begins: UnixSeconds | undefined;
  const considered: Considered[] = [];
  for (const { number, directive } of directives) {
    const { terms } = directive;
    if (!isInForce(directive, reading.time)) {
      const end = endOf(directive);
      if (end <= reading.time) lastEnded = later(lastEnded, end);
      else if (begins === undefined || terms.notBefore < begins) begins = terms.notBefore;
      continue;
    }
    const failed = failedClause(terms, reading);
    considered.push({ number, effect: terms.effect, failed });
    if (failed !== undefined) continue;
    if (terms.effect === "deny") denial ??= number;
    else permit ??= number;
  }
  return { denial, permit, considered: considered.length, lastEnded, begins, reasons: reasonsOf(considered, denial ?? permit) };
}

interface Considered {
  readonly number: number;
  readonly effect: DirectiveTerms["effect"];
  readonly failed: Clause | undefined;
}

function reasonsOf(considered: readonly Considered[], deciding: number | undefined): Reason[] {
  if (considered.length <= MAX_REASONS) return considered.map(reasonOf);
  const named = considered.slice(0, MAX_REASONS - 1);
  const decider = considered.find(({ number }) => number === deciding);
  if (decider !== undefined && !named.includes(decider)) named[named.length - 1] = decider;
  return [...named.map(reasonOf), step("more_directives", false, { count: considered.length - named.length })];
}

/** Holds if the directive speaks for the read. */
const reasonOf = ({ number, effect, failed }: Considered): Reason => {
  const facts = { directive: number, effect };
  if (failed !== undefined) return step(`directive_other_${failed}`, false, facts);
  return effect === "permit" ? step("directive_permits", true, facts) : step("directive_denies", false, facts);
};
