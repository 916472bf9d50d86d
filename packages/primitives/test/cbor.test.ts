import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decode, encode } from "../src/cbor.ts";
import { Fault } from "../src/fault.ts";

const bytesOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, "hex"));
const refused =
  (reason: string) =>
  (error: unknown): boolean =>
    error instanceof Fault && error.code === "malformed" && error.facts.reason === reason;

const value = fc.letrec((tie) => ({
  node: fc.oneof(
    { depthSize: "small" },
    fc.maxSafeInteger(),
    fc.string({ unit: "grapheme" }),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 8 }),
    fc.array(tie("node"), { maxLength: 4 }),
    fc.dictionary(fc.string({ minLength: 1, maxLength: 3 }), tie("node"), { maxKeys: 4, noNullPrototype: true }),
  ),
})).node;

test("what is encoded comes back, in one encoding whatever the order of keys", () => {
  fc.assert(fc.property(value, (one) => assert.deepEqual(encode(decode(encode(one), 100_000)), encode(one))));
  assert.deepEqual(encode({ b: 1, a: 2 }), encode({ a: 2, b: 1 }));
  assert.deepEqual(decode(encode({ list: [1, -1, "杏", bytesOf("00ff"), null, true] }), 100), {
    list: [1, -1, "杏", bytesOf("00ff"), null, true],
  });
});

// Each is well-formed CBOR, or nearly, and none is the canonical encoding of its value (RFC 8949, section 4.2; DAG-CBOR, "Strictness").
const NON_CANONICAL: Record<string, [hex: string, reason: string]> = {
  "an integer in more bytes than it needs": ["1801", "not_dag_cbor"],
  "a length in more bytes than it needs": ["580100", "not_dag_cbor"],
  "keys out of order": ["a2616201616102", "not_canonical"],
  "a key twice": ["a2616101616102", "not_dag_cbor"],
  "an indefinite list": ["9fff", "not_dag_cbor"],
  "a half float": ["f93c00", "not_canonical"],
  undefined: ["f7", "not_canonical"],
  "an unknown tag": ["c100", "not_dag_cbor"],
  "bytes after the end": ["0101", "not_dag_cbor"],
  "less than it says": ["4401", "not_dag_cbor"],
  nothing: ["", "not_dag_cbor"],
};
for (const [name, [hex, reason]] of Object.entries(NON_CANONICAL))
  test(`refuses ${name}`, () => {
    assert.throws(() => decode(bytesOf(hex), 100), refused(reason));
  });

test("refuses what is longer than the caller takes, before decoding it", () => {
  const bytes = encode("x".repeat(20));
  assert.equal(decode(bytes, bytes.length), "x".repeat(20));
  assert.throws(() => decode(bytes, bytes.length - 1), refused("too_long"));
});

test("no flipped bit gives the same value", () => {
  const bytes = encode({ patient: "p", classes: [1, 2], salt: bytesOf("0011223344556677") });
  let malformed = 0;
  let different = 0;
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = bytes.slice();
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    try {
      assert.notDeepEqual(decode(flipped, 1_000), decode(bytes, 1_000));
      different += 1;
    } catch (error) {
      assert.ok(error instanceof Fault, String(error));
      malformed += 1;
    }
  }
  assert.ok(malformed > 10 && different > 10, `${malformed} malformed, ${different} different`);
});
