/** What is written from the code is up to date, and the code says what it offers. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { after, before, test } from "node:test";
import { exportsOf } from "../scripts/exports.ts";
import { report, root } from "../scripts/project-files.ts";
import { entryFiles, LAYOUT, layoutPage, packages, referencePage } from "../scripts/reference.ts";

let folder = "";
before(() => {
  folder = mkdtempSync(join(tmpdir(), "xinglin-exports-"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

const exported = (name: string, text: string): ReturnType<typeof exportsOf> => {
  writeFileSync(join(folder, name), text);
  return exportsOf(join(folder, name));
};

test("reads declarations through every way of exporting them", () => {
  exported(
    "inner.ts",
    "/** Doubles. */\nexport function double(n: number): number {\n  return 2 * n;\n}\n/** Half. */\nexport const half = (n: number): number => n / 2;\n",
  );
  const outer = exported(
    "outer.ts",
    'import { half } from "./inner.ts";\nexport * from "./inner.ts";\nexport * as math from "./inner.ts";\nexport { double as twice } from "./inner.ts";\nexport { half as halve };\n',
  );
  assert.deepEqual(
    outer.map(({ name, signature, doc }) => [name, signature, doc]),
    [
      ["double", "function double(n: number): number", "Doubles."],
      ["half", "const half = (n: number): number", "Half."],
      ["math.double", "function double(n: number): number", "Doubles."],
      ["math.half", "const half = (n: number): number", "Half."],
      ["twice", "function double(n: number): number", "Doubles."],
      ["halve", "const half = (n: number): number", "Half."],
    ],
  );
});

test("a comment speaks for a block of lines, a value for its type, a file for its namesake", () => {
  const told = (name: string, text: string): string[] => exported(name, text).map((each) => `${each.name}: ${each.doc}`);
  assert.deepEqual(
    told("block.ts", "/** Sides. */\nexport const LEFT = 0;\nexport const RIGHT = 1;\n\nexport const OTHER = 2;\n"),
    ["LEFT: Sides.", "RIGHT: Sides.", "OTHER: "],
  );
  assert.deepEqual(
    told("pair.ts", "/** The levels. */\nexport const LEVELS = [1];\n\nexport type Level = (typeof LEVELS)[number];\n"),
    ["LEVELS: The levels.", "Level: The levels."],
  );
  assert.deepEqual(
    told(
      "audit-log.ts",
      '/** A log. */\nimport "x";\n\nexport type Size = 1;\n\nexport class AuditLog {}\n\nexport class Other {}\n',
    ),
    ["Size: A log.", "AuditLog: A log.", "Other: "],
  );
});

test("a class shows its members without bodies and without private ones", () => {
  const [found] = exported(
    "box.ts",
    "/** A box. */\nexport class Box {\n  #inner = 1;\n  readonly size: number = 2;\n  /** Opens it. */\n  open(by: string): boolean {\n    return by !== '';\n  }\n}\n",
  );
  assert.equal(found?.signature, "class Box {\n  readonly size: number;\n  /** Opens it. */\n  open(by: string): boolean;\n}");
});

test("every export of a package has a doc comment", () => {
  const undocumented = packages().flatMap((each) =>
    entryFiles(each).flatMap(([specifier, file]) =>
      exportsOf(file)
        .filter(({ doc }) => doc === "")
        .map((found) => ({
          path: relative(root, found.file),
          line: found.line,
          says: `${specifier} exports ${found.name} without a doc comment`,
        })),
    ),
  );
  assert.equal(report(undocumented), "");
});

test("every package has a page that can be written, and the committed picture of them is up to date", () => {
  const all = packages();
  assert.ok(all.length > 5);
  for (const each of all) assert.match(referencePage(each), /^### /m, each.name);
  assert.ok(existsSync(join(root, LAYOUT)), "run npm run docs");
  assert.equal(readFileSync(join(root, LAYOUT), "utf8"), layoutPage(), "run npm run docs");
});
