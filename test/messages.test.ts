/** Every sentence exists in Chinese and in English. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkMessages } from "../scripts/checks/messages.ts";
import { projectFiles, report } from "../scripts/project-files.ts";

const pair = (en: object | undefined, zh: object | undefined): string =>
  report(
    checkMessages([
      ...(en === undefined ? [] : [{ path: "packages/a/src/messages/en.json", text: JSON.stringify(en) }]),
      ...(zh === undefined ? [] : [{ path: "packages/a/src/messages/zh-CN.json", text: JSON.stringify(zh) }]),
    ]),
  );

test("finds a sentence that one language lacks", () => {
  assert.match(pair({ a: "A" }, {}), /zh-CN\.json lacks "a"/);
  assert.match(pair({}, { a: "甲" }), /en\.json lacks "a"/);
  assert.match(pair({ page: { a: "A", b: "B" } }, { page: { a: "甲" } }), /lacks "page\.b"/);
  assert.match(pair({ a: "A" }, undefined), /lacks "a"/);
});

test("finds an empty sentence and one that is filled differently", () => {
  assert.match(pair({ a: "A" }, { a: " " }), /"a" is empty/);
  assert.match(pair({ a: "" }, { a: "甲" }), /en\.json "a" is empty/);
  assert.match(pair({ a: "at {port}" }, { a: "端口" }), /is filled with nothing, elsewhere with port/);
  assert.match(pair({ a: "at {{port}}" }, { a: "端口 {{prot}}" }), /is filled with prot, elsewhere with port/);
});

test("compares plural forms together", () => {
  assert.equal(pair({ n_one: "{{count}} read", n_other: "{{count}} reads" }, { n_other: "{{count}} 次" }), "");
});

test("the project speaks both languages", () => {
  const files = projectFiles();
  assert.ok(files.some(({ path }) => path.endsWith("/messages/zh-CN.json")));
  assert.equal(report(checkMessages(files)), "");
});
