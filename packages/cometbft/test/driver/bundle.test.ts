import assert from "node:assert/strict";
import { test } from "node:test";
import { BUNDLE_OVERHEAD_BYTES, bundle, unbundle } from "../../src/driver/bundle.ts";

const transaction = (first: number, length: number): Uint8Array => new Uint8Array(length).fill(first);

test("what was bundled comes apart as it was, in copies; a lone transaction is taken as it is", () => {
  const all = [transaction(0xa2, 1), transaction(0xa3, 700), transaction(0xbf, 70_000)];
  const bytes = bundle(all, 4_294_967_295);
  assert.deepEqual(unbundle(bytes), all);
  assert.ok(unbundle(bytes).every(({ buffer, length }) => buffer.byteLength === length));
  assert.deepEqual(unbundle(all[1]!), [all[1]!]);
  assert.equal(bundle([all[1]!], 0).length, 700 + BUNDLE_OVERHEAD_BYTES);
});

test("the same transactions make another bundle each time: CometBFT takes nothing twice", () => {
  assert.notDeepEqual(bundle([transaction(0xa2, 9)], 1), bundle([transaction(0xa2, 9)], 2));
});

test("a bundle that is cut, empty or too long inside is malformed", () => {
  const bytes = bundle([transaction(0xa2, 10), transaction(0xa2, 10)], 7);
  for (let length = 1; length < bytes.length; length++)
    if (length !== 5 + 4 + 10) assert.throws(() => unbundle(bytes.subarray(0, length)), { code: "malformed" }, String(length));
  const lying = bytes.slice();
  lying[5] = 255;
  assert.throws(() => unbundle(lying), { code: "malformed" });
  assert.throws(() => unbundle(bundle([transaction(0xa2, 10), new Uint8Array(0)], 7)), { code: "malformed" });
});
