/** Tables of refusals: one row a code, checked for the code, its facts, and that a refusal changes nothing. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type OperationName, type Outcome, REFUSAL_FACTS, type RefusalCode, refusalCodesOf } from "../../src/index.ts";
import { writeVectors } from "./vectors.ts";

/** Registers one test a row, and yields the rows and the `accepted` cases as vectors. `table` is typed by the rule's refusal union, so that a code without its row does not compile. */
export function testRefusals(
  name: OperationName,
  table: Readonly<Record<string, Outcome>>,
  accepted: Readonly<Record<string, Outcome>>,
): void {
  writeVectors(name, { ...accepted, ...table });
  for (const [what, outcome] of Object.entries(accepted))
    test(`${name} accepts ${what}`, () => assert.ok(outcome.ok, codeOf(outcome)));
  for (const [code, outcome] of Object.entries(table))
    test(`${name} refuses with ${code}`, () => {
      assert.ok(!outcome.ok, "was accepted");
      assert.equal(outcome.refusal.code, code);
      assert.deepEqual(Object.keys(outcome.refusal.facts).sort(), [...REFUSAL_FACTS[code as RefusalCode]].sort());
    });
  test(`${name}: the catalogue lists exactly these codes`, () => {
    assert.deepEqual(Object.keys(table).sort(), [...refusalCodesOf(name)].sort());
  });
}

/** The code of a refusal, or "accepted". */
export const codeOf = (outcome: Outcome): string => (outcome.ok ? "accepted" : outcome.refusal.code);
