/** No text names a machine or leaves work behind, and every package says what it is. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkReadmes, checkTexts } from "../scripts/checks/texts.ts";
import { projectFiles, report } from "../scripts/project-files.ts";

const inCode = (text: string, path = "packages/a/src/a.ts"): string => report(checkTexts([{ path, text }]));

const BANNED = [
  'const folder = "/work/main/x";',
  "see /root/.npmrc",
  "/home/someone/xinglin",
  "https://registry.npmjs.org/x",
  "// TODO: later",
  "// FIXME",
  'test.only("a", () => {});',
  'test.skip("a", () => {});',
  'test("a", { skip: true }, () => {});',
  "t.skip();",
  "// @ts-ignore",
];
for (const line of BANNED) test(`finds ${line}`, () => assert.match(inCode(`\n${line}`), /^packages\/a\/src\/a\.ts:2 "/));

test("lets reasons, addresses and words alike pass", () => {
  const allowed = [
    'test("a", { skip: hasGo ? false : "go: not installed" }, () => {});',
    "new Worker(new URL('./work/piece.ts', import.meta.url))",
    'app.get("/v1/work/items")',
    "packages/work/src",
    "const skip = 3; cursor.skip(n);",
  ];
  for (const line of allowed) assert.equal(inCode(line), "", line);
});

test("finds a package without a README, and a README that draws no line", () => {
  const manifest = { path: "packages/a/package.json", text: "{}" };
  const readme = (text: string): string => report(checkReadmes([manifest, { path: "packages/a/README.md", text }]));
  assert.match(report(checkReadmes([manifest])), /README\.md is missing/);
  assert.match(readme("# a\nOwns the map."), /does not own/);
  assert.match(readme("owns, does not own"), /needs a title/);
  assert.equal(readme("# a\nOwns the map. Does not own the disk."), "");
});

test("the project's texts are clean", () => {
  assert.equal(report(checkTexts(projectFiles())), "");
});

test("every package of the project says what it owns and what it does not own", () => {
  assert.equal(report(checkReadmes(projectFiles())), "");
});
