import assert from "node:assert/strict";
import { test } from "node:test";
import * as dagCbor from "@ipld/dag-cbor";
import fc from "fast-check";
import { equal } from "../src/bytes.ts";
import { decodePlain, encodePlain, GIVE_UP } from "../src/plain-cbor.ts";

const anyText = fc.oneof(
  { weight: 9, arbitrary: fc.string({ maxLength: 30 }) },
  { weight: 1, arbitrary: fc.string({ unit: "grapheme" }) },
);
const value = fc.letrec((tie) => ({
  node: fc.oneof(
    { depthSize: "small" },
    fc.maxSafeNat(),
    fc.constantFrom(0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER, -1, -0, 1.5),
    anyText,
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 300 }),
    fc.array(tie("node"), { maxLength: 5 }),
    fc.dictionary(
      fc.oneof(fc.string({ maxLength: 4 }), fc.constantFrom("__proto__", "/", "asCID", "bytes", "a", "b", "aa")),
      tie("node"),
      {
        maxKeys: 6,
        noNullPrototype: true,
      },
    ),
  ),
})).node;

/** What the library makes of bytes under the rule that only canonical ones have a value. */
function byLibrary(bytes: Uint8Array): { value: unknown } | undefined {
  try {
    const decoded = dagCbor.decode(bytes);
    return equal(dagCbor.encode(decoded), bytes) ? { value: decoded } : undefined;
  } catch {
    return undefined;
  }
}
const byLibraryEncoded = (one: unknown): Uint8Array | undefined => {
  try {
    return dagCbor.encode(one);
  } catch {
    return undefined;
  }
};

test("encodes as the library does, or gives up", () => {
  let encoded = 0;
  let gaveUp = 0;
  fc.assert(
    fc.property(value, (one) => {
      const plain = encodePlain(one);
      if (plain === GIVE_UP) gaveUp++;
      else {
        encoded++;
        // The library's long encodings are of another class, with the same bytes.
        assert.ok(equal(plain, byLibraryEncoded(one) ?? new Uint8Array(0)));
        assert.deepEqual(decodePlain(plain), one);
      }
    }),
    { numRuns: 3_000 },
  );
  assert.ok(encoded > 500 && gaveUp > 200, `${encoded} encoded, ${gaveUp} gave up`);
});

test("decodes what the library decodes to the same value, or gives up; never what the library refuses", () => {
  let decoded = 0;
  let gaveUp = 0;
  let refused = 0;
  const check = (bytes: Uint8Array): void => {
    const plain = decodePlain(bytes);
    const expected = byLibrary(bytes);
    if (plain === GIVE_UP) {
      if (expected === undefined) refused++;
      else gaveUp++;
      return;
    }
    decoded++;
    assert.ok(expected !== undefined, `decoded what is not canonical: ${Buffer.from(bytes).toString("hex")}`);
    assert.deepEqual(plain, expected.value);
  };
  fc.assert(
    fc.property(value, fc.nat(), fc.nat(255), fc.nat(), (one, place, byte, cut) => {
      const bytes = byLibraryEncoded(one);
      if (bytes === undefined) return;
      check(bytes);
      check(bytes.map((old, i) => (i === place % bytes.length ? byte : old)));
      check(bytes.slice(0, cut % (bytes.length + 1)));
      check(Uint8Array.from([...bytes, byte]));
      check(Uint8Array.from([...bytes.slice(0, place % bytes.length), byte, ...bytes.slice(place % bytes.length)]));
    }),
    { numRuns: 3_000 },
  );
  fc.assert(fc.property(fc.uint8Array({ maxLength: 12 }), check), { numRuns: 20_000 });
  assert.ok(decoded > 2_000 && gaveUp > 500 && refused > 5_000, `${decoded} decoded, ${gaveUp} gave up, ${refused} refused`);
});

test("every single byte, and every pair, is as the library has it", () => {
  for (let first = 0; first < 256; first++) {
    for (let second = -1; second < 256; second++) {
      const bytes = Uint8Array.from(second < 0 ? [first] : [first, second]);
      const plain = decodePlain(bytes);
      if (plain !== GIVE_UP) assert.deepEqual({ value: plain }, byLibrary(bytes));
    }
  }
});

test("gives up on what is no data: undefined, holes, dates, maps, classes, links, deep nests", () => {
  class Thing {
    readonly a = 1;
  }
  let nest: unknown = 1;
  for (let i = 0; i < 40; i++) nest = [nest];
  for (const one of [
    undefined,
    Object.assign([1], { length: 2 }),
    { a: undefined },
    new Date(0),
    new Map(),
    new Thing(),
    1n,
    NaN,
    Symbol("x"),
    () => 1,
    { "/": "link" },
    nest,
  ])
    assert.equal(encodePlain(one), GIVE_UP);
});

test("long values are whole, and bytes that were decoded are copies", () => {
  const long = { bytes: new Uint8Array(200_000).fill(7), list: Array.from({ length: 30_000 }, (_, i) => i) };
  const encoded = encodePlain(long) as Uint8Array;
  assert.ok(equal(encoded, dagCbor.encode(long)));
  const decoded = decodePlain(encoded) as typeof long;
  encoded.fill(0);
  assert.deepEqual(decoded, long);
});
