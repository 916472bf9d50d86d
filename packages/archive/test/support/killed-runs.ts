/** Runs work in children that die at one call to the disk after another, see `kill-at.ts`. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const preload = new URL("./kill-at.ts", import.meta.url).href;
/** Points lie closer together the larger the number; what is run in passing finds what is wrong in general. */
const GROWTH = 1 + 1 / Number(process.env.XINGLIN_KILL_POINTS ?? 1.5);

export interface Ended {
  readonly killed: boolean;
  readonly said: readonly string[];
}

/** Runs the program `child` of this folder, which dies at `killAt`. */
export async function runKilled(child: string, killAt: string, ...words: string[]): Promise<Ended> {
  const path = fileURLToPath(new URL(child, import.meta.url));
  const process_ = spawn(process.execPath, ["--import", preload, path, ...words], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, KILL_AT: killAt },
  });
  let text = "";
  process_.stdout.setEncoding("utf8").on("data", (part: string) => {
    text += part;
  });
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) =>
    process_.on("close", (...ended) => resolve(ended)),
  );
  assert.ok(signal === "SIGKILL" || code === 0, `it ended with ${code ?? signal}: ${text}`);
  return { killed: signal === "SIGKILL", said: text.split("\n").slice(0, -1) };
}

/** 1, 2, … ever further apart, until `work` says that its child was not killed any more. Returns how many were. */
export async function killEverywhere(thread: "main" | "worker", work: (killAt: string) => Promise<boolean>): Promise<number> {
  let killed = 0;
  for (let at = 1; await work(`${thread}:${at}`); at = Math.max(at + 1, Math.round(at * GROWTH))) killed++;
  return killed;
}
