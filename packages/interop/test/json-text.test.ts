/** The JSON check agrees with the engine's parser on everything but what it is stricter about. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { elementsOf, membersOf, parseRange, skipSpace, splice } from "../src/fhir/json-ranges.ts";
import { findJsonProblem, MAX_JSON_DEPTH } from "../src/fhir/json-text.ts";
import { bytesOf } from "./examples.ts";

const codeOf = (text: string | Uint8Array): string | undefined =>
  findJsonProblem(typeof text === "string" ? bytesOf(text) : text)?.code;

const cases: readonly (readonly [string, string | Uint8Array, string | undefined])[] = [
  ["an object", '{"a":[1,-0.50e+2,true,false,null,"x"]}', undefined],
  ["white space around", ' \n{"a" : 1 }\r\t', undefined],
  ["an escaped pair of surrogates", '"\\ud83d\\ude00"', undefined],
  ["nothing", "", "not_json"],
  ["two values", "{} {}", "not_json"],
  ["a comma too many", '{"a":1,}', "not_json"],
  ["a missing colon", '{"a" 1}', "not_json"],
  ["a leading zero", "01", "not_json"],
  ["a lonely minus", "-", "not_json"],
  ["a number that ends in a point", "1.", "not_json"],
  ["NaN", "NaN", "not_json"],
  ["single quotes", "{'a':1}", "not_json"],
  ["a control character in a string", '"\u0001"', "not_json"],
  ["an unknown escape", '"\\x"', "not_json"],
  ["half of a surrogate pair", '"\\ud83d"', "not_json"],
  ["the second half first", '"\\ude00\\ud83d"', "not_json"],
  ["a string without an end", '"abc', "not_json"],
  ["an object without an end", '{"a":1', "not_json"],
  ["a comment", "{} // x", "not_json"],
  ["Latin-1 bytes", Uint8Array.of(0x22, 0xe9, 0x22), "not_utf8"],
  ["GB18030 bytes", Uint8Array.of(0x22, 0xcd, 0xf5, 0x22), "not_utf8"],
  ["a byte order mark", Uint8Array.of(0xef, 0xbb, 0xbf, 0x31), "byte_order_mark"],
  ["a name twice", '{"a":1,"a":1}', "duplicate_name"],
  ["a name twice, once escaped", '{"gender":1,"g\\u0065nder":1}', "duplicate_name"],
  ["a name twice further down", '[{"a":{"b":[{"c":1,"c":2}]}}]', "duplicate_name"],
  ["the same name in two objects", '[{"a":1},{"a":1}]', undefined],
  ["as deep as allowed", "[".repeat(MAX_JSON_DEPTH) + "]".repeat(MAX_JSON_DEPTH), undefined],
  ["one deeper", "[".repeat(MAX_JSON_DEPTH + 1) + "]".repeat(MAX_JSON_DEPTH + 1), "too_deep"],
  ["a million brackets", "[".repeat(1_000_000), "too_deep"],
];
for (const [name, text, code] of cases) test(`${code ?? "accepts"}: ${name}`, () => assert.equal(codeOf(text), code));

test("names the path of a name that stands twice", () => {
  const problem = findJsonProblem(bytesOf('{"a":[0,{"b":1,"b":2}]}'));
  assert.deepEqual(problem?.code === "duplicate_name" && problem.path, ["a", 1, "b"]);
});

test("decides as JSON.parse does on texts that were damaged at one place", () => {
  let accepted = 0;
  let refused = 0;
  const damaged = fc.tuple(fc.json(), fc.nat(), fc.constantFrom("", '"', "}", "]", ",", "\\", "1", "e", ".", "\u0000", "{"));
  fc.assert(
    fc.property(damaged, ([text, place, inserted]) => {
      const at = place % (text.length + 1);
      const input = inserted === "" ? text : text.slice(0, at) + inserted + text.slice(at + (place % 2));
      const code = codeOf(input);
      if (code === "duplicate_name") return true; // the one thing that JSON.parse lets pass
      try {
        JSON.parse(input);
      } catch {
        refused++;
        return code === "not_json";
      }
      accepted++;
      return code === undefined;
    }),
    { numRuns: 3_000 },
  );
  assert.ok(accepted > 200 && refused > 200, `generator too narrow: ${accepted} accepted, ${refused} refused`);
});

test("finds the parts of any text where the parser finds them", () => {
  let objects = 0;
  let lists = 0;
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), fc.constantFrom(undefined, 1, "\t"), (value, indent) => {
      const bytes = bytesOf(JSON.stringify(value, null, indent));
      const at = skipSpace(bytes, 0);
      if (Array.isArray(value)) {
        lists++;
        assert.deepEqual(
          elementsOf(bytes, at).map((range) => parseRange(bytes, range)),
          JSON.parse(JSON.stringify(value)),
        );
      } else if (typeof value === "object" && value !== null) {
        objects++;
        const parsed = Object.fromEntries(membersOf(bytes, at).map((member) => [member.name, parseRange(bytes, member)]));
        assert.deepEqual(parsed, JSON.parse(JSON.stringify(value)));
      }
    }),
    { numRuns: 1_000 },
  );
  assert.ok(objects > 100 && lists > 100, `generator too narrow: ${objects} objects, ${lists} lists`);
});

test("finds the end of long strings with escapes at any place", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom("x".repeat(40), '"', "\\", "\\\\", '\\"', "字"), { maxLength: 12 }), (parts) => {
      const value = [parts.join(""), 1];
      const bytes = bytesOf(value);
      return elementsOf(bytes, 0).length === 2;
    }),
  );
});

test("replaces ranges and keeps every other byte", () => {
  const bytes = bytesOf('{"a": 1.50 ,"b":2}');
  const b = membersOf(bytes, 0).find(({ name }) => name === "b");
  assert.ok(b);
  const out = splice(bytes, [
    { start: b.start, end: b.end, text: "三" },
    { start: 1, end: 1, text: '"c":0,' },
  ]);
  assert.equal(new TextDecoder().decode(out), '{"c":0,"a": 1.50 ,"b":三}');
});
