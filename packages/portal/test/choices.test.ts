import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CATEGORIES,
  type DirectiveTerms,
  directiveTerms,
  firstWider,
  type Grantee,
  LEVELS,
  PURPOSES,
  ROLES,
} from "@xinglin/contracts";
import type { MemberId, UnixSeconds } from "@xinglin/primitives";
import fc from "fast-check";
import {
  FIRST_CHOICE,
  type GrantChoice,
  keepAll,
  missing,
  type Narrowing,
  narrowedTerms,
  narrowingChoices,
  PERMITTED_LEVELS,
  termsOf,
  toggled,
} from "../src/consents/choices.ts";
import { daysLater } from "../src/text/time.ts";

const NOW = 1_800_000_000;
const member = "hospital-b" as MemberId;
const whole: GrantChoice = { ...FIRST_CHOICE, member, categories: ["imaging", "laboratory"] };

test("a grant says what is still missing, and a whole one gives terms that the chain takes", () => {
  assert.equal(missing(FIRST_CHOICE), "member");
  assert.equal(missing({ ...whole, purposes: [] }), "purposes");
  assert.equal(missing({ ...whole, categories: [] }), "categories");
  assert.equal(missing({ ...whole, levels: [] }), "levels");
  assert.equal(termsOf({ ...whole, levels: [] }, NOW), undefined);
  const terms = termsOf(whole, NOW);
  assert.deepEqual(directiveTerms.parse(terms), terms);
  assert.deepEqual(terms?.categories, ["laboratory", "imaging"], "in the order of the standard, however they were tapped");
  assert.equal(terms?.notAfter, daysLater(NOW, 365));
  assert.deepEqual(termsOf({ ...whole, role: "doctor" }, NOW)?.grantees, [{ kind: "role", member, role: "doctor" }]);
});

test("a permit never offers core", () => {
  assert.ok(!PERMITTED_LEVELS.includes("core"));
});

const grantee: fc.Arbitrary<Grantee> = fc.oneof(
  fc.constantFrom("hospital-a", "hospital-b").map((id) => ({ kind: "institution" as const, member: id as MemberId })),
  fc.constantFrom(...ROLES).map((role) => ({ kind: "role" as const, member, role })),
);
const some = <T>(all: readonly T[]) => fc.subarray([...all], { minLength: 1 });
const anyTerms: fc.Arbitrary<DirectiveTerms> = fc.record({
  effect: fc.constant("permit" as const),
  grantees: fc.uniqueArray(grantee, { minLength: 1, maxLength: 3, selector: (one) => JSON.stringify(one) }),
  purposes: some(PURPOSES),
  categories: some(CATEGORIES),
  levels: some(LEVELS),
  notBefore: fc.constant((NOW - 100) as UnixSeconds),
  notAfter: fc.integer({ min: 1, max: 2_000 }).map((days) => daysLater(NOW, days) as UnixSeconds),
});

test("whatever is chosen when narrowing, the chain would take it as narrower", () => {
  const outcomes = { narrower: 0, unchanged: 0, nothing_left: 0 };
  fc.assert(
    fc.property(anyTerms, fc.infiniteStream(fc.boolean()), fc.nat(), (terms, coins, pick) => {
      const choices = narrowingChoices(terms, NOW);
      const keep = <T>(all: readonly T[]): T[] => all.filter(() => coins.next().value === true || coins.next().value === true);
      const narrowing: Narrowing = {
        grantees: keep(choices.grantees),
        role: pick % 3 === 0 ? choices.roles[pick % Math.max(1, choices.roles.length)] : undefined,
        purposes: keep(choices.purposes),
        categories: keep(choices.categories),
        levels: keep(choices.levels),
        days: pick % 2 === 0 ? choices.days[pick % Math.max(1, choices.days.length)] : undefined,
      };
      const narrowed = narrowedTerms(terms, narrowing, NOW);
      if (typeof narrowed === "string") outcomes[narrowed] += 1;
      else {
        outcomes.narrower += 1;
        assert.equal(firstWider(terms, narrowed), undefined);
        assert.notEqual(firstWider(narrowed, terms), undefined, "something was taken away");
        assert.ok(narrowed.notAfter > NOW);
      }
      assert.equal(narrowedTerms(terms, keepAll(terms), NOW), "unchanged");
    }),
    { numRuns: 1_000 },
  );
  assert.ok(outcomes.narrower > 100 && outcomes.nothing_left > 100, JSON.stringify(outcomes));
});

test("a box that is tapped twice is as before, and order stays that of the whole", () => {
  const all = ["a", "b", "c"];
  assert.deepEqual(toggled(all, ["c"], "a"), ["a", "c"]);
  assert.deepEqual(toggled(all, toggled(all, ["c"], "a"), "a"), ["c"]);
});
