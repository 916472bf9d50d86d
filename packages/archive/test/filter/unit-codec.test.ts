/** A unit comes back as it was, by whichever method was smallest, and a hostile one takes no more than a unit's memory. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { constants, zstdCompressSync } from "node:zlib";
import { shrink, unshrink } from "../../src/filter/entropy.ts";
import { MAX_UNIT_BYTES, type SampleLayout } from "../../src/filter/predictor.ts";
import { FORETOLD, KEPT, SHRUNK, UnitCodec } from "../../src/filter/unit-codec.ts";
import { anatomy } from "../support/part10.ts";

const deep: SampleLayout = { sampleBytes: 2, row: 256, step: 1, signed: false };
const encode = (codec: UnitCodec, bytes: Uint8Array, samples?: SampleLayout) => {
  codec.unit(bytes.length).set(bytes);
  const { method, bytes: stored } = codec.encode(bytes.length, samples);
  return { method, stored: Buffer.from(stored) };
};

test("the method is the smallest of the three, and each is reversible", () => {
  const codec = new UnitCodec();
  const text = Buffer.from("OBX|1|NM|718-7^HGB^LN||13.2|g/dL\r".repeat(900));
  const cases = [
    [anatomy(256, 256, 7), deep, FORETOLD],
    [randomBytes(100_000), deep, KEPT],
    [randomBytes(3000), undefined, KEPT],
    [text, undefined, SHRUNK],
    [Buffer.concat([randomBytes(4096), Buffer.alloc(8192), randomBytes(4096)].flatMap((part) => [part, part])), deep, SHRUNK],
    [anatomy(256, 256, 9, true), { ...deep, signed: true }, FORETOLD],
  ] as const;
  for (const [i, [bytes, samples, expected]] of cases.entries()) {
    const { method, stored } = encode(codec, bytes, samples);
    assert.equal(method, expected, `case ${i}`);
    assert.ok(method === KEPT ? stored.equals(bytes) : stored.length < bytes.length);
    assert.equal(Buffer.compare(codec.decode(method, stored, bytes.length, samples)!, bytes), 0);
  }
  assert.equal(codec.failures, 0);
});

test("what does not decode to its length is nothing", () => {
  const codec = new UnitCodec();
  const bytes = anatomy(64, 64, 3);
  const { stored } = encode(codec, bytes, deep);
  const decode = (of: Uint8Array, length = bytes.length, samples: SampleLayout | undefined = deep) =>
    codec.decode(FORETOLD, of, length, samples);
  assert.notEqual(decode(stored), undefined);
  assert.equal(decode(stored, bytes.length - 2), undefined);
  assert.equal(decode(stored, bytes.length + 2), undefined);
  assert.equal(decode(stored, bytes.length, { ...deep, row: 2 ** 20 }), undefined);
  assert.equal(codec.decode(FORETOLD, stored, bytes.length), undefined, "samples of no layout");
  assert.equal(codec.decode(KEPT, stored, stored.length + 1), undefined);
  for (let cut = 0; cut < stored.length; cut += 97) assert.equal(decode(stored.subarray(0, cut)), undefined);
  assert.equal(decode(Buffer.concat([stored, stored])), undefined);
  assert.equal(decode(Buffer.concat([stored, Buffer.alloc(3)])), undefined);
  assert.equal(decode(randomBytes(100)), undefined);
  assert.equal(codec.decode(SHRUNK, shrink(new Uint8Array(2 * MAX_UNIT_BYTES)), 2 * MAX_UNIT_BYTES), undefined);
});

test("a bomb is defused: neither its length nor its window is believed", () => {
  const before = process.resourceUsage().maxRSS;
  assert.equal(unshrink(zstdCompressSync(Buffer.alloc(300_000_000)), 1000), undefined);
  const parts = [Buffer.alloc(500), Buffer.alloc(500)];
  const wide = Buffer.concat(parts);
  const params = { [constants.ZSTD_c_windowLog]: 27, [constants.ZSTD_c_contentSizeFlag]: 0 };
  assert.equal(unshrink(zstdCompressSync(wide, { params, chunkSize: 64 }), 1000)?.length ?? 1000, 1000);
  const grown = (process.resourceUsage().maxRSS - before) * 1024;
  assert.ok(grown < 400_000_000, `${grown} bytes more`); // the making of the bomb took 300 MB
});
