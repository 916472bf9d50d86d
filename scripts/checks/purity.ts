/**
 * Rules must come out the same on every node and in every year. The compiler already keeps platform types out of them; this finds
 * what the language itself still offers: clocks, randomness, locales, Unicode tables, floating point and waiting.
 * Source: style.md, "Imports point one way"; design.md, "Packages" (contracts).
 */
import ts from "typescript";
import { type Finding, lineAt, type TextFile } from "../project-files.ts";

const PURE = ["packages/contracts/src/", "packages/crypto/src/pure/"];

const GLOBALS = new Map([
  ["Date", "rules take the block's time"],
  ["Intl", "locales differ between machines"],
  ["performance", "a clock"],
  ["setTimeout", "a timer"],
  ["setInterval", "a timer"],
  ["setImmediate", "a timer"],
  ["queueMicrotask", "rules are synchronous"],
  ["Promise", "rules are synchronous"],
  ["parseFloat", "a float"],
  ["globalThis", "reaches everything that is kept out"],
  ["eval", "code from data"],
  ["WeakRef", "depends on the collector"],
  ["FinalizationRegistry", "depends on the collector"],
  ["Float32Array", "floats"],
  ["Float64Array", "floats"],
]);
const MEMBERS = new Map([
  ["localeCompare", "locales differ between machines"],
  ["parseFloat", "a float"],
  ["normalize", "Unicode tables differ between engines"],
  ["toFixed", "a float"],
  ["toPrecision", "a float"],
  ["toExponential", "a float"],
]);
/** Of Math, what is exact on integers; the rest is random or may differ in the last bit. */
const EXACT_MATH = ["abs", "ceil", "clz32", "floor", "imul", "max", "min", "sign", "trunc"];

/** Every use of something that could make two nodes differ. */
export function checkPurity(files: readonly TextFile[]): Finding[] {
  const findings: Finding[] = [];
  for (const { path, text } of files) {
    if (!PURE.some((folder) => path.startsWith(folder)) || !path.endsWith(".ts")) continue;
    const visit = (node: ts.Node): void => {
      const why = impurity(node);
      if (why !== undefined)
        findings.push({ path, line: lineAt(text, node.getStart(source)), says: `uses ${node.getText(source)}: ${why}` });
      node.forEachChild(visit);
    };
    const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
    visit(source);
  }
  return findings;
}

function impurity(node: ts.Node): string | undefined {
  if (ts.isNumericLiteral(node))
    return Number.isInteger(Number(node.text)) && !/^\d*\.|e-/i.test(node.getText()) ? undefined : "a float";
  if (ts.isAwaitExpression(node) || (ts.isForOfStatement(node) && node.awaitModifier !== undefined))
    return "rules are synchronous";
  if (!ts.isIdentifier(node)) return undefined;
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent) && parent.name === node) {
    const owner = parent.expression.getText();
    if (owner === "Math" && !EXACT_MATH.includes(node.text)) return "not exact, or random";
    return node.text.startsWith("toLocale") ? "locales differ between machines" : MEMBERS.get(node.text);
  }
  const isName =
    (ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent) || ts.isPropertyDeclaration(parent)) &&
    parent.name === node;
  return isName ? undefined : GLOBALS.get(node.text);
}
