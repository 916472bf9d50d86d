/**
 * Writes `src/proto` from the protobuf descriptors that CometBFT's own Go code carries, at the version that `engine/oracles/go.mod` pins:
 * `node packages/cometbft/proto/generate.ts`. Needs Go and its modules; a test holds the committed files against what this makes.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { CodeGeneratorRequestSchema, CodeGeneratorResponseSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

const oracles = fileURLToPath(new URL("../../../engine/oracles", import.meta.url));
/** Where the generated files are kept. */
export const GENERATED = fileURLToPath(new URL("../src/proto", import.meta.url));
/** What ABCI's messages are declared in; what it imports comes with it. */
const ROOT_PROTO = "tendermint/abci/types.proto";
const PARAMETER = "target=js+dts,import_extension=js";

function notice(): string {
  const pinned = /github\.com\/cometbft\/cometbft (v[\d.]+)/.exec(readFileSync(join(oracles, "go.mod"), "utf8"))?.[1];
  return `// From the protocol buffers of CometBFT ${pinned}, Apache-2.0. Written by packages/cometbft/proto/generate.ts.\n`;
}

/** Why nothing can be generated on this machine, or undefined if it can. */
export function whatIsMissing(): string | undefined {
  if (spawnSync("go", ["version"]).status !== 0) return "go is not installed";
  const download = spawnSync("go", ["mod", "download"], { cwd: oracles, encoding: "utf8" });
  return download.status === 0 ? undefined : "the Go modules of engine/oracles can't be downloaded";
}

/** The generated files by their path below `GENERATED`. */
export function generate(): Map<string, string> {
  const descriptors = execFileSync("go", ["run", "./protos", ROOT_PROTO], { cwd: oracles, maxBuffer: 1 << 26 });
  const protoFile = fromBinary(FileDescriptorSetSchema, descriptors).file;
  const fileToGenerate = protoFile.map(({ name }) => name).filter((name) => name.startsWith("tendermint/"));
  const request = create(CodeGeneratorRequestSchema, { protoFile, fileToGenerate, parameter: PARAMETER });
  // The file is named, not the command's link in `.bin`, which is a script of another kind on Windows.
  const plugin = join(
    dirname(createRequire(import.meta.url).resolve("@bufbuild/protoc-gen-es/package.json")),
    "bin/protoc-gen-es",
  );
  const answer = execFileSync(process.execPath, [plugin], {
    input: toBinary(CodeGeneratorRequestSchema, request),
    maxBuffer: 1 << 26,
  });
  const { error, file } = fromBinary(CodeGeneratorResponseSchema, answer);
  if (error !== "") throw new Error(`protoc-gen-es: ${error}`);
  return new Map(file.map(({ name, content }) => [name, notice() + content]));
}

if (import.meta.main) {
  const missing = whatIsMissing();
  if (missing !== undefined) throw new Error(missing);
  const files = generate();
  rmSync(GENERATED, { recursive: true, force: true });
  for (const [name, content] of files) {
    mkdirSync(dirname(join(GENERATED, name)), { recursive: true });
    writeFileSync(join(GENERATED, name), content);
  }
}
