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

/** Where a file stands: what decides which imports it may have. */
type Place = {
  readonly path: string;
  /** Its row of the table. */
  readonly unit: string;
  /** The folder of its package, service or top folder. */
  readonly home: string;
  readonly isSource: boolean;
  readonly name: string | undefined;
  /** The packages that it may name: its own, and for tests those of the whole tree. */
  readonly declared: ReadonlySet<string>;
};

/** Every import statement that the table or the rules beside it forbid, and every manifest that does. */
export function checkImports(files: readonly TextFile[]): Finding[] {
  const manifests = new Map<string, Manifest>();
  for (const { path, text } of files)
    if (/(^|\/)package\.json$/.test(path)) manifests.set(dirname(path), JSON.parse(text) as Manifest);
  const findings = files
    .filter(({ path }) => isCode(path))
    .flatMap((file) => {
      const place = placeOf(file.path, manifests);
      if (place === undefined) return [];
      return importsOf(file).flatMap(({ specifier, line }) => {
        const wrong = specifier.startsWith(".") ? wrongPath(place, specifier) : wrongName(place, specifier);
        return wrong === undefined ? [] : [{ path: file.path, line, says: `imports "${specifier}": ${wrong}` }];
      });
    });
  return [...findings, ...checkManifests(manifests)];
}

function placeOf(path: string, manifests: ReadonlyMap<string, Manifest>): Place | undefined {
  const unit = unitOf(path);
  if (unit === undefined) return undefined;
  const [top = "", folder = "", part] = path.split("/");
  const home = top === "packages" || top === "services" ? `${top}/${folder}` : top;
  const whole = manifests.get(".") ?? {};
  const own = manifests.get(home);
  const isSource = part === "src" || (top === "bench" && folder === "src");
  const declared = { ...own?.dependencies, ...(isSource ? {} : { ...own?.devDependencies, ...whole.devDependencies }) };
  // Checks and tests of the whole stand above all packages and have no manifest of their own to name them in.
  const all = own === undefined ? [...table.keys()].map((name) => `@xinglin/${name}`) : [];
  return { path, unit, home, isSource, name: own?.name, declared: new Set([...Object.keys(declared), ...all]) };
}

const IMPORT_FILE = "inside a package, import the file itself";
const RUNS_IN_BROWSER = "this code runs in a browser, too";

/** What is wrong with an import of a file, if anything is. */
function wrongPath({ path, unit, home, isSource }: Place, specifier: string): string | undefined {
  const target = join(dirname(path), specifier);
  if (!home.startsWith("packages/")) return undefined;
  if (!target.startsWith(`${home}/`)) return "other packages are imported by name";
  if (isSource && target === `${home}/src/index.ts`) return IMPORT_FILE;
  if (unit === "crypto/pure" && !target.startsWith("packages/crypto/src/pure/")) return "crypto/pure imports from itself only";
  return undefined;
}

/** What is wrong with an import of a module or package, if anything is. */
function wrongName({ path, unit, home, isSource, name, declared }: Place, specifier: string): string | undefined {
  if (isBrowserBound(path) && (specifier.startsWith("node:") || specifier === "@xinglin/crypto/node")) return RUNS_IN_BROWSER;
  if (specifier.startsWith("node:")) return undefined;
  const [first = "", second = ""] = specifier.split("/");
  const dependency = first.startsWith("@") ? `${first}/${second}` : first;
  if (dependency === name) return isSource ? IMPORT_FILE : undefined;
  if (first === "@xinglin") {
    const target = importedUnit(specifier);
    if (!table.has(target)) return "no package of the table; nothing imports a service";
    if (unit === "contracts" && isSource && !FOR_RULES.includes(specifier)) return `rules import only ${FOR_RULES.join(" and ")}`;
    if (!mayImport(unit, target)) return `${unit} may import ${rowOf(unit)}`;
  }
  return declared.has(dependency) ? undefined : `not among the dependencies in ${home}/package.json`;
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
