/** Blocks that are committed after a write that tore are there after a crash. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { openState } from "../src/index.ts";
import { mapAt } from "./crash-blocks.ts";
import { folder, hex, openLevel } from "./fixture.ts";
import { referenceRoot } from "./reference.ts";

const skip = spawnSync("prlimit", ["--version"]).status !== 0 && "prlimit (util-linux): not installed, so no write could be torn";
const LARGEST_FILE = 1_000_000;

test("blocks committed after a torn write outlive a crash", { skip }, async (t) => {
  const path = await folder(t);
  const child = fileURLToPath(new URL("./torn-child.ts", import.meta.url));
  const told = spawnSync("prlimit", [`--fsize=${LARGEST_FILE}:unlimited`, process.execPath, child, path], { encoding: "utf8" });
  assert.equal(told.signal, "SIGKILL", told.stderr);
  const [failedAt, height, root] = told.stdout.trim().split(" ");
  assert.ok(Number(failedAt) > 3);
  assert.equal(Number(height), Number(failedAt) + 4);
  const db = await openLevel(path);
  const state = await openState(db);
  assert.equal(state.height, Number(height));
  assert.equal(hex(state.root), root);
  assert.equal(root, referenceRoot(mapAt(Number(height))));
  await db.close();
});
