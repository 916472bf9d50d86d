/**
 * `npm run docs` writes what the code itself knows: `docs/reference/` from the doc comments of each package's entry points and the
 * catalogue of codes, and `docs/internals/layout.md` from the import table. Nothing there is edited by hand.
 */
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { table } from "./checks/import-table.ts";
import { type Exported, exportsOf, fileComment } from "./exports.ts";
import { root } from "./project-files.ts";

const REFERENCE = "docs/reference";
/** Where the picture of the packages is written. */
export const LAYOUT = "docs/internals/layout.md";
const NOTICE = "<!-- Written by `npm run docs` from the source. Edit the source. -->";

/** A package with the files that its importers may name. */
export type Package = { readonly name: string; readonly folder: string; readonly entries: ReadonlyMap<string, string> };

/** The packages that export TypeScript, in the order of the import table. */
export function packages(): Package[] {
  const folders = globSync("packages/*/package.json", { cwd: root }).map((path) => path.split("/")[1]!);
  const order = [...table.keys()];
  folders.sort((a, b) => order.indexOf(a) - order.indexOf(b));
  return folders.flatMap((folder) => {
    const { name, exports } = JSON.parse(readFileSync(join(root, "packages", folder, "package.json"), "utf8")) as {
      name: string;
      exports: Record<string, string>;
    };
    const entries = Object.entries(exports).filter(
      ([, file]) => file.endsWith(".ts") && existsSync(join(root, "packages", folder, file)),
    );
    return entries.length === 0 ? [] : [{ name, folder, entries: new Map(entries) }];
  });
}

/** Absolute paths of a package's entry files with the specifier under which each is imported. */
export const entryFiles = ({ name, folder, entries }: Package): [specifier: string, file: string][] =>
  [...entries].map(([entry, file]) => [name + entry.slice(1), join(root, "packages", folder, file)]);

/** One page: every export of one package, by the file that declares it. */
export function referencePage(of: Package): string {
  const lines = [NOTICE, "", `# ${of.name}`, "", `What it owns: [README](../../packages/${of.folder}/README.md).`];
  for (const [specifier, file] of entryFiles(of)) {
    if (of.entries.size > 1) lines.push("", `# \`${specifier}\``);
    const byFile = Map.groupBy(exportsOf(file), (exported) => exported.file);
    for (const [source, exported] of byFile) lines.push(...section(of, source, exported));
  }
  return `${lines.join("\n")}\n`;
}

function section(of: Package, file: string, exported: readonly Exported[]): string[] {
  const path = relative(root, file);
  const about = fileComment(file);
  const lines = ["", `## [${relative(join("packages", of.folder, "src"), path)}](../../${path})`];
  if (about !== "") lines.push("", about);
  for (const { name, signature, doc } of exported) {
    lines.push("", `### ${name}`);
    if (doc !== "" && doc !== about) lines.push("", doc);
    lines.push("", "```ts", signature, "```");
  }
  return lines;
}

/** The packages as a picture and as a table, drawn from the import table. */
export function layoutPage(): string {
  const rows = [...table];
  const id = (name: string): string => name.replace("/", "_");
  const used = new Set(rows.flatMap(([, row]) => row));
  const tops = rows.map(([name]) => name).filter((name) => !used.has(name));
  const cell = (row: readonly string[]): string =>
    row.length === 0 ? "no other package" : row.map((name) => `\`${name}\``).join(", ");
  return `${[
    NOTICE,
    "",
    "# How the packages lie on each other",
    "",
    "An arrow says *may import*, and so does every chain of arrows. Nothing imports a service. The rows are",
    "[`scripts/import-table.json`](../../scripts/import-table.json); [`test/imports.test.ts`](../../test/imports.test.ts) holds every import",
    "statement and every `package.json` against them and prints the line that breaks one.",
    "",
    "```mermaid",
    "graph TD",
    ...rows.map(([name]) => `  ${id(name)}["${name}"]`),
    '  services(["services, bench"])',
    ...tops.map((name) => `  services --> ${id(name)}`),
    ...rows.flatMap(([name, row]) => row.map((next) => `  ${id(name)} --> ${id(next)}`)),
    "```",
    "",
    "| package | may import, with what those may import |",
    "| --- | --- |",
    ...rows.map(([name, row]) => `| \`${name}\` | ${cell(row)} |`),
    "| services, `bench` | every package |",
    "",
    "`crypto/pure` is the part of `crypto` that is synchronous and free of platform types; of `crypto`, rules see nothing else.",
  ].join("\n")}\n`;
}

/** Removes pages that were written here before, and only those. */
function clear(folder: string): void {
  for (const path of globSync("*.md", { cwd: folder }).map((name) => join(folder, name)))
    if (readFileSync(path, "utf8").startsWith(NOTICE)) rmSync(path);
}

if (import.meta.main) {
  const { errorReferencePage } = await import("../packages/api/src/error-reference.ts");
  clear(join(root, REFERENCE));
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
    console.log(path);
  };
  const all = packages();
  for (const each of all) write(`${REFERENCE}/${each.folder}.md`, referencePage(each));
  write(`${REFERENCE}/errors.md`, errorReferencePage());
  const index = all.map(({ name, folder }) => `- [${name}](${folder}.md)`);
  const lines = [
    NOTICE,
    "",
    "# Reference",
    "",
    "What each package offers:",
    "",
    ...index,
    "",
    "Every error code: [errors.md](errors.md).",
  ];
  write(`${REFERENCE}/README.md`, `${lines.join("\n")}\n`);
  write(LAYOUT, layoutPage());
}
