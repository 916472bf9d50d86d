/** The commands that run the simulator: over many seeds, and one seed again. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "../scripts/project-files.ts";

const soak = (...args: string[]): { code: number | null; out: string; err: string } => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, "scripts/soak.ts"), ...args], { encoding: "utf8" });
  return { code: status, out: stdout, err: stderr };
};

test("a seed is run again with the same steps and the same trace", () => {
  const [one, other] = [soak("--seed", "7", "--trace", "--steps", "60"), soak("--seed", "7", "--trace", "--steps", "60")];
  assert.equal(one.code, 0, one.err);
  assert.match(one.out, /^60 \d+ms node \d/m);
  assert.match(one.out, /seed 7: \d+ steps, \d+ blocks, trace [0-9a-f]{64}\n$/);
  assert.equal(one.out, other.out);
});

test("a seed that fails ends with 1, and says which commit and command show it", () => {
  const { code, err } = soak("--seed", "1", "--plant", "own_clock");
  assert.equal(code, 1);
  assert.match(err, /^commit \S+, seed 1, step \d+: node 0 came to another outcome/);
  assert.match(err, /run it again: npm run soak -- --seed 1 --trace --plant own_clock/);
});

test("many seeds are shared among processes, and their counts are added up", () => {
  const { code, out, err } = soak("--seeds", "3", "--from", "40", "--steps", "40", "--processes", "2");
  assert.equal(code, 0, err);
  assert.match(out, /3 seeds from 40 on, 40 steps each, 0 failed, \S+ seeds\/s in 2 processes\n$/);
  assert.match(out, /\d+ {2}outcome\/blocks/);
});

test("what makes no sense is refused with how to ask", () => {
  for (const args of [
    ["--seed", "x"],
    ["--seed", "1", "--plant", "nothing"],
    ["--sed", "1"],
  ]) {
    const { code, err } = soak(...args);
    assert.equal(code, 1);
    assert.match(err, /Usage: npm run soak/);
  }
});
