/**
 * Compiles the kernels of this folder and writes each as base64 into `src/`, so that nobody who installs the package needs the
 * compiler. Run this file after changing a kernel; a test compiles again and compares bytes.
 */
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";

/** Each kernel's source here, and where its WebAssembly goes. */
export const kernels = {
  "multiply.as.ts": "../src/code/kernel.generated.ts",
  "predict.as.ts": "../src/filter/kernel.generated.ts",
};
const flags = ["-O3", "--enable", "simd", "--enable", "relaxed-simd", "--runtime", "stub", "--importMemory", "--noAssert"];

/** A kernel's WebAssembly, compiled now. */
export async function compileKernel(source: keyof typeof kernels): Promise<Uint8Array> {
  const text = await readFile(new URL(source, import.meta.url), "utf8");
  let wasm: Uint8Array | undefined;
  const { error, stderr } = await asc.main([source, "--outFile", "kernel.wasm", ...flags], {
    readFile: (name) => (name === source ? text : null),
    writeFile: (name, contents) => {
      if (name === "kernel.wasm" && typeof contents !== "string") wasm = contents;
    },
    listFiles: () => [],
  });
  if (error !== null || wasm === undefined)
    throw new Error(`the kernel does not compile: ${stderr.toString()}`, { cause: error });
  return wasm;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [source, generated] of Object.entries(kernels)) {
    const base64 = Buffer.from(await compileKernel(source as keyof typeof kernels)).toString("base64");
    const text = `/** WebAssembly of \`kernel/${source}\`, written by \`kernel/build.ts\`. */\nexport const kernelBase64 =\n  "${base64}";\n`;
    await writeFile(new URL(generated, import.meta.url), text);
  }
}
