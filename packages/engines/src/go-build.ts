/**
 * Builds a program of a Go module, the same bytes wherever it is built, under a partial name first.
 * Source: design.md, "Runtime" (engines in Go with their own pinned modules).
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { Fault } from "@xinglin/primitives";

/** The end of the build's own output that a failure tells. */
const TOLD_CHARACTERS = 400;

/** What is built, and by what. */
export interface ProgramBuild {
  /** Absolute path of Go. */
  readonly go: string;
  /** Of the module that pins all versions. */
  readonly folder: string;
  /** Path of the main package. */
  readonly program: string;
  /** Absolute path of the result. */
  readonly target: string;
  readonly environment?: NodeJS.ProcessEnv;
  /** Further arguments of `go build`. */
  readonly args?: readonly string[];
}

/** Rejects with `Fault("engine_build_failed")`, and the end of what Go said; nothing stays behind then. */
export async function buildProgram(build: ProgramBuild): Promise<void> {
  const { go, folder, program, target, environment = process.env, args = [] } = build;
  await mkdir(dirname(target), { recursive: true });
  const partial = `${target}.${process.pid}.partial`;
  const all = ["build", ...args, "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", partial, program];
  try {
    const child = spawn(go, all, {
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
