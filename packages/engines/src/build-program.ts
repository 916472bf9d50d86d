/**
 * A program of a Go module of ours, built once for each content of the module and kept. Two builds never run at once, whichever programs start
 * them: each would keep both cores busy for minutes.
 * Source: design.md, "Runtime" (engines in Go with their own pinned modules).
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildProgram } from "./go-build.ts";
import { findGo } from "./go-toolchain.ts";
import { lock } from "./machine-lock.ts";

const ENGINE_FOLDER = fileURLToPath(new URL("../../../engine", import.meta.url));
/** Where built programs are kept. */
const CACHE_FOLDER = fileURLToPath(new URL("../../../node_modules/.cache/xinglin", import.meta.url));

/** What is built. */
export interface GoProgram {
  /** Folder below `engine/` with the module whose main package it is, and its name in the cache. */
  readonly name: string;
  /** Oldest Go that builds it: major and minor. */
  readonly oldestGo: readonly [number, number];
  /** Another module's main package, of the version that this module pins; the module's own unless told. */
  readonly main?: string;
}

/** What happens while a program is made ready. */
export type BuildNotice =
  | { readonly event: "building"; readonly program: string }
  | { readonly event: "built"; readonly program: string; readonly seconds: number };

/** How a program is made ready. */
export interface BuildOptions {
  readonly say?: (notice: BuildNotice) => void;
  readonly environment?: NodeJS.ProcessEnv;
  /** Where built programs are kept. */
  readonly cache?: string;
}

/** Absolute path of the program; builds it if it is not there yet. Faults: `go_missing`, `engine_build_failed`. */
export async function buildOnce(program: GoProgram, options: BuildOptions = {}): Promise<string> {
  const { say = () => {}, environment = process.env, cache = CACHE_FOLDER } = options;
  const target = await programPath(program, cache);
  if (existsSync(target)) return target;
  const go = await findGo(program.oldestGo, environment);
  await mkdir(cache, { recursive: true });
  const held = await lock("engine-build");
  try {
    if (existsSync(target)) return target; // by the one we waited for
    say({ event: "building", program: program.name });
    const started = performance.now();
    await buildProgram({ go, folder: engineFolder(program), program: program.main ?? ".", target, environment });
    say({ event: "built", program: program.name, seconds: Math.round((performance.now() - started) / 1000) });
  } finally {
    await held.release();
  }
  return target;
}

/** Folder of the module that pins all versions of a program. */
export const engineFolder = ({ name }: GoProgram): string => join(ENGINE_FOLDER, name);

/** Where the program lies once it is built: another file for each content of its module. */
export async function programPath(program: GoProgram, cache: string = CACHE_FOLDER): Promise<string> {
  const suffix = process.platform === "win32" ? ".exe" : "";
  return join(cache, `${program.name}-${await contentOf(engineFolder(program))}${suffix}`);
}

/** A name for what a module holds: its pinned dependencies and its own source, tests left out. */
async function contentOf(folder: string): Promise<string> {
  const sums = createHash("sha256");
  const files = (await readdir(folder)).filter((name) => /^go\.(mod|sum)$|\.go$/.test(name) && !name.endsWith("_test.go"));
  for (const file of files.sort()) sums.update(`${file}\n`).update(await readFile(join(folder, file)));
  return sums.digest("hex").slice(0, 12);
}
