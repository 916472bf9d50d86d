/**
 * Steps of a decision. Their codes are wire values, and each has its sentence in the catalogue: append, never reuse.
 * Source: requirement C2 (a tree of reasons for every decision).
 */
import type { Facts, Reason } from "../model/access.ts";

/** In the order in which a decision takes its steps. */
export const REASON_CODES = [
  "read",
  "patient_known",
  "credential_in_force",
  "target_readable",
  "class_rule",
  "approval_covers",
  "directives",
  "directive_permits",
  "directive_denies",
  "directive_other_grantee",
  "directive_other_purpose",
  "directive_other_category",
  "directive_other_level",
  "directive_other_record_period",
  "more_directives",
] as const;
export type ReasonCode = (typeof REASON_CODES)[number];

const NO_FACTS: Facts = {};
const NOTHING_BELOW: readonly Reason[] = [];

/** One step of a decision: whether it holds, the facts it rests on, and the steps beneath it. */
export const step = (
  code: ReasonCode,
  holds: boolean,
  facts: Facts = NO_FACTS,
  because: readonly Reason[] = NOTHING_BELOW,
): Reason => ({
  code,
  holds,
  facts,
  because,
});
