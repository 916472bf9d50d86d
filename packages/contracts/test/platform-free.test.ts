import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const source = join(import.meta.dirname, "../src");
const files = readdirSync(source, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
/** Source without comments: sentences may say "Date". */
const codeOf = (name: string): string =>
  readFileSync(join(source, name), "utf8")
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/\/\/.*$/gm, "");

/** What would let two nodes decide differently, or needs a platform. The compiler keeps out what has no type there; these the language offers. */
const FORBIDDEN: { readonly [What in string]: RegExp } = {
  "the clock": /\bDate\b|\bperformance\b|\bTemporal\b/,
  chance: /\bMath\.random\b/,
  "the locale": /\bIntl\b|localeCompare|toLocale/,
  "floating point": /\b\d+\.\d+\b|Math\.(sqrt|sin|cos|exp|log|pow|fround)|parseFloat/,
  waiting: /\basync\b|\bawait\b|\bPromise\b/,
  "the platform": /\bprocess\b|\bglobalThis\b|\bBuffer\b|\bfetch\b|\brequire\b/,
  "other packages": /from "(?!\.{1,2}\/|@xinglin\/primitives"|@xinglin\/crypto\/pure")/,
  "the package's own index": /from "(\.\.?\/)+index\.ts"/,
};

test("rules use nothing that two nodes could answer differently", () => {
  assert.ok(files.length > 40);
  for (const name of files)
    for (const [what, pattern] of Object.entries(FORBIDDEN)) assert.doesNotMatch(codeOf(name), pattern, `${name}: ${what}`);
});

test("the test finds what it looks for", () => {
  const samples = [
    "new Date()",
    "Math.random()",
    "a.localeCompare(b)",
    "x * 0.5",
    "await x",
    "process.env",
    'from "node:fs"',
    'from "../index.ts"',
  ];
  Object.values(FORBIDDEN).forEach((pattern, i) => {
    assert.match(samples[i]!, pattern);
  });
});
