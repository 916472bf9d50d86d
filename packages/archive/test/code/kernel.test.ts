/** The committed kernel is what its source compiles to. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { compileKernel } from "../../kernel/build.ts";
import { kernelBase64 } from "../../src/code/kernel.generated.ts";

test("compiling the kernel again gives the committed bytes", async () => {
  assert.equal(Buffer.from(await compileKernel()).toString("base64"), kernelBase64);
});
