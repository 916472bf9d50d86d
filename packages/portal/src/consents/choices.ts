/** What a patient may choose when granting and, of what was granted, when narrowing. Source: requirement C1 (narrowing never widens). */
import {
  CATEGORIES,
  type Category,
  type DirectiveTerms,
  firstWider,
  type Grantee,
  type Level,
  PURPOSES,
  type Purpose,
  ROLES,
  type Role,
} from "@xinglin/contracts";
import type { MemberId, UnixSeconds } from "@xinglin/primitives";
import { daysLater } from "../text/time.ts";

/** Days that a permit may last. */
export const PERIODS = [7, 30, 90, 365, 1_825] as const;
export const DEFAULT_PERIOD = 365;
/** A permit reaches up to sensitive: core needs an ethics approval first. A denial may name every level. */
export const PERMITTED_LEVELS: readonly Level[] = ["public", "internal", "sensitive"];

/** What the form holds; a permit for one institution, or one role at it. */
export interface GrantChoice {
  readonly effect: "permit" | "deny";
  readonly member: MemberId | undefined;
  readonly role: Role | undefined;
  readonly purposes: readonly Purpose[];
  readonly categories: readonly Category[];
  readonly levels: readonly Level[];
  readonly days: number;
}

export const FIRST_CHOICE: GrantChoice = {
  effect: "permit",
  member: undefined,
  role: undefined,
  purposes: ["TREAT"],
  categories: [],
  levels: ["internal", "sensitive"],
  days: DEFAULT_PERIOD,
};

/** The first thing that a choice still lacks, or undefined. */
export type MissingChoice = "member" | "purposes" | "categories" | "levels";
export function missing({ member, purposes, categories, levels }: GrantChoice): MissingChoice | undefined {
  if (member === undefined) return "member";
  if (purposes.length === 0) return "purposes";
  if (categories.length === 0) return "categories";
  return levels.length === 0 ? "levels" : undefined;
}

/** The terms of a complete choice, from `now` on; undefined while something is missing. */
export function termsOf(choice: GrantChoice, now: number): DirectiveTerms | undefined {
  const { effect, member, role, purposes, categories, levels, days } = choice;
  if (missing(choice) !== undefined || member === undefined) return undefined;
  return {
    effect,
    grantees: [role === undefined ? { kind: "institution", member } : { kind: "role", member, role }],
    // In the order of the standard, so that the same choice always reads the same.
    purposes: PURPOSES.filter((purpose) => purposes.includes(purpose)),
    categories: CATEGORIES.filter((category) => categories.includes(category)),
    levels: [...levels],
    notBefore: now as UnixSeconds,
    notAfter: daysLater(now, days) as UnixSeconds,
  };
}

/** What narrowing may still choose from: nothing that the directive does not hold already. */
export interface NarrowingChoices {
  readonly grantees: readonly Grantee[];
  /** Roles to which the one institution that is named as a whole can be cut down. */
  readonly roles: readonly Role[];
  readonly purposes: readonly Purpose[];
  readonly categories: readonly Category[];
  readonly levels: readonly Level[];
  /** Days from now that end before the directive does. */
  readonly days: readonly number[];
}

/** Choices within `terms` at `now`. */
export function narrowingChoices(terms: DirectiveTerms, now: number): NarrowingChoices {
  const { grantees, purposes, categories, levels, notAfter } = terms;
  const [only, ...others] = grantees;
  return {
    grantees,
    roles: only?.kind === "institution" && others.length === 0 ? ROLES : [],
    purposes,
    categories,
    levels,
    days: [1, ...PERIODS].filter((days) => daysLater(now, days) < notAfter),
  };
}

/** What was chosen: parts that stay. */
export interface Narrowing {
  readonly grantees: readonly Grantee[];
  readonly role: Role | undefined;
  readonly purposes: readonly Purpose[];
  readonly categories: readonly Category[];
  readonly levels: readonly Level[];
  /** Undefined keeps the directive's end. */
  readonly days: number | undefined;
}

/** Everything stays. */
export const keepAll = ({ grantees, purposes, categories, levels }: DirectiveTerms): Narrowing => ({
  grantees,
  role: undefined,
  purposes,
  categories,
  levels,
  days: undefined,
});

/** The narrower terms, or why there are none: `nothing_left` of some part, or `unchanged`. */
export function narrowedTerms(
  terms: DirectiveTerms,
  { grantees, role, purposes, categories, levels, days }: Narrowing,
  now: number,
): DirectiveTerms | "nothing_left" | "unchanged" {
  if ([grantees, purposes, categories, levels].some((part) => part.length === 0)) return "nothing_left";
  const [only] = grantees;
  const narrowed: DirectiveTerms = {
    ...terms,
    grantees: role !== undefined && only?.kind === "institution" ? [{ kind: "role", member: only.member, role }] : [...grantees],
    purposes: [...purposes],
    categories: [...categories],
    levels: [...levels],
    notAfter: days === undefined ? terms.notAfter : (daysLater(now, days) as UnixSeconds),
  };
  // Each is within the other only if nothing was taken away.
  return firstWider(narrowed, terms) === undefined ? "unchanged" : narrowed;
}

/** The list without an element, or with it again, in the order of `all`. */
export const toggled = <T>(all: readonly T[], chosen: readonly T[], element: T): T[] =>
  all.filter((one) => (one === element ? !chosen.includes(one) : chosen.includes(one)));
