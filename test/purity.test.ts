/** Rules use nothing that could differ between two nodes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkPurity } from "../scripts/checks/purity.ts";
import { projectFiles, report } from "../scripts/project-files.ts";

const inRule = (text: string): string => report(checkPurity([{ path: "packages/contracts/src/consent/grant.ts", text }]));

const IMPURE = [
  "const now = Date.now();",
  "const d: Date = x;",
  "const r = Math.random();",
  "const p = Math.pow(2, 3);",
  "const half = 0.5;",
  "const small = .5;",
  "const tiny = 1e-7;",
  "const f = parseFloat(text);",
  "const f = Number.parseFloat(text);",
  "names.sort((a, b) => a.localeCompare(b));",
  "const t = n.toLocaleString();",
  "const t = n.toFixed(2);",
  'const c = new Intl.Collator("zh");',
  "const c = text.normalize();",
  "setTimeout(f, 1);",
  "const t = performance.now();",
  "async function f() { await g(); }",
  "function f(): Promise<void> {}",
  "const clock = globalThis;",
  "const a = new Float64Array(1);",
];
for (const line of IMPURE)
  test(`finds ${line}`, () => assert.match(inRule(`\n${line}`), /^packages\/contracts\/src\/consent\/grant\.ts:2 uses /));

test("lets integers, dates of records and comments pass", () => {
  const pure = [
    "const big = 253_402_300_799;",
    "const hex = 0xffn;",
    "const million = 1e6;",
    "const half = Math.floor(n / 2);",
    "type Period = { Date: string };",
    "const shape = { performance: 1 };",
    "// Date.now() and 0.5",
    'const text = "Intl 0.5";',
  ];
  for (const line of pure) assert.equal(inRule(line), "", line);
  assert.equal(report(checkPurity([{ path: "packages/ledger/src/solo.ts", text: "Date.now()" }])), "");
});

test("the rules of the project are pure", () => {
  assert.equal(report(checkPurity(projectFiles())), "");
});
