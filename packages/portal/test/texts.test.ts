import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import en from "../src/messages/en.json" with { type: "json" };
import zh from "../src/messages/zh-CN.json" with { type: "json" };

const SOURCE = fileURLToPath(new URL("../src", import.meta.url));
const sources = globSync("**/*.{ts,tsx}", { cwd: SOURCE }).map((path) => ({
  path,
  text: readFileSync(`${SOURCE}/${path}`, "utf8"),
}));

/** Attributes that a reader sees or hears. */
const SPOKEN = new Set(["aria-label", "title", "alt", "placeholder", "label"]);

/** Text in a TSX file that would be shown as it stands, in one language only. */
function literalTexts(path: string, text: string): string[] {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX);
  const found: string[] = [];
  const look = (node: ts.Node): void => {
    if (ts.isJsxText(node) && /\p{L}/u.test(node.text)) found.push(node.text.trim());
    if (
      ts.isJsxAttribute(node) &&
      SPOKEN.has(node.name.getText()) &&
      node.initializer !== undefined &&
      ts.isStringLiteral(node.initializer)
    )
      found.push(node.initializer.text);
    if (
      ts.isJsxExpression(node) &&
      node.expression !== undefined &&
      ts.isStringLiteral(node.expression) &&
      !ts.isJsxAttribute(node.parent)
    )
      found.push(node.expression.text);
    ts.forEachChild(node, look);
  };
  look(file);
  return found;
}

test("no component holds text of its own", () => {
  const components = sources.filter(({ path }) => path.endsWith(".tsx"));
  assert.ok(components.length > 15);
  assert.deepEqual(
    components.flatMap(({ path, text }) => literalTexts(path, text).map((literal) => `${path}: ${literal}`)),
    [],
  );
  assert.deepEqual(
    literalTexts("x.tsx", 'const a = <p title="Hello">世界 {"x"}</p>;'),
    ["Hello", "世界", "x"],
    "the scan can see",
  );
});

test("no source holds Chinese outside the messages", () => {
  const chinese = sources.filter(({ text }) => /\p{Script=Han}/u.test(text)).map(({ path }) => path);
  assert.deepEqual(chinese, []);
});

test("both languages have the same messages, and each is used", () => {
  const base = (key: string): string => key.replace(/_(one|other)$/, "");
  const keys = (messages: object): string[] => [...new Set(Object.keys(messages).map(base))].sort();
  assert.deepEqual(keys(en), keys(zh));
  const all = sources.map(({ text }) => text).join("\n");
  // Keys that are put together from codes begin with what stands before the `${`.
  const prefixes = [...all.matchAll(/`([a-z][\w.]*[._])\$\{/g)].map(([, prefix]) => prefix as string);
  const composed = new Set([...prefixes, "proved.", "assumed.", "role.", "effect."]);
  const unused = keys(zh).filter((key) => !all.includes(`"${key}"`) && ![...composed].some((prefix) => key.startsWith(prefix)));
  assert.deepEqual(unused, []);
});

test("the page names no server", () => {
  const addresses = sources.flatMap(({ path, text }) =>
    [...text.matchAll(/["'`]((?:https?:)?\/\/[^"'`]*)/g)].map(([, address]) => `${path}: ${address}`),
  );
  assert.deepEqual(addresses, []);
  const html = readFileSync(`${SOURCE}/../index.html`, "utf8");
  assert.doesNotMatch(html, /https?:/);
  assert.match(html, /default-src 'self'/);
  // Which other nodes it may ask is in the policy that the server sends: the peers that its operator set.
  assert.match(html, /connect-src \*/);
});
