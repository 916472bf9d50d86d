import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const source = new URL("../src/", import.meta.url);
const files = readdirSync(source, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));

/** What a file imports, by the text between the quotes. */
const importsOf = (name: string): string[] =>
  [...readFileSync(new URL(name, source), "utf8").matchAll(/\bfrom "([^"]+)"|\bimport\("([^"]+)"\)/g)].map(
    (found) => found[1] ?? found[2] ?? "",
  );

test("only node/ knows Node, and pure/ knows nothing but noble hashes and primitives", () => {
  let portable = 0;
  let pure = 0;
  for (const name of files) {
    for (const imported of importsOf(name)) {
      if (!name.startsWith("node/")) {
        assert.doesNotMatch(imported, /^node:|^sodium-native$|\/node\//, `${name} imports ${imported}`);
        portable++;
      }
      if (name.startsWith("pure/")) {
        assert.match(imported, /^@noble\/hashes\/|^@xinglin\/primitives$|^\.\.?\/[^.]*\.ts$/, `${name} imports ${imported}`);
        pure++;
      }
    }
  }
  assert.ok(portable > 40 && pure > 20, `${portable} portable, ${pure} pure imports`);
});
