/** Every fault code that the sources throw has its sentence in both languages and its status, and the reference page says the same. */
import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { ADMISSION_CODES } from "@xinglin/contracts";
import { FAULT_CODES, sentenceOf, statusOf } from "../src/error-catalogue.ts";
import { errorReferencePage } from "../src/error-reference.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const sources = globSync(["packages/*/src/**/*.{ts,tsx}", "services/*/src/**/*.{ts,tsx}"], { cwd: root }).filter(
  (path) => !path.includes("node_modules"),
);
/** The first argument of a fault, or of a function that makes one; what is only compared there is no code. */
const THROWN = /[fF]ault\(\s*([^,()]*(?:\([^()]*\))?[^,()]*)/g;
const codesIn = (text: string): string[] =>
  [...text.matchAll(THROWN)].flatMap(([, argument]) =>
    [...argument!.replaceAll(/[!=]==\s*"[^"]*"/g, "").matchAll(/"([a-z][a-z0-9_]+)"/g)].map(([, code]) => code!),
  );

test("the pattern finds codes however they are broken over lines", () => {
  assert.deepEqual(codesIn('throw new Fault("a_code"); return new Fault(\n  "other", {}); asFault("third")'), [
    "a_code",
    "other",
    "third",
  ]);
});

test("every code that is thrown stands in the catalogue", () => {
  assert.ok(sources.length > 100, `${sources.length} sources`);
  const missing = sources.flatMap((path) =>
    codesIn(readFileSync(join(root, path), "utf8"))
      .filter((code) => !FAULT_CODES.includes(code))
      .map((code) => `${code} (${path})`),
  );
  assert.deepEqual([...new Set(missing)], []);
  assert.deepEqual(
    ADMISSION_CODES.filter((code) => !FAULT_CODES.includes(code)),
    [],
  );
});

test("every code of the catalogue has a sentence of its own in both languages", () => {
  for (const language of ["en", "zh-CN"] as const) {
    const sentences = FAULT_CODES.map((code) => sentenceOf(code, {}, language));
    assert.equal(new Set(sentences).size, sentences.length);
    for (const [i, sentence] of sentences.entries())
      assert.match(sentence, language === "en" ? /[.}]$/ : /[。}]$/, FAULT_CODES[i]);
  }
  assert.ok(FAULT_CODES.every((code) => statusOf(code) >= 400));
});

test("facts fill a sentence, and one that is missing shows as its name", () => {
  assert.match(sentenceOf("port_in_use", { port: 8480 }, "en"), /^Port 8480 is taken/);
  assert.match(sentenceOf("port_in_use", {}, "zh-CN"), /\{port\}/);
  assert.equal(sentenceOf("no_such_code", {}, "en"), sentenceOf("internal", {}, "en"));
  assert.equal(statusOf("no_such_code"), 500);
});

test("the reference page is up to date", () => {
  const path = join(root, "docs/reference/errors.md");
  assert.ok(existsSync(path), "run: npm run docs");
  assert.equal(readFileSync(path, "utf8"), errorReferencePage(), "run: npm run docs");
});
