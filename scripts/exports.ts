/**
 * What the packages offer, read from their source without compiling it: each exported name with its declaration and its doc
 * comment. The reference is written from it, and a test finds what has no comment.
 */
import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import ts from "typescript";

/** An exported declaration. `name` is as importers see it, `cbor.encode` inside of a namespace. */
export type Exported = {
  readonly name: string;
  /** Absolute path of the file that declares it. */
  readonly file: string;
  readonly line: number;
  /** The declaration as it is written, bodies left out. */
  readonly signature: string;
  /** The text of the comment that speaks for it (see `docOf`), without its frame; empty if there is none. */
  readonly doc: string;
};

type Declaration =
  | ts.FunctionDeclaration
  | ts.ClassDeclaration
  | ts.InterfaceDeclaration
  | ts.TypeAliasDeclaration
  | ts.VariableStatement;

const parsed = new Map<string, ts.SourceFile>();
function sourceOf(file: string): ts.SourceFile {
  const known = parsed.get(file) ?? ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true);
  parsed.set(file, known);
  return known;
}

/** Everything that importers of `entry` (an absolute path) get from this project, in the order of the source. */
export function exportsOf(entry: string): Exported[] {
  const source = sourceOf(entry);
  const imports = importedNames(source);
  return source.statements.flatMap((statement) => {
    if (ts.isExportDeclaration(statement)) return reExported(entry, statement, imports);
    return isDeclaration(statement) && isExported(statement) ? describe(statement, source) : [];
  });
}

/** Only what `file` itself declares and exports. */
export const declaredIn = (file: string): Exported[] => {
  const source = sourceOf(file);
  return source.statements.flatMap((statement) =>
    isDeclaration(statement) && isExported(statement) ? describe(statement, source) : [],
  );
};

/** The comment that opens a file, if it stands for the file and not for its first declaration. */
export function fileComment(file: string): string {
  const source = sourceOf(file);
  const [first] = ts.getLeadingCommentRanges(source.text, 0) ?? [];
  if (first === undefined || !source.text.startsWith("/**", first.pos)) return "";
  const [statement] = source.statements;
  const isOfStatement =
    statement !== undefined && isDeclaration(statement) && (ts.getLeadingCommentRanges(source.text, 0) ?? []).length === 1;
  return isOfStatement ? "" : unframed(source.text.slice(first.pos, first.end));
}

function reExported(entry: string, statement: ts.ExportDeclaration, imports: ReadonlyMap<string, Origin>): Exported[] {
  const from = statement.moduleSpecifier === undefined ? undefined : fileOf(entry, statement.moduleSpecifier);
  const { exportClause } = statement;
  if (exportClause === undefined) return from === undefined ? [] : exportsOf(from);
  if (ts.isNamespaceExport(exportClause))
    return from === undefined
      ? []
      : exportsOf(from).map((inner) => ({ ...inner, name: `${exportClause.name.text}.${inner.name}` }));
  return exportClause.elements.flatMap((element) => {
    const local = (element.propertyName ?? element.name).text;
    const origin =
      statement.moduleSpecifier === undefined
        ? (imports.get(local) ?? { file: entry, name: local })
        : { file: from, name: local };
    return origin.file === undefined
      ? []
      : findAll(origin.file, origin.name).map((found) => ({ ...found, name: element.name.text }));
  });
}

/** Declarations of `name` in `file`, exported there or not. */
function findAll(file: string, name: string): Exported[] {
  const exported = exportsOf(file).filter((candidate) => candidate.name === name);
  if (exported.length > 0) return exported;
  const source = sourceOf(file);
  return source.statements.flatMap((statement) =>
    isDeclaration(statement) ? describe(statement, source).filter((candidate) => candidate.name === name) : [],
  );
}

type Origin = { readonly file: string | undefined; readonly name: string };
function importedNames(source: ts.SourceFile): Map<string, Origin> {
  const names = new Map<string, Origin>();
  for (const statement of source.statements) {
    if (!ts.isImportDeclaration(statement)) continue;
    const file = fileOf(source.fileName, statement.moduleSpecifier);
    const bindings = statement.importClause?.namedBindings;
    if (bindings === undefined || !ts.isNamedImports(bindings)) continue;
    for (const element of bindings.elements)
      names.set(element.name.text, { file, name: (element.propertyName ?? element.name).text });
  }
  return names;
}

/** The file of a relative import; nothing for a package, which documents its own. */
const fileOf = (from: string, specifier: ts.Expression): string | undefined =>
  ts.isStringLiteral(specifier) && specifier.text.startsWith(".") && /\.tsx?$/.test(specifier.text)
    ? join(dirname(from), specifier.text)
    : undefined;

const isDeclaration = (node: ts.Node): node is Declaration =>
  ts.isFunctionDeclaration(node) ||
  ts.isClassDeclaration(node) ||
  ts.isInterfaceDeclaration(node) ||
  ts.isTypeAliasDeclaration(node) ||
  ts.isVariableStatement(node);

const isExported = (node: Declaration): boolean =>
  node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) ?? false;

function describe(node: Declaration, source: ts.SourceFile): Exported[] {
  const doc = docOf(node, source);
  const line = source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
  const common = { file: source.fileName, line, doc };
  if (ts.isVariableStatement(node))
    return node.declarationList.declarations.flatMap((declaration) =>
      ts.isIdentifier(declaration.name)
        ? [{ ...common, name: declaration.name.text, signature: `const ${variableSignature(declaration, source)}` }]
        : [],
    );
  if (node.name === undefined) return [];
  return [{ ...common, name: node.name.text, signature: signatureOf(node, source) }];
}

/**
 * The comment that speaks for a declaration: its own; else that of the line above, where both stand as one block; else that of the
 * value whose type it is; else that of the file, for the file's first export and for the one that the file is named after.
 */
function docOf(node: Declaration, source: ts.SourceFile): string {
  const own = ownDoc(node, source);
  if (own !== "") return own;
  const at = source.statements.indexOf(node);
  const above = source.statements[at - 1];
  const isOneBlock = above !== undefined && !/\n\s*\n/.test(source.text.slice(above.end, node.getStart(source)));
  const blockDoc = isOneBlock && isDeclaration(above) ? docOf(above, source) : "";
  if (blockDoc !== "") return blockDoc;
  if (ts.isTypeAliasDeclaration(node)) {
    const value = /\btypeof (\w+)/.exec(node.type.getText(source))?.[1];
    const declared = source.statements.find(
      (other) => isDeclaration(other) && other !== node && value !== undefined && namesOf(other).includes(value),
    );
    if (declared !== undefined && isDeclaration(declared)) return docOf(declared, source);
  }
  const isFirst = source.statements.find((other) => isDeclaration(other) && isExported(other)) === node;
  return isFirst || namesOf(node).some((name) => isNamesake(name, basename(source.fileName))) ? fileComment(source.fileName) : "";
}

const namesOf = (node: Declaration): string[] =>
  ts.isVariableStatement(node)
    ? node.declarationList.declarations.flatMap(({ name }) => (ts.isIdentifier(name) ? [name.text] : []))
    : node.name === undefined
      ? []
      : [node.name.text];

/** Whether `audit-log.ts` is the name of the file that declares `AuditLog`. */
const isNamesake = (name: string, file: string): boolean =>
  name.toLowerCase() ===
  file
    .replace(/\.tsx?$/, "")
    .replaceAll("-", "")
    .toLowerCase();

const ownDoc = (node: ts.Node, source: ts.SourceFile): string => {
  const last = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc).at(-1);
  return last === undefined ? "" : unframed(last.getText(source));
};

/** The text of a doc comment without stars. */
const unframed = (comment: string): string =>
  comment
    .replace(/^\/\*\*\s?|\s*\*\/$/g, "")
    .replace(/^[ \t]*\*[ \t]?/gm, "")
    .trim();

function signatureOf(node: Exclude<Declaration, ts.VariableStatement>, source: ts.SourceFile): string {
  if (ts.isFunctionDeclaration(node)) return textOf(node, source, node.body?.getStart(source));
  if (!ts.isClassDeclaration(node)) return textOf(node, source);
  const members = node.members.filter((member) => !isHidden(member)).map((member) => `  ${memberSignature(member, source)};`);
  return `${textOf(node, source, node.members.pos)}\n${members.join("\n")}\n}`;
}

const isHidden = (member: ts.ClassElement): boolean =>
  (member.name !== undefined && ts.isPrivateIdentifier(member.name)) ||
  (ts.canHaveModifiers(member) && (member.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword) ?? false));

function memberSignature(member: ts.ClassElement, source: ts.SourceFile): string {
  const body =
    ts.isMethodDeclaration(member) || ts.isConstructorDeclaration(member) || ts.isAccessor(member) ? member.body : undefined;
  const value = ts.isPropertyDeclaration(member) && member.type !== undefined ? member.initializer : undefined;
  const signature = textOf(member, source, (body ?? value)?.getStart(source)).replace(/\s*[=;]$/, "");
  const doc = ownDoc(member, source);
  return doc === "" ? signature : `/** ${doc.replace(/\n/g, "\n   * ")} */\n  ${signature}`;
}

/** Longer values are left out of a signature. */
const SHOWN_VALUE = 160;
function variableSignature(declaration: ts.VariableDeclaration, source: ts.SourceFile): string {
  const { initializer, type } = declaration;
  if (type !== undefined) return source.text.slice(declaration.getStart(source), type.end);
  if (initializer !== undefined && ts.isArrowFunction(initializer))
    return source.text.slice(declaration.getStart(source), initializer.equalsGreaterThanToken.getStart(source)).trimEnd();
  const text = declaration.getText(source);
  return text.length <= SHOWN_VALUE ? text : `${declaration.name.getText(source)} = …`;
}

const textOf = (node: ts.Node, source: ts.SourceFile, end = node.end): string =>
  source.text
    .slice(node.getStart(source), end)
    .replace(/^export (default )?/, "")
    .replace(/^async function/, "function")
    .trimEnd();
