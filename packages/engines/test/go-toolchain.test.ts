import assert from "node:assert/strict";
import { test } from "node:test";
import { isNewEnough } from "../src/go-toolchain.ts";

test("Go of the version asked for and newer will do, whatever the form of its version", () => {
  for (const version of ["1.25", "1.25.0", "1.26.8", "1.30rc1", "2.0"]) assert.ok(isNewEnough(version, [1, 25]), version);
  for (const version of ["1.24.9", "1.9", "0.30", "x"]) assert.ok(!isNewEnough(version, [1, 25]), version);
});
