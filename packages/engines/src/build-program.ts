/**
 * A program of a Go module of ours, built once for each content of the module and kept. Two builds never run at once, whichever programs start
 * them: each would keep both cores busy for minutes.
 * Source: design.md, "Runtime" (engines in Go with their own pinned modules).
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Fault } from "@xinglin/primitives";
import { findGo } from "./go-toolchain.ts";
import { lock } from "./machine-lock.ts";

const ENGINE_FOLDER = fileURLToPath(new URL("../../../engine", import.meta.url));
const CACHE_FOLDER = fileURLToPath(new URL("../../../node_modules/.cache/xinglin", import.meta.url));
/** The end of the build's own output that a failure tells. */
const TOLD_CHARACTERS = 400;

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
  const folder = join(ENGINE_FOLDER, program.name);
  const target = await programPath(program, cache);
  if (existsSync(target)) return target;
  const go = await findGo(program.oldestGo, environment);
  await mkdir(cache, { recursive: true });
  const held = await lock("engine-build");
  try {
    if (existsSync(target)) return target; // by the one we waited for
    say({ event: "building", program: program.name });
    const started = performance.now();
    await build(go, { folder, main: program.main ?? "." }, target, environment);
    say({ event: "built", program: program.name, seconds: Math.round((performance.now() - started) / 1000) });
  } finally {
    await held.release();
  }
  return target;
}

/** Where the program lies once it is built: another file for each content of its module. */
export async function programPath({ name }: GoProgram, cache: string = CACHE_FOLDER): Promise<string> {
  const suffix = process.platform === "win32" ? ".exe" : "";
  return join(cache, `${name}-${await contentOf(join(ENGINE_FOLDER, name))}${suffix}`);
}

/** A name for what a module holds: its pinned dependencies and its own source, tests left out. */
async function contentOf(folder: string): Promise<string> {
  const sums = createHash("sha256");
  const files = (await readdir(folder)).filter((name) => /^go\.(mod|sum)$|\.go$/.test(name) && !name.endsWith("_test.go"));
  for (const file of files.sort()) sums.update(`${file}\n`).update(await readFile(join(folder, file)));
  return sums.digest("hex").slice(0, 12);
}

async function build(
  go: string,
  { folder, main }: { readonly folder: string; readonly main: string },
  target: string,
  environment: NodeJS.ProcessEnv,
): Promise<void> {
  const partial = `${target}.${process.pid}.partial`;
  try {
    const child = spawn(go, ["build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", partial, main], {
      cwd: folder,
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
}
