import assert from "node:assert/strict";
import { test } from "node:test";
import { BlockSize } from "../../src/driver/block-size.ts";

test("blocks shrink with what an operation takes, follow it back, and keep a least and a most", () => {
  const size = new BlockSize(1_000, 3_000);
  assert.equal(size.operations, 1_000);
  size.observe(5, 5_000); // too small to tell anything
  assert.equal(size.operations, 1_000);
  size.observe(1_000, 1_000);
  assert.equal(size.operations, 300);
  for (let i = 0; i < 30; i++) size.observe(300, 30_000);
  assert.equal(size.operations, 50);
  for (let i = 0; i < 60; i++) size.observe(50, 5);
  assert.equal(size.operations, 1_000);
});
