/** The text files of the project as its checks read them: committed or about to be, nothing that git ignores. */
import { spawnSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** A file by its path from the root, with slashes, and what stands in it. */
export type TextFile = { readonly path: string; readonly text: string };
/** What a check found: a file, the line if there is one, and a sentence. */
export type Finding = { readonly path: string; readonly line?: number; readonly says: string };

/** Absolute path of the project's root. */
export const root = fileURLToPath(new URL("..", import.meta.url));

/** Larger files are data; no one writes a rule or a machine's path there. */
const LARGEST_BYTES = 2 * 2 ** 20;

/** All text files of the project in the order of their paths. */
export function projectFiles(): TextFile[] {
  const listed = spawnSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
    encoding: "utf8",
  });
  if (listed.status !== 0) throw new Error(`the checks list files by git, which said: ${listed.stderr}`);
  const paths = [...new Set(listed.stdout.split("\0"))].filter((path) => path !== "").sort();
  return paths.flatMap((path) => {
    const at = join(root, path);
    const found = statSync(at, { throwIfNoEntry: false }); // deleted, but not yet in git
    if (found === undefined || !found.isFile() || found.size > LARGEST_BYTES) return [];
    const content = readFileSync(at);
    return content.subarray(0, 8_192).includes(0) ? [] : [{ path, text: content.toString("utf8") }];
  });
}

/** Line number, from 1, of a position in a text. */
export const lineAt = (text: string, position: number): number => text.slice(0, position).split("\n").length;

/** One line a finding, as compilers print them. */
export const report = (findings: readonly Finding[]): string =>
  findings.map(({ path, line, says }) => `${path}${line === undefined ? "" : `:${line}`} ${says}`).join("\n");
