import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import fc from "fast-check";
import { bytesText, createSay, instantInShanghai, languageOf, progressBar, shanghaiTime } from "../src/terminal.ts";

const folder = mkdtempSync(join(tmpdir(), "xinglin-terminal-"));
after(() => rmSync(folder, { recursive: true }));

test("times show in Asia/Shanghai with their offset, whatever the machine's zone", () => {
  const threeAtNight = Date.UTC(2026, 1, 2, 19, 0, 0) / 1000;
  assert.equal(shanghaiTime(threeAtNight), "2026-02-03 03:00:00 +08:00");
  assert.equal(instantInShanghai(threeAtNight), "2026-02-03T03:00:00+08:00");
  // Midnight is 00:00 of the new day, and China has had no summer time since 1991.
  assert.equal(shanghaiTime(Date.UTC(2026, 6, 1, 16, 0, 0) / 1000), "2026-07-02 00:00:00 +08:00");
  assert.equal(shanghaiTime(Date.UTC(2025, 11, 31, 16, 0, 0) / 1000), "2026-01-01 00:00:00 +08:00");
  fc.assert(
    fc.property(fc.integer({ min: 1_600_000_000, max: 4_000_000_000 }), (seconds) => {
      assert.equal(Date.parse(instantInShanghai(seconds)) / 1000, seconds);
    }),
  );
});

test("sizes in decimal units", () => {
  const told = [0, 1, 999, 1000, 1050, 999_949, 1_000_000, 524_288_000, 2e9, 3.5e12, 4e15].map(bytesText);
  assert.deepEqual(told, [
    ...["0 B", "1 B", "999 B", "1.0 kB", "1.1 kB", "999.9 kB", "1.0 MB"],
    ...["524.3 MB", "2.0 GB", "3.5 TB", "4000.0 TB"],
  ]);
});

test("English for an English locale, otherwise Chinese", () => {
  assert.equal(languageOf({ LANG: "en_US.UTF-8" }), "en");
  assert.equal(languageOf({ LANG: "zh_CN.UTF-8" }), "zh-CN");
  assert.equal(languageOf({}), "zh-CN");
  assert.equal(languageOf({ LANG: "en_US.UTF-8", LC_ALL: "zh_CN.UTF-8" }), "zh-CN");
});

test("sentences come from the message file; a key without one is a fault, not silence", () => {
  writeFileSync(join(folder, "en.json"), JSON.stringify({ hello: "{who} has {count}" }));
  const lines: string[] = [];
  const say = createSay(pathToFileURL(`${folder}/`), "en", (line) => lines.push(line));
  say.plain("hello", { who: "A", count: 3 });
  say("hello", { who: "B", count: 4 });
  assert.equal(lines[0], "A has 3");
  assert.match(lines[1] ?? "", /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+08:00 {2}B has 4$/);
  assert.throws(() => say("unknown"), { code: "message_missing" });
});

test("a bar draws on a terminal only, and cleans up after itself", () => {
  const drawn = (isTTY: boolean): string => {
    let text = "";
    const stream = { isTTY, write: (part: string) => (text += part) } as unknown as NodeJS.WriteStream;
    const bar = progressBar("Import", stream);
    for (const done of [0, 1, 2, 500, 1000]) bar.update(done, 1000);
    bar.end();
    return text;
  };
  assert.equal(drawn(false), "");
  const steps = drawn(true).split("\r");
  const [bar0, bar15, bar30] = [0, 15, 30].map((cells) => `[${"█".repeat(cells)}${"·".repeat(30 - cells)}]`);
  assert.deepEqual(steps, [
    "",
    `Import ${bar0} 0 B / 1.0 kB`,
    `Import ${bar15} 500 B / 1.0 kB`,
    `Import ${bar30} 1.0 kB / 1.0 kB`,
    "\u{1b}[K",
  ]);
});
