/**
 * Imports point one way, are declared where they are used, and go to the file that is meant.
 * Source: style.md, "Imports point one way".
 */
import { dirname, join } from "node:path/posix";
import ts from "typescript";
import { type Finding, lineAt, type TextFile } from "../project-files.ts";
import { importedUnit, mayImport, table, unitOf } from "./import-table.ts";

/** An import statement, `export … from` or dynamic import with a literal. */
type Import = { readonly specifier: string; readonly line: number };
type Manifest = {
  readonly name?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
};

const isCode = (path: string): boolean => /\.(ts|tsx|mts|mjs)$/.test(path);

function importsOf(file: TextFile): Import[] {
  const { importedFiles } = ts.preProcessFile(file.text, true, true);
  return importedFiles.map(({ fileName, pos }) => ({ specifier: fileName, line: lineAt(file.text, pos) }));
}

/** Code that runs in a browser as well: no `node:` module may be reached from there. A `node` folder is the other half of a pair. */
const BROWSER_BOUND = ["primitives", "crypto", "contracts", "verifier", "client", "portal"];
const isBrowserBound = (path: string): boolean => {
  const [top, name = "", part, ...inner] = path.split("/");
  return top === "packages" && BROWSER_BOUND.includes(name) && part === "src" && !inner.includes("node");
};

/** Packages of `@xinglin/` that a rule may import, and nothing else. */
const FOR_RULES = ["@xinglin/crypto/pure", "@xinglin/primitives"];

/** Every import statement that the table or the rules beside it forbid. */
export function checkImports(files: readonly TextFile[]): Finding[] {
  const manifests = new Map<string, Manifest>();
  for (const { path, text } of files)
    if (/(^|\/)package\.json$/.test(path)) manifests.set(dirname(path), JSON.parse(text) as Manifest);
  const rootManifest = manifests.get(".") ?? {};
  const findings: Finding[] = [];

  for (const file of files.filter(({ path }) => isCode(path))) {
    const unit = unitOf(file.path);
    if (unit === undefined) continue;
    const [top = "", name = "", part = ""] = file.path.split("/");
    const home = top === "packages" || top === "services" ? `${top}/${name}` : top;
    const isSource = part === "src" || top === "bench";
    const manifest = manifests.get(home) ?? rootManifest;
    for (const { specifier, line } of importsOf(file)) {
      const found = (says: string): void =>
        void findings.push({ path: file.path, line, says: `imports "${specifier}": ${says}` });
      if (specifier.startsWith(".")) {
        const target = join(dirname(file.path), specifier);
        const isOwnEntry = target === `${home}/src/index.ts` && isSource && top === "packages";
        if (isOwnEntry && file.path !== target) found("inside a package, import the file itself");
        if (target.split("/").slice(0, 2).join("/") !== file.path.split("/").slice(0, 2).join("/") && top === "packages")
          found("other packages are imported by name");
        if (unit === "crypto/pure" && !target.startsWith("packages/crypto/src/pure/"))
          found("crypto/pure imports from itself only");
        continue;
      }
      if (specifier.startsWith("node:")) {
        if (isBrowserBound(file.path)) found("this code runs in a browser, too");
        continue;
      }
      const dependency = specifier
        .split("/")
        .slice(0, specifier.startsWith("@") ? 2 : 1)
        .join("/");
      if (dependency === manifest.name) {
        if (isSource) found("inside a package, import the file itself");
        continue;
      }
      if (dependency.startsWith("@xinglin/")) {
        const target = importedUnit(specifier);
        if (!table.has(target)) found("no package of the table; nothing imports a service");
        else if (!mayImport(unit, target)) found(`${unit} may import ${rowOf(unit)}`);
        if (specifier === "@xinglin/crypto/node" && isBrowserBound(file.path)) found("this code runs in a browser, too");
        if (unit === "contracts" && isSource && !FOR_RULES.includes(specifier))
          found(`rules import only ${FOR_RULES.join(" and ")}`);
      }
      const declared = {
        ...manifest.dependencies,
        ...(isSource ? {} : { ...manifest.devDependencies, ...rootManifest.devDependencies }),
      };
      const isRootTool = manifest === rootManifest && dependency.startsWith("@xinglin/"); // tests of the whole
      if (!Object.hasOwn(declared, dependency) && !isRootTool) found(`not among the dependencies in ${home}/package.json`);
    }
  }
  return [...findings, ...checkManifests(manifests)];
}

/** Dependencies on packages of our own that the table forbids, whether anything imports them or not. */
function checkManifests(manifests: ReadonlyMap<string, Manifest>): Finding[] {
  return [...manifests].flatMap(([home, manifest]) => {
    const unit = unitOf(`${home}/`);
    if (unit === undefined) return [];
    const path = `${home}/package.json`;
    if (unit !== "*" && !table.has(unit)) return [{ path, says: "this package has no row in scripts/import-table.json" }];
    return (
      Object.keys({ ...manifest.dependencies, ...manifest.devDependencies })
        .filter((dependency) => dependency.startsWith("@xinglin/"))
        .map(importedUnit)
        // A package that may use only a part of crypto still names the whole in its manifest.
        .filter((target) => !mayImport(unit, target) && !(target === "crypto" && mayImport(unit, "crypto/pure")))
        .map((target) => ({ path, says: `depends on @xinglin/${target}; ${unit} may import ${rowOf(unit)}` }))
    );
  });
}

const rowOf = (unit: string): string => {
  const row = table.get(unit) ?? [];
  return row.length === 0 ? "no other package" : `${row.join(", ")} and what those may import`;
};
