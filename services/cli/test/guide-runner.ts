/** Runs the commands that stand in a guide: every test of a guide's commands goes through here. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository. */
export const root = fileURLToPath(new URL("../../../", import.meta.url));
/** The command line's program. */
export const CLI = join(root, "services/cli/src/main.ts");
/** Commands start in half the time when what they load was compiled before. */
process.env.NODE_COMPILE_CACHE ??= join(root, "node_modules/.cache/xinglin/compiled");

/** A guide of `docs/guides` by its file's name. */
export const guideText = (name: string): string => readFileSync(join(root, "docs/guides", name), "utf8");

/**
 * The blocks of commands in a guide, in order. One that needs something which not every machine has names it behind `sh`; it is
 * among them if `present` does.
 */
export const blocksOf = (guide: string, present: readonly string[] = []): string[] =>
  [...guide.matchAll(/```sh(?: ([a-z0-9]+))?\n([\s\S]*?)```/g)]
    .filter(([, need]) => need === undefined || present.includes(need))
    .map(([, , block]) => block as string);

/** Both languages have the same commands. */
export function assertSameCommands(name: string, needs: readonly string[] = []): void {
  const blocks = blocksOf(guideText(`${name}.md`), needs);
  assert.ok(blocks.length > 0);
  assert.deepEqual(blocksOf(guideText(`${name}.zh-CN.md`), needs), blocks);
}

/**
 * Runs blocks as one script in a folder, where `xinglin` is the command line in English, and asserts that it ends with 0. Returns all that
 * was told, on both streams. Whatever failed, nothing that the script started stays behind.
 */
export async function runBlocks(blocks: readonly string[], folder: string): Promise<string> {
  const command = join(folder, "xinglin");
  writeFileSync(command, `#!/bin/sh\nexec '${process.execPath}' '${CLI}' "$@" --lang en\n`);
  chmodSync(command, 0o755);
  const child = spawn("bash", ["-c", ["set -eu -o pipefail", ...blocks].join("\n")], {
    cwd: folder,
    detached: true,
    env: { ...process.env, PATH: `${folder}${delimiter}${process.env.PATH}` },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let told = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      told += text;
    });
  const closed = once(child, "close");
  // The group of the script, and with the commands the nodes that they started.
  const end = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGTERM");
    } catch {
      // All of it ended.
    }
  };
  try {
    const [code] = await once(child, "exit");
    // Nodes that a failed script left would hold its output open.
    if (code !== 0) end();
    await closed;
    assert.equal(code, 0, told);
  } finally {
    end();
  }
  return told;
}

/** Starts an empty consortium over `my-consortium` in a folder, as `npm start -- --empty` does; resolves to what stops it. */
export async function startConsortium(folder: string): Promise<() => Promise<void>> {
  const program = join(root, "services/consortium/src/main.ts");
  const args = ["--empty", "--data", "my-consortium", "--port", "0", "--lang", "en"];
  const child = spawn(process.execPath, [program, ...args], { cwd: folder });
  const exited = once(child, "exit");
  await new Promise<void>((resolve, reject) => {
    let told = "";
    child.stdout.on("data", (part: Buffer) => {
      told += part.toString();
      if (/Ctrl-C stops/.test(told)) resolve();
    });
    exited.then(() => reject(new Error(told)));
  });
  return async () => {
    child.kill("SIGINT");
    await exited;
  };
}
