/**
 * `npm test [-- PATH…]`: type check, lint and every test file, ending with `N passed, N failed`. Paths choose the test files that
 * lie under them and leave type check and lint out. Nothing is skipped silently: what this machine lacks is named before that line.
 */
import { globSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type Check, checks } from "./check.ts";
import { speaker } from "./launch/language.mjs";
import { buildPortal } from "./launch/portal.mjs";
import { type Failure, inSeconds, runTests } from "./run-tests.ts";

const TEST_FILES = ["{packages,services,engine}/*/test/**/*.test.{ts,tsx}", "{bench,test}/**/*.test.{ts,tsx}"];
/** Files at a time: two at least, since many of them wait; four at most, since some measure the machine. */
const CONCURRENCY = Math.min(4, Math.max(2, availableParallelism()));
const SLOWEST_SHOWN = 10;

const root = fileURLToPath(new URL("..", import.meta.url));
const chosen = process.argv.slice(2).map((path) => relative(root, resolve(root, path)));
const isChosen = (file: string): boolean =>
  chosen.length === 0 || chosen.some((path) => file === path || file.startsWith(join(path, "/")));

let passed = 0;
const failures: Failure[] = [];

/** Tests in a browser need the page; a build that fails prints its output itself. */
const page: Check = {
  name: "build of the patient page",
  run: async () => ({ ok: (await buildPortal(root, process.execPath, speaker("en"))) === 0, output: "see above" }),
};
for (const { name, run } of chosen.length === 0 ? [...checks, page] : [page]) {
  const start = performance.now();
  const { ok, output } = await run();
  console.log(`${ok ? "ok    " : "FAILED"} ${inSeconds(performance.now() - start)}  ${name}`);
  if (ok) passed += 1;
  else failures.push({ file: "(whole tree)", name, said: output });
}

const files = globSync(TEST_FILES, { cwd: root, exclude: (path) => /(^|\/)node_modules$/.test(path) })
  .filter(isChosen)
  .sort();
const score = await runTests(
  files.map((file) => join(root, file)),
  { root, concurrency: CONCURRENCY, onFile: console.log },
);
passed += score.passed;
failures.push(...score.failures);
if (files.length === 0) failures.push({ file: chosen.join(" "), name: "(no test file)", said: "no test file lies there" });

if (chosen.length === 0) {
  console.log("\nSlowest tests:");
  for (const { file, name, ms } of score.timings.slice(0, SLOWEST_SHOWN)) console.log(`${inSeconds(ms)}  ${file}: ${name}`);
}
for (const { file, name, said } of failures) console.log(`\nFAILED ${file}: ${name}\n${said.replace(/^/gm, "    ")}`);

if (score.skipped.size > 0) console.log("\nNot run on this machine:");
for (const [reason, tests] of score.skipped) {
  console.log(`  ${reason}, ${tests} ${tests === 1 ? "test" : "tests"} not run`);
}
console.log(`\n${files.length} test files, of which ${new Set(score.failures.map((failure) => failure.file)).size} failed.`);
console.log(`${passed} passed, ${failures.length} failed`);
process.exit(failures.length === 0 ? 0 : 1);
