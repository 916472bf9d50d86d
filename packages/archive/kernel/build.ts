/**
 * Compiles `multiply.as.ts` and writes it as base64 to `src/code/kernel.generated.ts`, so that nobody who installs the package needs
 * the compiler. Run this file after changing the kernel; a test compiles again and compares bytes.
 */
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";

const source = new URL("./multiply.as.ts", import.meta.url);
const generated = new URL("../src/code/kernel.generated.ts", import.meta.url);
const flags = ["-O3", "--enable", "simd", "--enable", "relaxed-simd", "--runtime", "stub", "--importMemory", "--noAssert"];

/** The kernel's WebAssembly, compiled now. */
export async function compileKernel(): Promise<Uint8Array> {
  const text = await readFile(source, "utf8");
  let wasm: Uint8Array | undefined;
  const { error, stderr } = await asc.main(["multiply.as.ts", "--outFile", "multiply.wasm", ...flags], {
    readFile: (name) => (name === "multiply.as.ts" ? text : null),
    writeFile: (name, contents) => {
      if (name === "multiply.wasm" && typeof contents !== "string") wasm = contents;
    },
    listFiles: () => [],
  });
  if (error !== null || wasm === undefined)
    throw new Error(`the kernel does not compile: ${stderr.toString()}`, { cause: error });
  return wasm;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const base64 = Buffer.from(await compileKernel()).toString("base64");
  await writeFile(
    generated,
    `/** WebAssembly of \`kernel/multiply.as.ts\`, written by \`kernel/build.ts\`. */\nexport const kernelBase64 =\n  "${base64}";\n`,
  );
}
