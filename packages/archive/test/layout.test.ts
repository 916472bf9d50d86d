/** Geometry of objects: chunk sizes, stripes, slots. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  CHUNK_BYTES,
  chunkBytesFor,
  columnOf,
  DEFAULT_CODE,
  layoutFor,
  MAX_STRIPES,
  packBytesOf,
  sizeClassOf,
  slotOf,
} from "../src/layout.ts";
import { fault } from "./support/consortium.ts";

const stripe = CHUNK_BYTES * 10;

test("chunks have full size from one stripe on and shrink below it", () => {
  assert.equal(chunkBytesFor(stripe, 10), CHUNK_BYTES);
  assert.equal(chunkBytesFor(stripe * 50, 10), CHUNK_BYTES);
  assert.equal(chunkBytesFor(2_293_760, 10), 229_376); // steps of 16,384 from 131,072 on
  assert.equal(chunkBytesFor(2_293_761, 10), 245_760);
  assert.equal(chunkBytesFor(1_310_720, 10), 131_072);
  assert.equal(chunkBytesFor(1_310_721, 10), 131_072 + 16_384);
  assert.equal(chunkBytesFor(1, 10), 1024);
  assert.equal(chunkBytesFor(10_240, 10), 1024);
  assert.equal(chunkBytesFor(10_241, 10), 1024 + 128);
});

test("an object fits its layout with at most an eighth of padding, and a small one takes one stripe", () => {
  let small = 0;
  let large = 0;
  fc.assert(
    fc.property(fc.oneof(fc.integer({ min: 1, max: stripe }), fc.integer({ min: 1, max: 40 * stripe })), (sizeBytes) => {
      const layout = layoutFor(sizeBytes, DEFAULT_CODE);
      const capacity = layout.chunkBytes * 10 * layout.stripes;
      assert.equal(layout.chunkBytes % 16, 0);
      assert.ok(capacity >= sizeBytes);
      if (sizeBytes <= stripe) {
        small++;
        assert.equal(layout.stripes, 1);
        if (sizeBytes > 10_240) assert.ok(capacity <= sizeBytes * 1.125 + 1600, `${sizeBytes} takes ${capacity}`);
      } else {
        large++;
        assert.ok(capacity - sizeBytes < stripe);
      }
      assert.equal(packBytesOf(layout), layout.stripes * (layout.chunkBytes + 16));
    }),
  );
  assert.ok(small > 20 && large > 20);
});

test("every slot holds each column in turn, and slot and column are inverse", () => {
  const layout = { code: DEFAULT_CODE };
  for (let slot = 0; slot < 14; slot++) {
    const columns = Array.from({ length: 14 }, (_, s) => columnOf(layout, s, slot));
    assert.equal(new Set(columns).size, 14);
    for (const [s, column] of columns.entries()) assert.equal(slotOf(layout, s, column), slot);
  }
});

test("an object beyond the bound of stripes is refused", () => {
  assert.equal(layoutFor(stripe * MAX_STRIPES, DEFAULT_CODE).stripes, MAX_STRIPES);
  assert.throws(() => layoutFor(stripe * MAX_STRIPES + 1, DEFAULT_CODE), fault("object_too_large"));
});

test("the size class is the bit length", () => {
  for (const [size, bits] of [
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 3],
    [2 ** 40 - 1, 40],
    [2 ** 40, 41],
    [2 ** 53 - 1, 53],
  ] as const)
    assert.equal(sizeClassOf(size), bits, `${size}`);
});
