/** Where pixels are found, in real files and in made ones, and that odd ones are let alone. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { readPart10 } from "../../src/filter/part10.ts";
import { anatomy, EXPLICIT, element, IMPLICIT, part10 } from "../support/part10.ts";

const examples = fileURLToPath(new URL("../../../../examples/dicom", import.meta.url));
const real = (name: string): Buffer => readFileSync(join(examples, name));
const read = (file: Uint8Array) => readPart10(file, file.length);

const expected: Record<string, string> = {
  "693_J2KI.dcm": "opaque", // JPEG 2000
  "CT_small.dcm": "pixels 128 × 128 × 1, 2 bytes signed",
  "MR_small.dcm": "pixels 64 × 64 × 1, 2 bytes signed",
  "MR_small_RLE.dcm": "opaque",
  "MR_small_bigendian.dcm": "opaque",
  "MR_small_implicit.dcm": "pixels 64 × 64 × 1, 2 bytes signed",
  "MR_small_jp2klossless.dcm": "opaque",
  "MR_truncated.dcm": "opaque", // fewer pixels than it says
  "image_dfl.dcm": "opaque", // deflated
  "meta_missing_tsyntax.dcm": "opaque",
  "no_meta_group_length.dcm": "plain",
  "reportsi.dcm": "plain",
  "rtplan.dcm": "plain",
};
for (const [name, kind] of Object.entries(expected))
  test(`${name}: ${kind}`, () => {
    const found = read(real(name));
    if (found.kind !== "pixels") return assert.equal(found.kind, kind);
    const { frames, rows, row, sampleBytes, signed } = found.pixels;
    assert.equal(`pixels ${row} × ${rows} × ${frames}, ${sampleBytes} bytes ${signed ? "signed" : "unsigned"}`, kind);
  });

test("an instance is known by its identifiers, compressed or not", () => {
  for (const name of ["CT_small.dcm", "MR_small_implicit.dcm", "693_J2KI.dcm", "MR_small_RLE.dcm", "reportsi.dcm"]) {
    const { study, series, instance } = read(real(name)).identity;
    for (const uid of [study, series, instance]) assert.match(uid ?? "none", /^[0-9.]+$/, name);
  }
  assert.deepEqual(read(real("image_dfl.dcm")).identity, {});
});

test("pixels are found behind sequences, of known length or not", () => {
  const end = Uint8Array.of(0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0);
  const inner = element(0x0028_0010, "US", Uint8Array.of(9, 0));
  const item = (content: Uint8Array, open: boolean): Buffer =>
    open
      ? Buffer.concat([element(0xfffe_e000, "", content, false, 0xffff_ffff), Uint8Array.of(0xfe, 0xff, 0x0d, 0xe0, 0, 0, 0, 0)])
      : element(0xfffe_e000, "", content, false);
  const pixels = anatomy(16, 16, 1);
  for (const open of [true, false]) {
    const nested = element(0x0040_0275, "SQ", Buffer.concat([item(inner, open), end]), true, 0xffff_ffff);
    const more = element(0x5200_9229, "SQ", Buffer.concat([item(Buffer.concat([inner, nested]), open), end]), true, 0xffff_ffff);
    const file = part10({ pixels, more });
    const found = read(file);
    assert.equal(found.kind === "pixels" && found.pixels.rows, 16, "the numbers of nested elements are another image's");
    assert.equal(found.kind === "pixels" && found.pixels.at, file.length - pixels.length);
  }
  const deep = (levels: number): Buffer =>
    levels === 0
      ? Buffer.alloc(0)
      : element(0x0040_0275, "SQ", Buffer.concat([item(deep(levels - 1), true), end]), true, 0xffff_ffff);
  assert.equal(read(part10({ pixels, more: deep(20) })).kind, "pixels");
  assert.equal(read(part10({ pixels, more: deep(60) })).kind, "opaque");
});

test("colour, planes, frames and tails", () => {
  const found = (file: Parameters<typeof part10>[0]) => {
    const read_ = read(part10(file));
    return read_.kind === "pixels" ? read_.pixels : read_.kind;
  };
  const layout = (file: Parameters<typeof part10>[0]) => {
    const { at: _, ...pixels } = found(file) as { at: number };
    return pixels;
  };
  const rgb = { channels: 3, bits: 8, pixels: new Uint8Array(16 * 16 * 3) };
  assert.deepEqual(layout({ ...rgb, planar: 0 }), { frames: 1, rows: 16, row: 48, step: 3, sampleBytes: 1, signed: false });
  assert.deepEqual(layout({ ...rgb, planar: 1 }), { frames: 1, rows: 48, row: 16, step: 1, sampleBytes: 1, signed: false });
  const many = { frames: 3, pixels: new Uint8Array(3 * 512), tail: element(0xfffc_fffc, "OB", new Uint8Array(6)) };
  assert.deepEqual(layout(many), { frames: 3, rows: 16, row: 16, step: 1, sampleBytes: 2, signed: false });
  assert.equal(found({ bits: 32, pixels: new Uint8Array(1024) }), "plain");
  assert.equal(found({ bits: 1, pixels: new Uint8Array(32) }), "plain");
  assert.equal(found({ rows: 0, pixels: new Uint8Array(0) }), "opaque");
  assert.equal(found({ frames: 2, pixels: new Uint8Array(512) }), "opaque");
  assert.equal(found({ channels: 5, pixels: new Uint8Array(5 * 512) }), "opaque");
});

test("a beginning that ends before the pixels asks for more, until it is enough", () => {
  for (const syntax of [EXPLICIT, IMPLICIT]) {
    const file = part10({
      syntax,
      pixels: anatomy(16, 16, 1),
      more: element(0x0009_1001, "UN", new Uint8Array(3000), syntax === EXPLICIT),
    });
    const kinds = new Set<string>();
    for (let length = 140; length <= file.length; length += 13) kinds.add(readPart10(file.subarray(0, length), file.length).kind);
    assert.deepEqual([...kinds], ["more", "pixels"]);
    for (let length = 0; length < file.length; length += 7) assert.notEqual(read(file.subarray(0, length)).kind, "pixels");
  }
});

test("no bytes make it throw, or find pixels outside the file", () => {
  const seeds = [
    ...readdirSync(examples)
      .filter((name) => name.endsWith(".dcm"))
      .map(real),
    part10({ pixels: anatomy(16, 16, 2) }),
  ];
  let found = 0;
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 });
  fc.assert(
    fc.property(fc.constantFrom(...seeds), changes, fc.nat(), (seed, bytes, cut) => {
      const file = Buffer.from(seed);
      const near = Math.min(file.length, 3000); // most of a header
      for (const [at, byte] of bytes) file[at % near] = byte;
      const size = cut % 5 === 0 ? cut % file.length : file.length;
      const read_ = readPart10(file.subarray(0, size), size);
      if (read_.kind !== "pixels") return;
      found++;
      const { at, frames, rows, row, sampleBytes } = read_.pixels;
      assert.ok(at + frames * rows * row * sampleBytes <= size);
    }),
    { numRuns: 5000 },
  );
  assert.ok(found > 200, `generator too wild: ${found}`);
});
