/**
 * Checks one resource against FHIR R4: our walk for what the validator library lets through, the library for cardinality, formats and the
 * invariants of the specification. The library's sentences can hold input, so each is turned into a code here and dropped.
 * Source: FHIR R4 4.0.1; `@medplum/core` 5.2.13 `validateResource`, `validateTypedValue`.
 */
import { OperationOutcomeError, type TypedValue, validateTypedValue } from "@medplum/core";
import type { OperationOutcomeIssue } from "@medplum/fhirtypes";
import { checkElements, checkResourceType, type WalkResult } from "./check-elements.ts";
import { isKnownName } from "./definitions.ts";
import type { FhirIssueCode, IssueList } from "./issues.ts";

/** What a resource may hold in one base64 element: as much as a whole Bundle. */
const MAX_BASE64_BYTES = 64 * 1024 * 1024;

export interface CheckedResource extends WalkResult {
  readonly resourceType: string;
}

/** Checks a parsed resource; `path` is where it stands (`Patient`, or `Bundle.entry[3].resource`). `undefined` if it is no resource at all. */
export function checkResource(resource: unknown, path: string | undefined, issues: IssueList): CheckedResource | undefined {
  const root = path ?? "Resource";
  if (typeof resource !== "object" || resource === null || Array.isArray(resource)) {
    issues.add(root, "not_an_object");
    return undefined;
  }
  const schema = checkResourceType(resource as Record<string, unknown>, root, issues);
  if (schema === undefined) return undefined;
  const at = path === undefined ? schema.name : `${path}.ofType(${schema.name})`;
  const walked = checkElements(resource as Record<string, unknown>, schema, at, issues);
  checkWithLibrary({ type: schema.name, value: resource }, schema.name, at, issues);
  return { ...walked, resourceType: schema.name };
}

/** Runs the validator library over a typed value whose paths begin with `typePath`, and reports its errors below `path`. */
export function checkWithLibrary(
  value: TypedValue,
  typePath: string,
  path: string,
  issues: IssueList,
  ignored: readonly string[] = [],
): void {
  const alreadyFound = issues.issues.length;
  let found: OperationOutcomeIssue[];
  try {
    found = validateTypedValue(value, { base64BinaryMaxBytes: MAX_BASE64_BYTES });
  } catch (error) {
    if (error instanceof OperationOutcomeError) found = error.outcome.issue;
    else {
      // The library assumes some shape before it checks it. Our walk names such an element; if it did not, refuse the whole.
      if (!issues.issues.some((issue) => issue.element.startsWith(path))) issues.add(path, "structure_wrong");
      return;
    }
  }
  for (const issue of found) {
    if (issue.severity !== "error") continue;
    const { code, facts } = translate(issue.details?.text ?? "");
    if (ignored.includes(String(facts.rule))) continue;
    const element = path + jsonSteps(value.value, (issue.expression?.[0] ?? typePath).slice(typePath.length));
    // The walk has already said this, more precisely.
    if (code === undefined || issues.has(element, alreadyFound)) continue;
    issues.add(element, code, facts);
  }
}

/**
 * The library's path as far as the definitions know its names (it puts names from the input into its paths), with `value[x]` written as
 * the instance writes it: `valueQuantity`.
 */
function jsonSteps(root: unknown, path: string): string {
  let kept = "";
  let at = root as Readonly<Record<string, unknown>> | undefined;
  for (const step of path.split(".").slice(path.startsWith(".") ? 1 : 0)) {
    const [, base = "", index] = /^_?([A-Za-z]+)(?:\[(x|\d+)\])?/.exec(step) ?? [];
    const name = index === "x" ? (Object.keys(at ?? {}).find((key) => isChoiceOf(key, base)) ?? base) : base;
    if (!isKnownName(name)) break;
    const value = at?.[name];
    const isElement = index !== undefined && index !== "x";
    kept += isElement ? `.${name}[${index}]` : `.${name}`;
    at = (isElement ? (value as readonly unknown[] | undefined)?.[Number(index)] : value) as typeof at;
  }
  return kept;
}

const isChoiceOf = (key: string, base: string): boolean => key.startsWith(base) && /^[A-Z]/.test(key.slice(base.length));

interface Translation {
  readonly code: FhirIssueCode | undefined;
  readonly facts: Record<string, string | number>;
}

/** The library's sentences, most frequent first. A group becomes a fact only where it cannot be input. */
const SENTENCES: readonly (readonly [RegExp, FhirIssueCode | undefined, ...string[]])[] = [
  [/^Constraint ([a-z]+-[0-9a-z]+) not met: ([\s\S]*)$/, "constraint_failed", "rule", "meaning"], // both from the definitions
  [/^Missing required property/, "element_missing"],
  [/^Invalid additional property/, undefined], // the walk reports it without the name
  [/^Invalid JSON type: expected (string|boolean|number)/, "type_wrong", "expected"],
  [/^Invalid numeric value/, "value_out_of_range"],
  [/^Expected number to be an (integer)/, "type_wrong", "expected"],
  [/^Expected number to be in the range (-?\d+\.\.\d+)/, "value_out_of_range", "range"],
  [/^String cannot be larger|^base64Binary exceeds/, "value_too_long"],
  [/^String must contain non-whitespace|^Invalid empty/, "empty"],
  [/^Expected array/, "list_expected"],
  [/^Expected single/, "list_unexpected"],
  [/^Invalid number of values: expected (\d+\.\.[\d*]+)/, "count_wrong", "expected"],
  [/^Value did not match/, "value_fixed"],
  [/^Invalid (?:null|undefined) value/, "null_value"],
  [/^Invalid ([A-Za-z0-9]+) (?:format|value)$/, "format_wrong", "type"],
];

function translate(sentence: string): Translation {
  for (const [pattern, code, ...names] of SENTENCES) {
    const match = pattern.exec(sentence);
    if (match !== null) return { code, facts: Object.fromEntries(names.map((name, i) => [name, match[i + 1] ?? ""])) };
  }
  return { code: "structure_wrong", facts: {} };
}
