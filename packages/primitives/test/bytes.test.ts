import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compare, concat, equal, fromBase64url, fromHex, toBase64url, toHex, utf8 } from "../src/bytes.ts";

const anyBytes = fc.uint8Array({ maxLength: 40 });

test("hex and base64url are those of the platform, and come back", () => {
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      assert.equal(toHex(bytes), Buffer.from(bytes).toString("hex"));
      assert.equal(toBase64url(bytes), Buffer.from(bytes).toString("base64url"));
      assert.deepEqual(fromHex(toHex(bytes)), bytes);
      assert.deepEqual(fromBase64url(toBase64url(bytes)), bytes);
    }),
  );
});

test("base64url has one spelling for each byte string", () => {
  let refused = 0;
  let accepted = 0;
  const symbols = fc.constantFrom(..."ABab09-_+/= ");
  fc.assert(
    fc.property(fc.array(symbols, { maxLength: 6 }), (drawn) => {
      const text = drawn.join("");
      try {
        assert.equal(toBase64url(fromBase64url(text)), text);
        accepted += 1;
      } catch (error) {
        assert.ok(error instanceof RangeError, String(error));
        refused += 1;
      }
    }),
    { numRuns: 500 },
  );
  assert.ok(accepted > 20 && refused > 20, `generator too narrow: ${accepted} accepted, ${refused} refused`);
  for (const text of ["A", "AB", "AAB", "AA==", "A A", "AA+A"]) assert.throws(() => fromBase64url(text), RangeError, text);
});

test("hex refuses odd lengths and other characters", () => {
  for (const text of ["0", "0g", "zz"]) assert.throws(() => fromHex(text), text);
});

test("compare orders as Buffer does, and equal agrees with it", () => {
  let same = 0;
  const short = fc.uint8Array({ maxLength: 2, max: 2 });
  fc.assert(
    fc.property(short, short, (a, b) => {
      assert.equal(Math.sign(compare(a, b)), Buffer.compare(a, b));
      assert.equal(equal(a, b), Buffer.compare(a, b) === 0);
      same += Number(equal(a, b));
    }),
    { numRuns: 500 },
  );
  assert.ok(same > 5 && same < 495, `generator too narrow: ${same} equal`);
});

test("concat joins and copies", () => {
  const first = utf8("杏");
  const joined = concat(first, new Uint8Array(), utf8("林"));
  assert.deepEqual(joined, utf8("杏林"));
  first.fill(0);
  assert.deepEqual(joined, utf8("杏林"));
});
