/** The predictor against its definition, and back. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fits, MAX_ROW_BYTES, MAX_UNIT_BYTES, Predictor, type SampleLayout } from "../../src/filter/predictor.ts";

const layouts = fc
  .record({
    sampleBytes: fc.constantFrom(1, 2),
    step: fc.integer({ min: 1, max: 4 }),
    columns: fc.integer({ min: 1, max: 70 }),
    signed: fc.boolean(),
  })
  .map(({ sampleBytes, step, columns, signed }): SampleLayout => ({ sampleBytes, step, row: columns * step, signed }));

/** Median of left, above and left + above - corner, one sample at a time; zeros stand before the image. */
function slowly({ sampleBytes, row, step, signed }: SampleLayout, image: Uint8Array): Buffer {
  const bits = 8 * sampleBytes;
  const count = image.length / sampleBytes;
  const raw = (i: number): number => (i < 0 ? 0 : sampleBytes === 1 ? image[i]! : image[2 * i]! | (image[2 * i + 1]! << 8));
  const value = (i: number): number => (signed && raw(i) >> (bits - 1) === 1 ? raw(i) - 2 ** bits : raw(i));
  const out = Buffer.alloc(image.length);
  for (let i = 0; i < count; i++) {
    const [a, b, c] = [value(i - step), value(i - row), value(i - row - step)];
    const [, foretold] = [a, b, a + b - c].sort((x, y) => x - y);
    const difference = ((value(i) - foretold!) << (32 - bits)) >> (32 - bits);
    const folded = difference >= 0 ? 2 * difference : -2 * difference - 1;
    if (sampleBytes === 1) out[i] = folded;
    else {
      out[i] = folded >> 8;
      out[count + i] = folded & 0xff;
    }
  }
  return out;
}

test("differences are those of the definition, and give the samples back, whatever these are", () => {
  const predictor = new Predictor();
  let wide = 0;
  fc.assert(
    fc.property(
      layouts,
      fc.uint8Array({ minLength: 2, maxLength: 1200, size: "max" }),
      fc.boolean(),
      (layout, bytes, extreme) => {
        const image = bytes.subarray(0, bytes.length & ~1).map((byte) => (extreme ? (byte & 1) * 255 : byte));
        predictor.samples.set(image);
        const differences = Buffer.from(predictor.foretell(layout, 0, image.length));
        assert.equal(Buffer.compare(differences, slowly(layout, image)), 0);
        predictor.restored.fill(0xaa, 0, image.length);
        predictor.differences.set(differences);
        assert.equal(Buffer.compare(predictor.restore(layout, image.length), image), 0);
        wide += Number(image.length >= 64);
      },
    ),
    { numRuns: 1000 },
  );
  assert.ok(wide > 300, `generator too narrow: ${wide}`);
});

test("a band of an image is foretold from what stands before it", () => {
  const predictor = new Predictor();
  const layout = { sampleBytes: 2, row: 8, step: 1, signed: false };
  const image = Uint8Array.from({ length: 160 }, (_, i) => (i % 2 === 0 ? 5 : 1));
  predictor.samples.set(image);
  assert.deepEqual(new Uint8Array(predictor.foretell(layout, 64, 128)), new Uint8Array(64));
});

test("layouts that would reach beyond the memory do not fit", () => {
  const layout = { sampleBytes: 2, row: 512, step: 1, signed: false };
  assert.equal(fits(layout, MAX_UNIT_BYTES), true);
  for (const [wrong, length] of [
    [{ row: 0 }, 2],
    [{ row: MAX_ROW_BYTES / 2 + 1 }, 2],
    [{ step: 0 }, 2],
    [{ step: 513 }, 2],
    [{ sampleBytes: 4 }, 4],
    [{ sampleBytes: 0 }, 4],
    [{}, 0],
    [{}, 3],
    [{}, MAX_UNIT_BYTES + 2],
  ] as const)
    assert.equal(fits({ ...layout, ...wrong }, length), false, JSON.stringify(wrong));
  assert.throws(() => new Predictor().restore({ ...layout, step: 600 }, 4), /fits the unit/);
});
