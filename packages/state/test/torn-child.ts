/**
 * Commits blocks until a write fails in the middle because files may not grow further, lifts that limit, commits five blocks more,
 * tells "height root" and kills itself.
 */
import { execFileSync } from "node:child_process";
import { writeSync } from "node:fs";
import { openState } from "../src/index.ts";
import { changesAt } from "./crash-blocks.ts";
import { block, hex, openLevel } from "./fixture.ts";

const state = await openState(await openLevel(process.argv[2] as string));
try {
  for (;;) await block(state, state.height + 1, changesAt(state.height + 1));
} catch (error) {
  const { code } = error as { code?: string };
  if (code !== "state_write_failed") throw error;
}
const failedAt = state.height + 1;
execFileSync("prlimit", [`--pid=${process.pid}`, "--fsize=unlimited"]);
for (let i = 0; i < 5; i++) await block(state, state.height + 1, changesAt(state.height + 1));
writeSync(1, `${failedAt} ${state.height} ${hex(state.root)}\n`);
process.kill(process.pid, "SIGKILL");
