/** Imports point one way. Each rule is shown to fail on a planted fault first. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { reachable, table } from "../scripts/checks/import-table.ts";
import { checkImports } from "../scripts/checks/imports.ts";
import { projectFiles, report, type TextFile } from "../scripts/project-files.ts";

const manifest = (home: string, name: string, ...dependencies: string[]): TextFile => ({
  path: `${home}/package.json`,
  text: JSON.stringify({ name, dependencies: Object.fromEntries(dependencies.map((dependency) => [dependency, "1.0.0"])) }),
});
const MANIFESTS = [
  { path: "package.json", text: JSON.stringify({ devDependencies: { "fast-check": "1.0.0" } }) },
  manifest("packages/primitives", "@xinglin/primitives"),
  manifest("packages/crypto", "@xinglin/crypto", "@xinglin/primitives"),
  manifest("packages/contracts", "@xinglin/contracts", "@xinglin/crypto", "@xinglin/primitives"),
  manifest("packages/state", "@xinglin/state", "@xinglin/crypto"),
  manifest("packages/ledger", "@xinglin/ledger", "@xinglin/contracts", "@xinglin/state"),
  manifest("packages/client", "@xinglin/client", "@xinglin/crypto"),
  manifest("services/node", "@xinglin/node", "@xinglin/ledger"),
];
const inTree = (path: string, text: string): string => report(checkImports([...MANIFESTS, { path, text }]));

const faults: Record<string, { path: string; text: string; says: RegExp }> = {
  "upward, as a statement": {
    path: "packages/state/src/map.ts",
    text: '\nimport { run } from "@xinglin/ledger";',
    says: /^packages\/state\/src\/map\.ts:2 imports "@xinglin\/ledger": state may import crypto and what those may import/,
  },
  "upward, types only": {
    path: "packages/state/src/map.ts",
    text: 'import type { A } from "@xinglin/ledger";',
    says: /may import/,
  },
  "upward, re-exported": { path: "packages/state/src/map.ts", text: 'export * from "@xinglin/contracts";', says: /may import/ },
  "upward, at run time": { path: "packages/state/src/map.ts", text: 'await import("@xinglin/ledger");', says: /may import/ },
  "upward, in a test": { path: "packages/state/test/map.test.ts", text: 'import "@xinglin/ledger";', says: /may import/ },
  "a service": { path: "services/cli/src/main.ts", text: 'import "@xinglin/node";', says: /nothing imports a service/ },
  "the whole of crypto from a rule": {
    path: "packages/contracts/src/a.ts",
    text: 'import "@xinglin/crypto";',
    says: /rules import only/,
  },
  "crypto from its pure part": {
    path: "packages/crypto/src/pure/a.ts",
    text: 'import "../sealing.ts";',
    says: /from itself only/,
  },
  "its own entry by path": { path: "packages/state/src/map.ts", text: 'import "./index.ts";', says: /import the file itself/ },
  "its own entry from below": {
    path: "packages/state/src/tree/map.ts",
    text: 'import "../index.ts";',
    says: /import the file itself/,
  },
  "its own entry by name": {
    path: "packages/state/src/map.ts",
    text: 'import "@xinglin/state";',
    says: /import the file itself/,
  },
  "into another package by path": { path: "packages/ledger/src/a.ts", text: 'import "../../state/src/map.ts";', says: /by name/ },
  "what is not declared": { path: "packages/state/src/map.ts", text: 'import "left-pad";', says: /not among the dependencies/ },
  "a development tool in the source": {
    path: "packages/state/src/map.ts",
    text: 'import "fast-check";',
    says: /not among the dependencies/,
  },
  "crypto for Node in a browser": {
    path: "packages/client/src/a.ts",
    text: 'import "@xinglin/crypto/node";',
    says: /runs in a browser/,
  },
  "node in a browser": {
    path: "packages/verifier/src/a.ts",
    text: 'import { hash } from "node:crypto";',
    says: /runs in a browser/,
  },
};
for (const [name, { path, text, says }] of Object.entries(faults))
  test(`finds an import of ${name}`, () => {
    assert.match(inTree(path, text), says);
  });

test("finds a manifest that depends upward, and a package without a row", () => {
  assert.match(
    report(checkImports([manifest("packages/state", "@xinglin/state", "@xinglin/ledger")])),
    /depends on @xinglin\/ledger/,
  );
  assert.match(report(checkImports([manifest("packages/utils", "@xinglin/utils")])), /no row/);
});

test("lets pass what the table allows", () => {
  const allowed = [
    ["packages/ledger/src/a.ts", 'import "node:fs"; import "@xinglin/state"; import "./b.ts";'],
    ["packages/contracts/src/a.ts", 'import "@xinglin/crypto/pure"; import type { A } from "@xinglin/primitives";'],
    ["packages/state/test/map.test.ts", 'import "../src/index.ts"; import "fast-check"; import "node:test";'],
    ["packages/crypto/src/node/sign.ts", 'import "node:crypto";'],
    ["services/node/src/main.ts", 'import "@xinglin/ledger";'],
    ["packages/state/src/map.ts", '// import "@xinglin/ledger"\nconst text = "import x from \'@xinglin/ledger\'";'],
  ];
  for (const [path, text] of allowed) assert.equal(inTree(path!, text!), "");
});

test("the table has no circle and finds a planted one", () => {
  for (const unit of table.keys()) assert.ok(reachable(unit).has(unit));
  const round = new Map([
    ["a", ["b"]],
    ["b", ["a"]],
  ]);
  assert.throws(() => reachable("a", round), /imports go round: a → b → a/);
});

test("imports of the project point one way", () => {
  assert.equal(report(checkImports(projectFiles())), "");
});
