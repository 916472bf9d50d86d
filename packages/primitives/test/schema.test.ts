import assert from "node:assert/strict";
import { test } from "node:test";
import { Fault } from "../src/fault.ts";
import { actorId, height, memberId, recordId, unixSeconds } from "../src/ids.ts";
import { bool, bytes, list, object, oneOf, optional, type Schema, text, uint, variant } from "../src/schema.ts";

const shape = object({
  name: text(3, /^[a-z]+$/),
  sizes: list(uint(10, 1), 2, 1),
  salt: optional(bytes(2)),
});
const operation = variant("type", { grant: object({ to: memberId }), revoke: object({ done: bool }) });

const accepted: [name: string, schema: Schema<unknown>, value: unknown][] = [
  ["an object", shape, { name: "abc", sizes: [1, 10], salt: new Uint8Array(2) }],
  ["an object without its optional element", shape, { name: "a", sizes: [1] }],
  ["a variant", operation, { type: "grant", to: "hospital-a" }],
  ["bytes in a range", bytes(1, 3), new Uint8Array(3)],
  ["one of a list", oneOf("a", "b"), "b"],
  ["a member", memberId, "hospital-a"],
  ["an actor of 32 digits", actorId, "0123456789abcdef0123456789abcdef"],
  ["an actor that is a member", actorId, "commission"],
  ["the last second of 9999", unixSeconds, 253_402_300_799],
];
for (const [name, schema, value] of accepted)
  test(`accepts ${name}`, () => {
    assert.deepEqual(schema.parse(value), value);
  });

const refused: [name: string, schema: Schema<unknown>, value: unknown, element: string][] = [
  ["text that is too long", shape, { name: "abcd", sizes: [1] }, "/name"],
  ["empty text", shape, { name: "", sizes: [1] }, "/name"],
  ["text of other characters", shape, { name: "a1", sizes: [1] }, "/name"],
  ["a number for text", shape, { name: 1, sizes: [1] }, "/name"],
  ["a list below its bound", shape, { name: "a", sizes: [] }, "/sizes"],
  ["a list above its bound", shape, { name: "a", sizes: [1, 1, 1] }, "/sizes"],
  ["no list", shape, { name: "a", sizes: { length: 1 } }, "/sizes"],
  ["an element of a list", shape, { name: "a", sizes: [1, 11] }, "/sizes/1"],
  ["an integer below its bound", shape, { name: "a", sizes: [0] }, "/sizes/0"],
  ["a float", shape, { name: "a", sizes: [1.5] }, "/sizes/0"],
  ["minus zero", uint(), -0, "/"],
  ["what a float cannot hold exactly", uint(), 2 ** 53, "/"],
  ["a bigint", uint(), 1n, "/"],
  ["not a number", uint(), Number.NaN, "/"],
  ["bytes of another length", shape, { name: "a", sizes: [1], salt: new Uint8Array(3) }, "/salt"],
  ["a list for bytes", bytes(2), [1, 2], "/"],
  ["an optional element that is undefined", shape, { name: "a", sizes: [1], salt: undefined }, "/salt"],
  ["an optional element that is null", shape, { name: "a", sizes: [1], salt: null }, "/salt"],
  ["an unknown element", shape, { name: "a", sizes: [1], more: 1 }, "/(unknown)"],
  ["a missing element", shape, { name: "a" }, "/sizes"],
  ["null for an object", shape, null, "/"],
  ["a list for an object", shape, [], "/"],
  ["bytes for an object", shape, new Uint8Array(1), "/"],
  ["an unknown variant", operation, { type: "seize" }, "/type"],
  ["a variant named after a member of every object", operation, { type: "constructor" }, "/type"],
  ["a variant without its tag", operation, { to: "hospital-a" }, "/type"],
  ["a variant with another's elements", operation, { type: "grant", done: true }, "/(unknown)"],
  ["a variant that is no object", operation, "grant", "/"],
  ["a word for true", bool, "true", "/"],
  ["none of a list", oneOf("a", "b"), "c", "/"],
  ["a member with a capital", memberId, "Hospital", "/"],
  ["a member that starts with a digit", memberId, "1a", "/"],
  ["a record of 31 digits", recordId, "0".repeat(31), "/"],
  ["a record in capitals", recordId, "A".repeat(32), "/"],
  ["a height below zero", height, -1, "/"],
  ["a second after 9999", unixSeconds, 253_402_300_800, "/"],
];
for (const [name, schema, value, element] of refused)
  test(`refuses ${name}, and names the element`, () => {
    assert.throws(
      () => schema.parse(value),
      (error: unknown) => error instanceof Fault && error.code === "malformed" && error.facts.element === element,
    );
  });

test("an object does not take elements from its prototype", () => {
  const inherited = Object.create({ name: "abc", sizes: [1] }) as object;
  assert.throws(() => shape.parse(inherited), Fault);
});

test("an object drops nothing and shares nothing with its input but what it holds", () => {
  const input = { name: "a", sizes: [1] };
  const output = shape.parse(input);
  input.sizes.push(99);
  assert.deepEqual(output, { name: "a", sizes: [1] });
});
