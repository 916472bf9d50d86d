import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const bench = (...args: string[]): ReturnType<typeof spawnSync> =>
  spawnSync(process.execPath, [MAIN, ...args], { encoding: "utf8" });

test("--list names the suites", () => {
  const { status, stdout } = bench("--list");
  assert.equal(status, 0);
  for (const name of ["state", "archive", "records", "suites", "ledger", "network"])
    assert.match(String(stdout), new RegExp(`^${name} +\\S`, "m"));
});

test("no suite, an unknown one and an unknown option end with 1, a sentence, and nothing on standard output", () => {
  for (const args of [[], ["nothing"], ["constructor"], ["--fast"], ["state", "ledger"]]) {
    const { status, stdout, stderr } = bench(...args);
    assert.equal(status, 1, args.join(" "));
    assert.equal(stdout, "");
    assert.match(String(stderr), /Usage:/);
    assert.doesNotMatch(String(stderr), /^ +at /m);
  }
});
