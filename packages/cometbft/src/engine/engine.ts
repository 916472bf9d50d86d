/**
 * The CometBFT program: built once from the module that pins it, or one that is installed and has the same version.
 * Source: design.md, "Runtime" (`engine/cometbft`), "Drivers".
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Fault } from "@xinglin/primitives";
import { lock } from "../process/machine-lock.ts";
import { findGo } from "./go-toolchain.ts";

/** The CometBFT that this program works with. */
export const ENGINE_VERSION = "v0.40.0";
/** Names an installed CometBFT, instead of building one. */
export const ENGINE_VARIABLE = "XINGLIN_COMETBFT";

const MODULE = "github.com/cometbft/cometbft";
const MODULE_FOLDER = fileURLToPath(new URL("../../../../engine/cometbft", import.meta.url));
const CACHE_FOLDER = fileURLToPath(new URL("../../../../node_modules/.cache/xinglin", import.meta.url));
/** Lines of the build's own output that a failure tells. */
const TOLD_CHARACTERS = 400;

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

/** A file for each version and each set of dependencies. */
async function engineFileName(): Promise<string> {
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
  await mkdir(join(target, ".."), { recursive: true });
  const partial = `${target}.${process.pid}.partial`;
  const args = ["build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", partial, `${MODULE}/cmd/cometbft`];
  try {
    const child = spawn(go, args, {
      cwd: MODULE_FOLDER,
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...environment, GOTOOLCHAIN: "local" },
    });
    let told = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      told = (told + text).slice(-TOLD_CHARACTERS);
    });
    const [code] = await once(child, "close").catch((error: unknown) => [String(error)]);
    if (code !== 0) throw new Fault("engine_build_failed", { reason: told.trim().replaceAll(/\s+/g, " ") || String(code) });
    await rename(partial, target);
  } finally {
    await rm(partial, { force: true });
  }
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
