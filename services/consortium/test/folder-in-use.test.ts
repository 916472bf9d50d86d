/** A data folder has one program at a time, and who comes second is told which one that is. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { sentenceOf } from "@xinglin/api";
import type { Fault } from "@xinglin/primitives";
import { holdFolder } from "../src/folder-in-use.ts";

const folder = mkdtempSync(join(tmpdir(), "xh-"));
test.after(() => rmSync(folder, { recursive: true, force: true }));

test("the second one is told the process, by whatever way it reaches the folder; afterwards it is free", async () => {
  const data = join(folder, "data");
  const held = await holdFolder(data);
  assert.equal(existsSync(data), false, "nothing is written for one that may not start");
  await assert.rejects(holdFolder(data), { code: "folder_in_use", facts: { path: data, pid: "-" } });
  held.note();
  mkdirSync(join(folder, "elsewhere"));
  symlinkSync(folder, join(folder, "elsewhere", "link"));
  const other = join(folder, "elsewhere", "link", "data");
  await assert.rejects(holdFolder(other), (fault: Fault) => {
    assert.equal(fault.code, "folder_in_use");
    assert.deepEqual(fault.facts, { path: other, pid: String(process.pid) });
    for (const language of ["en", "zh-CN"] as const)
      assert.match(sentenceOf(fault.code, fault.facts, language), new RegExp(`${process.pid}.+--data`));
    return true;
  });
  await (await holdFolder(join(folder, "another"))).release();
  await held.release();
  assert.deepEqual(readdirSync(data), []);
  await (await holdFolder(other)).release();
});
