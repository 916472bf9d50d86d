/**
 * `npm run check`: types and style, without the tests. The pure packages are compiled once more without any platform type, so that
 * a clock, a socket or a `Buffer` in a rule does not compile.
 * Source: style.md, "Imports point one way".
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** One tool over the whole tree; it counts as one test. */
export type Check = { readonly name: string; readonly run: () => Promise<CheckResult> };
/** What a tool said; empty output where it found nothing. */
export type CheckResult = { readonly ok: boolean; readonly output: string };

/** Runs a program with this Node and collects what it prints. */
function runTool(args: readonly string[]): Promise<CheckResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
    const output: Buffer[] = [];
    child.stdout.on("data", (chunk) => output.push(chunk));
    child.stderr.on("data", (chunk) => output.push(chunk));
    child.once("error", reject);
    child.once("close", (code) => resolve({ ok: code === 0, output: Buffer.concat(output).toString("utf8").trim() }));
  });
}

/** The compiler's projects: the whole tree, and the parts that must do without a platform, or with a browser's alone. */
const PROJECTS = [
  "tsconfig.json",
  "packages/primitives/tsconfig.json",
  "packages/crypto/tsconfig.pure.json",
  "packages/contracts/tsconfig.json",
  "tsconfig.browser.json",
] as const;

async function typeCheck(): Promise<CheckResult> {
  const found: string[] = [];
  for (const project of PROJECTS) {
    if (!existsSync(join(root, project))) return { ok: false, output: `${project} is missing` };
    const { ok, output } = await runTool(["node_modules/typescript7/bin/tsc", "-p", project, "--pretty", "false"]);
    if (!ok) found.push(`${project}:\n${output}`);
  }
  return { ok: found.length === 0, output: found.join("\n") };
}

async function lint(): Promise<CheckResult> {
  const { ok, output } = await runTool([
    "node_modules/@biomejs/biome/bin/biome",
    "check",
    "--error-on-warnings",
    "--colors=off",
    ".",
  ]);
  return { ok, output: ok ? "" : output };
}

/** All checks, in the order in which they are worth reading. */
export const checks: readonly Check[] = [
  { name: "type check", run: typeCheck },
  { name: "lint and format", run: lint },
];

if (import.meta.main) {
  for (const { name, run } of checks) {
    const { ok, output } = await run();
    console.log(`${ok ? "ok    " : "FAILED"} ${name}`);
    if (output !== "") console.log(output);
    if (!ok) process.exitCode = 1;
  }
}
