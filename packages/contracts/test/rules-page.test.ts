import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { ADMISSION_CODES, OPERATION_NAMES, refusalCodesOf } from "../src/index.ts";

const root = new URL("../../../", import.meta.url);
const page = readFileSync(new URL("docs/internals/rules.md", root), "utf8");
const codesIn = (cell: string): string[] => [...cell.matchAll(/`([a-z_]+)`/g)].map(([, code]) => code!);
const rows = new Map(
  [...page.matchAll(/^\| `([a-zA-Z]+)` \| .+ \| (.+) \|$/gm)].map(([, name, refusals]) => [name!, codesIn(refusals!)] as const),
);

for (const name of OPERATION_NAMES) {
  test(`the page lists the refusals of ${name} in the order of its checks`, () => {
    assert.deepEqual(rows.get(name), [...refusalCodesOf(name)]);
  });
  test(`${name} has a rule of its own name and vectors`, () => {
    const file = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    const subjects = ["access", "archive", "consent", "custody", "governance", "identity", "record"];
    assert.ok(subjects.some((subject) => existsSync(new URL(`packages/contracts/src/${subject}/${file}.ts`, root))));
    assert.ok(existsSync(new URL(`spec/${name}/`, root)));
  });
}

test("the page knows no other operation, and lists the admission codes in order", () => {
  const bases = ["free", "review", "consent", "ethics"];
  assert.deepEqual([...rows.keys()].filter((name) => !bases.includes(name)).sort(), [...OPERATION_NAMES].sort());
  const line = page.split("## Admission\n\n")[1]!.split("\n")[0]!;
  assert.deepEqual(codesIn(line), [...ADMISSION_CODES]);
});
