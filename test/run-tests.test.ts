/** The test runner counts what ran and fails what only looks like success. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { root } from "../scripts/project-files.ts";
import type { Failure } from "../scripts/run-tests.ts";

const HEAD = 'import { describe, test } from "node:test";\n';
const FILES = {
  "good.test.ts":
    'test("a", () => {}); describe("s", () => { test("b", () => {}); }); test("p", async (t) => { await t.test("c", () => {}); });',
  "bad.test.ts": 'test("a", () => { console.log("seen before"); throw new Error("wrong sum"); }); test("b", () => {});',
  "nested.test.ts": 'describe("s", () => { test("inner", () => { throw new Error("deep"); }); });',
  "engine.test.ts":
    'test("a", { skip: "go: not installed" }, () => {}); describe("s", { skip: "go: not installed" }, () => { test("b", () => {}); });',
  "silent.test.ts": 'test("a", { skip: true }, () => {});',
  "empty.test.ts": "",
  "load.test.ts": 'import "./nowhere.ts";',
  "early.test.ts":
    'test("a", () => {}); test("b", async () => { await new Promise((r) => setTimeout(r, 200)); process.exit(0); }); test("c", () => {});',
  "late.test.ts": 'test("a", () => { setTimeout(() => { throw new Error("after the end"); }, 20); });',
};

type Result = { passed: number; failures: Failure[]; skipped: [string, number][]; lines: string[] };
let folder = "";
let result: Result;

/** Runs files as `npm test` does, in a process of its own: under the runner's variable it would take itself for a test file. */
function score(files: Readonly<Record<string, string>>, options: { fileTimeoutMs?: number } = {}): Result {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), HEAD + text);
  const script = `
    import { runTests } from ${JSON.stringify(pathToFileURL(join(root, "scripts/run-tests.ts")).href)};
    const files = ${JSON.stringify(Object.keys(files).map((name) => join(folder, name)))};
    const options = { root: ${JSON.stringify(folder)}, concurrency: 2, ...${JSON.stringify(options)} };
    const lines = [];
    const score = await runTests(files, { ...options, onFile: (line) => lines.push(line) });
    console.log(JSON.stringify({ ...score, skipped: [...score.skipped], lines }));`;
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  writeFileSync(join(folder, "main.mjs"), script);
  const child = spawnSync(process.execPath, [join(folder, "main.mjs")], { env, encoding: "utf8" });
  assert.equal(child.status, 0, child.stderr);
  return JSON.parse(child.stdout) as Result;
}
before(() => {
  folder = mkdtempSync(join(tmpdir(), "xinglin-tests-"));
  result = score(FILES);
});
after(() => rmSync(folder, { recursive: true, force: true }));

const failuresOf = (file: string): string[] =>
  result.failures.filter((failure) => failure.file === file).map(({ name, said }) => `${name}: ${said}`);

test("counts tests, not suites, and a parent beside its children", () => {
  assert.deepEqual(failuresOf("good.test.ts"), []);
  // good: a, b, p, c; bad: b; early: a; late: a
  assert.equal(result.passed, 7);
});

test("names the failing test with its error and what the file printed", () => {
  const [only, ...more] = failuresOf("bad.test.ts");
  assert.match(only ?? "", /^a: Error: wrong sum[\s\S]*seen before/);
  assert.deepEqual(more, []);
  const [deep, ...others] = failuresOf("nested.test.ts");
  assert.match(deep ?? "", /^inner: Error: deep/);
  assert.deepEqual(others, []);
});

test("gathers what an engine's absence kept from running", () => {
  assert.deepEqual(result.skipped, [["go: not installed", 2]]);
  assert.deepEqual(failuresOf("engine.test.ts"), []);
});

const looksLikeSuccess: Record<string, RegExp> = {
  "silent.test.ts": /^a: skipped without a reason/,
  "empty.test.ts": /runs no test/,
  "load.test.ts": /failed outside of its tests[\s\S]*nowhere\.ts/,
  "early.test.ts": /ended before its tests did/,
  "late.test.ts": /failed outside of its tests[\s\S]*after the end/,
};
for (const [file, said] of Object.entries(looksLikeSuccess))
  test(`fails ${file}`, () => {
    const failures = failuresOf(file);
    assert.equal(failures.length, 1);
    assert.match(failures[0]!, said);
  });

test("tells of each file as it ends", () => {
  assert.equal(result.lines.length, Object.keys(FILES).length);
  assert.ok(result.lines.some((line) => /^ok .* s {2}good\.test\.ts$/.test(line)));
  assert.ok(result.lines.some((line) => /^FAILED .* s {2}empty\.test\.ts$/.test(line)));
});

test("ends a file that waits for what will not come, and says in which test it was", () => {
  const hang = 'test("waits", async () => { setInterval(() => {}, 1000); await new Promise(() => {}); });';
  const { failures } = score({ "hang.test.ts": hang }, { fileTimeoutMs: 2_000 });
  // On a machine that needs all of the time to start, it is not yet in its test.
  assert.match(failures.map(({ said }) => said).join(), /^ended after 2\.0 s, in the middle of: (waits|loading)$/);
});
