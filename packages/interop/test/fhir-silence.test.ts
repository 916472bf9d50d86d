/** No finding repeats a value from the input, wherever the input is damaged. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { checkBundleBytes, checkResourceBytes } from "../src/fhir/check-bundle.ts";
import { rejectionFault } from "../src/fhir/validate.ts";
import { bytesOf, example, exampleNames } from "./examples.ts";

const MARK = "王小明Zx9Q";

/** Replaces the value, or the name, at a random place of a resource by one that carries the mark. */
function damage(value: unknown, place: number, rename: boolean): unknown {
  const places: { holder: Record<string, unknown>; name: string }[] = [];
  const walk = (holder: unknown): void => {
    if (typeof holder !== "object" || holder === null) return;
    for (const name of Object.keys(holder)) {
      places.push({ holder: holder as Record<string, unknown>, name });
      walk((holder as Record<string, unknown>)[name]);
    }
  };
  const copy = structuredClone(value);
  walk(copy);
  const spot = places[place % places.length];
  assert.ok(spot);
  const { holder, name } = spot;
  if (!rename || Array.isArray(holder)) {
    const shapes = [MARK, [MARK], { [MARK]: MARK }, { reference: MARK, coding: MARK }, `${MARK}/${MARK}`, { value: MARK }];
    holder[name] = shapes[place % shapes.length];
  } else {
    holder[MARK] = holder[name];
    delete holder[name];
  }
  return copy;
}

test("a value or a name put anywhere into a published example never comes back in a finding", () => {
  const names = exampleNames("fhir/published").filter((name) => !name.startsWith("bundle"));
  let refused = 0;
  let accepted = 0;
  fc.assert(
    fc.property(fc.constantFrom(...names), fc.nat(100_000), fc.boolean(), (name, place, rename) => {
      const original: unknown = JSON.parse(new TextDecoder().decode(example(`fhir/published/${name}`)));
      const { issues, more } = checkResourceBytes(bytesOf(damage(original, place, rename)));
      if (issues.length === 0) accepted++;
      else refused++;
      const told = JSON.stringify(issues) + (issues.length > 0 ? rejectionFault({ issues, more }).message : "");
      return !told.includes("Zx9Q") && !told.includes("王");
    }),
    { numRuns: 1_500 },
  );
  assert.ok(refused > 300 && accepted > 50, `generator too narrow: ${refused} refused, ${accepted} accepted`);
});

test("nor in a finding on a Bundle", () => {
  const original: unknown = JSON.parse(new TextDecoder().decode(example("fhir/record.json")));
  let refused = 0;
  fc.assert(
    fc.property(fc.nat(100_000), fc.boolean(), (place, rename) => {
      const { issues } = checkBundleBytes(bytesOf(damage(original, place, rename))).issues;
      refused += Number(issues.length > 0);
      const told = JSON.stringify(issues);
      return !told.includes("Zx9Q") && !told.includes("王");
    }),
    { numRuns: 150 },
  );
  assert.ok(refused > 50, `generator too narrow: ${refused} refused`);
});

test("bytes damaged anywhere never throw", () => {
  const original = example("fhir/record.json");
  fc.assert(
    fc.property(fc.nat(original.length - 1), fc.nat(255), fc.nat(3), (at, byte, cut) => {
      const bytes = cut === 0 ? original.slice(0, at) : Uint8Array.from(original);
      if (cut !== 0) bytes[at] = byte;
      checkBundleBytes(bytes);
    }),
    { numRuns: 150 },
  );
});
