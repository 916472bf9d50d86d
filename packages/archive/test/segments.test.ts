/** Lists of segments from outside, and what part of a stream a range of a file takes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { FileEntry } from "../src/file-entry.ts";
import { MAX_UNIT_BYTES } from "../src/filter/predictor.ts";
import { FORETOLD, KEPT, SHRUNK } from "../src/filter/unit-codec.ts";
import { SegmentList, storedBytesOf } from "../src/segments.ts";
import { extentsOf } from "../src/selection.ts";
import { fault } from "./support/consortium.ts";

const samples = { sampleBytes: 2, row: 512, step: 1, signed: false };
const entry = (sizeBytes: number, segments?: number[]): FileEntry => ({
  path: "a",
  sizeBytes,
  digest: new Uint8Array(32),
  mediaType: "application/dicom",
  samples,
  ...(segments === undefined ? {} : { segments }),
});

test("a file's bytes in the stream are the sum of its segments", () => {
  assert.equal(storedBytesOf(entry(77)), 77);
  assert.equal(storedBytesOf(entry(1100, [KEPT, 100, 100, SHRUNK, 7, 1000])), 107);
});

const wrong: Record<string, [number, number[]]> = {
  "no segment": [0, []],
  "two numbers": [10, [SHRUNK, 5]],
  "an unknown method": [10, [3, 5, 10]],
  "kept and yet smaller": [10, [KEPT, 9, 10]],
  "shrunk and not smaller": [10, [SHRUNK, 10, 10]],
  "nothing stored": [10, [SHRUNK, 0, 10]],
  "nothing made of something": [0, [SHRUNK, 10, 0]],
  "more than a unit": [MAX_UNIT_BYTES + 1, [SHRUNK, 10, MAX_UNIT_BYTES + 1]],
  "half a sample": [11, [FORETOLD, 5, 11]],
  "more than the file": [10, [SHRUNK, 5, 11]],
  "less than the file": [12, [SHRUNK, 5, 11]],
  "sums beyond what a number counts": [
    Number.MAX_SAFE_INTEGER,
    [KEPT, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, KEPT, 2, 2],
  ],
};
for (const [what, [size, segments]] of Object.entries(wrong))
  test(`refuses ${what}`, () =>
    assert.throws(() => storedBytesOf(entry(size, segments)), fault("manifest_mismatch", { part: "segments" })));

test("refuses samples without their layout", () => {
  const { samples: _, ...bare } = entry(10, [FORETOLD, 5, 10]);
  assert.throws(() => storedBytesOf(bare), fault("manifest_mismatch", { part: "segments" }));
});

test("what is kept side by side is one segment, and a file that is only kept has none", () => {
  const list = new SegmentList();
  list.add(KEPT, 5, 5);
  list.add(KEPT, 6, 6);
  assert.equal(list.numbers, undefined);
  list.add(SHRUNK, 2, 9);
  list.add(KEPT, 1, 1);
  assert.deepEqual(list.numbers, [KEPT, 11, 11, SHRUNK, 2, 9, KEPT, 1, 1]);
  assert.equal(list.hasSamples, false);
});

test("the extents of any range give exactly its bytes, and of kept ones nothing else is read", () => {
  const segment = fc.tuple(fc.constantFrom(KEPT, SHRUNK), fc.integer({ min: 2, max: 50 }));
  fc.assert(
    fc.property(fc.array(segment, { minLength: 1, maxLength: 8 }), fc.nat(), fc.nat(), fc.nat(1000), (list, a, b, at) => {
      const segments = list.flatMap(([method, size]) => [method, method === KEPT ? size : size - 1, size]);
      const sizeBytes = list.reduce((sum, [, size]) => sum + size, 0);
      const file = { entry: entry(sizeBytes, segments), number: 0, at };
      const start = a % sizeBytes;
      const end = start + 1 + (b % (sizeBytes - start));
      const extents = extentsOf(file, { start, end });
      assert.equal(
        extents.reduce((sum, extent) => sum + extent.end - extent.start, 0),
        end - start,
      );
      for (const [i, { from, to, method, start: first, end: last, decodedBytes }] of extents.entries()) {
        assert.ok(from < to && (i === 0 ? from >= at : from >= extents[i - 1]!.to));
        assert.ok(first >= 0 && first < last && last <= decodedBytes);
        if (method === KEPT) assert.equal(to - from, last - first);
      }
      assert.equal(extentsOf(file).at(-1)!.to, at + storedBytesOf(file.entry));
    }),
  );
});
