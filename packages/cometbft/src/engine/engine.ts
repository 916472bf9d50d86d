/**
 * The CometBFT program: built once from the module that pins it, or one that is installed and has the same version.
 * Source: design.md, "Runtime" (`engine/cometbft`), "Drivers".
 */
import { readFile } from "node:fs/promises";
import { buildOnce, type GoProgram } from "@xinglin/engines";
import { Fault } from "@xinglin/primitives";

/** The CometBFT that this program works with. */
export const ENGINE_VERSION = "v0.40.0";
/** Names an installed CometBFT, instead of building one. */
export const ENGINE_VARIABLE = "XINGLIN_COMETBFT";

/** Its name in Go. */
export const MODULE = "github.com/cometbft/cometbft";
/** What is built, and by which Go. */
export const ENGINE_PROGRAM: GoProgram = { name: "cometbft", oldestGo: [1, 25], main: `${MODULE}/cmd/cometbft` };

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
  const { say = () => {}, ...build } = options;
  const named = (options.environment ?? process.env)[ENGINE_VARIABLE];
  if (named !== undefined && named !== "") return checkedEngine(named);
  return buildOnce(ENGINE_PROGRAM, { ...build, say: ({ program: _, ...notice }) => say({ ...notice, version: ENGINE_VERSION }) });
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
