import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { HISTORY, lastRun, QUOTED, tableOf, withTable } from "../src/figures.ts";

const line = (measure: string, value: number, commit: string, more: object = {}): string =>
  JSON.stringify({ at: "2026-01-02T03:04:05Z", suite: "a", measure, value, unit: "MB/s", conditions: {}, commit, ...more });

test("the last run is the newest of each measure at the newest commit", () => {
  const history = [line("x", 1, "old"), line("gone", 2, "old"), line("x", 3, "new"), line("x", 4, "new"), line("y", 5, "new")];
  const other = line("x", 9, "newer", { suite: "b" });
  const found = lastRun([...history, other, ""].join("\n"), "a").map(({ measure, value }) => `${measure} ${value}`);
  assert.deepEqual(found, ["x 4", "y 5"]);
});

test("a row says value, limit, peer and what was demanded", () => {
  const more = {
    limit: { name: "sha256", value: 2_000 },
    ratio: 0.61234,
    peer: { name: "other", value: 100 },
    speedup: 12,
    conditions: { demand: "≥ 0.6" },
  };
  const table = tableOf(lastRun(line("x", 1_234.5, "new", more), "a"));
  assert.match(table, /\| `x` \| 1,235 MB\/s \| 0\.612 of 2,000: sha256 \| 12 × 100: other \| ≥ 0\.6 \|/);
});

for (const { page, suite } of QUOTED)
  test(`the figures of ${suite} that a page quotes are those of the history`, () => {
    const text = readFileSync(page, "utf8");
    const table = tableOf(lastRun(readFileSync(HISTORY, "utf8"), suite));
    assert.equal(text, withTable(text, table), "node bench/src/figures.ts writes them anew");
  });
