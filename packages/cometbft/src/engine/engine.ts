/**
 * The CometBFT program: built once from the module that pins it, or one that is installed and has the same version.
 * Source: design.md, "Runtime" (`engine/cometbft`), "Drivers".
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Fault } from "@xinglin/primitives";
import { lock } from "../process/machine-lock.ts";
import { buildProgram } from "./build-program.ts";
import { findGo } from "./go-toolchain.ts";

/** The CometBFT that this program works with. */
export const ENGINE_VERSION = "v0.40.0";
/** Names an installed CometBFT, instead of building one. */
export const ENGINE_VARIABLE = "XINGLIN_COMETBFT";

/** Its name in Go. */
export const MODULE = "github.com/cometbft/cometbft";
/** The Go module that pins it. */
export const MODULE_FOLDER = fileURLToPath(new URL("../../../../engine/cometbft", import.meta.url));
/** Where built programs are kept. */
export const CACHE_FOLDER = fileURLToPath(new URL("../../../../node_modules/.cache/xinglin", import.meta.url));

/** What happens while the engine is made ready. */
export type BuildNotice =
  | { readonly event: "building"; readonly version: string }
  | { readonly event: "built"; readonly version: string; readonly seconds: number };

/** How the engine is made ready. */
export interface EnsureOptions {
  /** Hears of a build, which takes some two minutes on two cores. */
  readonly say?: (notice: BuildNotice) => void;
  readonly environment?: NodeJS.ProcessEnv;
  /** Where built engines are kept. */
  readonly cache?: string;
}

/**
 * Absolute path of a CometBFT of `ENGINE_VERSION`; builds it if it is not there yet. Rejects with `Fault`: `go_missing`, `engine_build_failed`,
 * `engine_version_wrong` (of the one that `XINGLIN_COMETBFT` names).
 */
export async function ensureEngine(options: EnsureOptions = {}): Promise<string> {
  const { say = () => {}, environment = process.env, cache = CACHE_FOLDER } = options;
  const named = environment[ENGINE_VARIABLE];
  if (named !== undefined && named !== "") return checkedEngine(named);
  const target = join(cache, await engineFileName());
  if (existsSync(target)) return target;
  const go = await findGo(environment);
  // Two programs that start at once must not both keep both cores busy for two minutes.
  const held = await lock("engine-build");
  try {
    if (!existsSync(target)) await build(go, target, say, environment);
  } finally {
    await held.release();
  }
  return target;
}

/** The name of the built engine: another for each version and each set of dependencies. */
export async function engineFileName(): Promise<string> {
  const sums = createHash("sha256");
  for (const file of ["go.mod", "go.sum"]) sums.update(await readFile(join(MODULE_FOLDER, file)));
  const suffix = process.platform === "win32" ? ".exe" : "";
  return `cometbft-${ENGINE_VERSION}-${sums.digest("hex").slice(0, 12)}${suffix}`;
}

async function build(
  go: string,
  target: string,
  say: (notice: BuildNotice) => void,
  environment: NodeJS.ProcessEnv,
): Promise<void> {
  say({ event: "building", version: ENGINE_VERSION });
  const started = performance.now();
  await buildProgram({ go, folder: MODULE_FOLDER, program: `${MODULE}/cmd/cometbft`, target, environment });
  say({ event: "built", version: ENGINE_VERSION, seconds: Math.round((performance.now() - started) / 1000) });
}

/** Go writes the versions of all modules into a program. What CometBFT says of itself is the version of another release. */
async function checkedEngine(path: string): Promise<string> {
  const program = await readFile(path).catch(() => undefined);
  const at = program?.indexOf(`\t${MODULE}\tv`) ?? -1;
  const told = at < 0 ? "" : program!.toString("latin1", at + MODULE.length + 1, at + MODULE.length + 40);
  const found = /^\t(v[^\t\n]+)/.exec(told)?.[1] ?? "-";
  if (found !== ENGINE_VERSION) throw new Fault("engine_version_wrong", { path, found, wanted: ENGINE_VERSION });
  return path;
}
