/** Names of files in objects: what may be created below a folder. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { firstBadPath, isArchivePath } from "../src/paths.ts";

const good = ["a", "study/IM0001", "研究/序列 1/图像.dcm", ".hidden", "a..b", "a.b.c", "x".repeat(255), "a/-/b"];
for (const path of good) test(`takes ${JSON.stringify(path.slice(0, 40))}`, () => assert.ok(isArchivePath(path)));

const bad: Record<string, string> = {
  empty: "",
  "parent folder": "../x",
  "parent folder inside": "a/../../x",
  "only the parent": "..",
  "current folder": "./x",
  absolute: "/etc/passwd",
  "absolute behind a slash": "a//b",
  "ends in a slash": "a/",
  "drive letter": "C:/x",
  "drive letter and backslash": "C:\\x",
  "network share": "\\\\server\\x",
  backslash: "a\\..\\x",
  "alternate stream": "a:b",
  NUL: "a\0b",
  "line break": "a\nb",
  "last dot": "a./b",
  "last space": "a ",
  "lone surrogate": "a\ud800",
  "long segment": "x".repeat(256),
  "long segment in UTF-8": "图".repeat(86),
  "long path": `${"a/".repeat(512)}a`,
};
for (const [what, path] of Object.entries(bad)) test(`refuses: ${what}`, () => assert.equal(isArchivePath(path), false));

test("finds repeats, whatever their case, and files used as folders", () => {
  assert.equal(firstBadPath(["a/x", "a/y", "b"]), -1);
  assert.equal(firstBadPath(["a/x", "b", "a/x"]), 2);
  assert.equal(firstBadPath(["a/x", "A/X"]), 1);
  assert.equal(firstBadPath(["a", "a/x"]), 1);
  assert.equal(firstBadPath(["a/x", "a"]), 1);
  assert.equal(firstBadPath(["caf\u00e9", "cafe\u0301"]), 1);
});
