/** A policy of tiers in a file: what it says, and what is wrong with it by line and key. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readTierPolicy } from "../src/config/read-tier-policy.ts";

const folder = mkdtempSync(join(tmpdir(), "xinglin-policy-"));
test.after(() => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, "tiers.yaml");
const read = (text: string) => {
  writeFileSync(file, text);
  return readTierPolicy(file);
};
const YAML = `type: xinglin-tiers/1
first: { fenPerTbMonth: 500 }
tiers:
  - { name: cool, afterDays: 90, unreadDays: 60, minBytes: 1000000, fenPerTbMonth: 300 }
  - { name: cold, afterDays: 365, unreadDays: 180, fenPerTbMonth: 200 }
`;

test("tiers with days, the least size and prices, in YAML or JSON", () => {
  const policy = read(YAML);
  assert.deepEqual(policy, [
    { name: "first", afterDays: 0, unreadDays: 0, minBytes: 0, yuanPerGbMonth: 0.005 },
    { name: "cool", afterDays: 90, unreadDays: 60, minBytes: 1_000_000, yuanPerGbMonth: 0.003 },
    { name: "cold", afterDays: 365, unreadDays: 180, minBytes: 0, yuanPerGbMonth: 0.002 },
  ]);
  const cold = { name: "cold", afterDays: 365, unreadDays: 180, fenPerTbMonth: 200 };
  assert.deepEqual(read(JSON.stringify({ type: "xinglin-tiers/1", first: { fenPerTbMonth: 500 }, tiers: [cold] })), [
    policy[0],
    policy[2],
  ]);
});

test("what is wrong is told by line and key; no file, or one that is too long, is not read", () => {
  const wrong = (text: string, line: number, key: string): void =>
    assert.throws(
      () => read(text),
      ({ code, facts }: { code: string; facts: { line: number; key: string } }) =>
        code === "config_wrong" && facts.line === line && facts.key === key,
    );
  wrong(YAML.replace("name: cool", "name: cold"), 5, "tiers.1.name");
  wrong(YAML.replace("name: cool", "name: first"), 4, "tiers.0.name");
  wrong(YAML.replace("afterDays: 90", "afterDays: -1"), 4, "tiers.0.afterDays");
  wrong(YAML.replace("fenPerTbMonth: 200", "fenPerTbMonth: 2.5"), 5, "tiers.1.fenPerTbMonth");
  wrong(YAML.replace("unreadDays: 180, ", "sinceDays: 180, "), 5, "tiers.1.sinceDays");
  wrong(YAML.split("  - ")[0] as string, 3, "tiers");
  wrong(`${YAML}#${" ".repeat(70_000)}`, 1, "-");
  assert.throws(() => readTierPolicy(join(folder, "none.yaml")), { code: "file_missing" });
});
