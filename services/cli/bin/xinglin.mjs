#!/usr/bin/env node
// The `xinglin` command: the launcher finds Node and runs `src/main.ts` with it.
process.argv.splice(2, 0, "xinglin");
await import("../../../scripts/launch.mjs");
