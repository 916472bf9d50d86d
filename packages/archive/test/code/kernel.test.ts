/** The committed kernels are what their sources compile to. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { compileKernel } from "../../kernel/build.ts";
import { kernelBase64 as multiply } from "../../src/code/kernel.generated.ts";
import { kernelBase64 as predict } from "../../src/filter/kernel.generated.ts";

test("compiling the kernels again gives the committed bytes", async () => {
  assert.equal(Buffer.from(await compileKernel("multiply.as.ts")).toString("base64"), multiply);
  assert.equal(Buffer.from(await compileKernel("predict.as.ts")).toString("base64"), predict);
});
