/**
 * Commits blocks to the folder it is given until it is killed, and tells "height root" after each commit. The blocks depend on the
 * height alone, so the parent knows what each root must be.
 */
import { openState } from "../src/index.ts";
import { changesAt } from "./crash-blocks.ts";
import { block, openLevel } from "./fixture.ts";

const db = await openLevel(process.argv[2] as string);
const state = await openState(db, { keepVersions: 3, windowBytes: 250_000, cacheBytes: 100_000 });
for (let height = state.height + 1; ; height++)
  process.stdout.write(`${height} ${await block(state, height, changesAt(height))}\n`);
