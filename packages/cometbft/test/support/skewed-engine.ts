/**
 * A CometBFT whose clock is wrong. Go reads the clock of the kernel, which no variable or library shifts for one process; so the pinned module is built
 * once more from a copy in which the two places that ask for the time of day of votes, proposals and blocks add what a variable says. Everything that
 * is linked stays pinned by `engine/cometbft`; Go has all other packages from building the engine. Timers and deadlines are those of the engine.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative, sep } from "node:path";
import { promisify } from "node:util";
import { buildProgram, engineFolder, findGo, lock, programPath } from "@xinglin/engines";
import { ENGINE_PROGRAM, ENGINE_VERSION, ensureEngine, MODULE } from "../../src/engine/engine.ts";

const run = promisify(execFile);
const MODULE_FOLDER = engineFolder(ENGINE_PROGRAM);
const VARIABLE = "XINGLIN_TEST_CLOCK_OFFSET_SECONDS";

interface Change {
  readonly file: string;
  /** Each stands in the file once and no more. */
  readonly replaced: readonly (readonly [string, string])[];
}
const CHANGES: readonly Change[] = [
  {
    file: "types/time/time.go",
    replaced: [
      ['import (\n\t"sort"\n', 'import (\n\t"os"\n\t"sort"\n'],
      ["return Canonical(time.Now())", "return Canonical(time.Now().Add(offset))"],
      ["// Canonical returns", `var offset, _ = time.ParseDuration(os.Getenv("${VARIABLE}") + "s")\n\n// Canonical returns`],
    ],
  },
  {
    file: "state/validation.go",
    replaced: [
      [
        '\t"github.com/cometbft/cometbft/types"\n',
        '\t"github.com/cometbft/cometbft/types"\n\tcmttime "github.com/cometbft/cometbft/types/time"\n',
      ],
      ["block.Time.Before(time.Now().Add(tol))", "block.Time.Before(cmttime.Now().Add(tol))"],
    ],
  },
];

/** Absolute path of that program; built when it is not there, in some ten seconds of CPU after the engine itself. Rejects as `ensureEngine`. */
export async function skewedEngine(): Promise<string> {
  await ensureEngine();
  const changes = createHash("sha256").update(JSON.stringify(CHANGES)).digest("hex").slice(0, 12);
  const engine = await programPath(ENGINE_PROGRAM);
  const target = join(dirname(engine), `skewed-${changes}-${basename(engine)}`);
  if (existsSync(target)) return target;
  const go = await findGo(ENGINE_PROGRAM.oldestGo);
  const held = await lock("engine-build");
  try {
    if (!existsSync(target)) await build(go, target);
  } finally {
    await held.release();
  }
  return target;
}

async function build(go: string, target: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "skewed-"));
  try {
    const source = join(folder, "cometbft");
    await copySource(go, source);
    for (const change of CHANGES) await apply(source, change);
    const modFile = join(folder, "go.mod");
    const replace = `\nreplace ${MODULE} ${ENGINE_VERSION} => ${source}\n`;
    await writeFile(modFile, (await readFile(join(MODULE_FOLDER, "go.mod"), "utf8")) + replace);
    await cp(join(MODULE_FOLDER, "go.sum"), join(folder, "go.sum"));
    await buildProgram({ go, folder: MODULE_FOLDER, program: `${MODULE}/cmd/cometbft`, target, args: [`-modfile=${modFile}`] });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Go's own copy is checked against go.sum when it is fetched, and read-only. */
async function copySource(go: string, to: string): Promise<void> {
  const { stdout } = await run(go, ["mod", "download", "-json", MODULE], {
    cwd: MODULE_FOLDER,
    env: { ...process.env, GOTOOLCHAIN: "local" },
  });
  const { Dir: from } = JSON.parse(stdout) as { Dir: string };
  const isNeeded = (path: string): boolean => {
    const [top = ""] = relative(from, path).split(sep);
    return !["docs", "spec"].includes(top) && !path.endsWith("_test.go");
  };
  await cp(from, to, { recursive: true, filter: isNeeded });
  await run("chmod", ["-R", "u+w", to]);
}

async function apply(source: string, { file, replaced }: Change): Promise<void> {
  const path = join(source, file);
  let text = await readFile(path, "utf8");
  for (const [from, to] of replaced) {
    if (text.split(from).length !== 2) throw new Error(`${file} of CometBFT ${ENGINE_VERSION} is another than expected: ${from}`);
    text = text.replace(from, to);
  }
  await writeFile(path, text);
}

/** A program in `folder` that is that CometBFT with a clock `seconds` ahead, negative for behind. */
export async function clockOf(seconds: number, engine: string, folder: string): Promise<string> {
  const path = join(folder, `cometbft-at-${seconds}`);
  await writeFile(path, `#!/bin/sh\n${VARIABLE}=${seconds} exec ${JSON.stringify(engine)} "$@"\n`);
  await chmod(path, 0o700);
  return path;
}
