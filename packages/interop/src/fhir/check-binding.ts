/**
 * Codes that FHIR requires to come from a value set. `gender: "男"` is well-formed and means nothing to another hospital's system.
 * Source: FHIR R4 "Using Codes in Resources", binding strength required: a coded value outside the value set is not conformant.
 */
import type { JsonElement } from "./definitions.ts";
import type { IssueList } from "./issues.ts";
import { domainOf, tableOf } from "./national-domains.ts";
import { codesOf, grammarOf, type ValueSetCodes } from "./value-sets.ts";

/** A value set up to this many codes is listed in the finding; of a longer one only the number is given. */
const MAX_LISTED_CODES = 15;

/** Checks a `code` or `CodeableConcept` whose binding is required. A concept passes if one of its codings is in the set. */
export function checkBinding(value: unknown, found: JsonElement, path: string, issues: IssueList): void {
  const binding = found.element.binding;
  if (binding?.strength !== "required" || binding.valueSet === undefined) return;
  const url = binding.valueSet.split("|")[0] ?? binding.valueSet;
  if (found.type === "code") {
    if (typeof value === "string") checkCode(value, url, path, issues);
  } else if (found.type === "CodeableConcept") {
    checkConcept(value as { readonly coding?: unknown }, url, path, issues);
  }
}

function checkCode(value: string, url: string, path: string, issues: IssueList): void {
  const grammar = grammarOf(url);
  if (grammar !== undefined) {
    if (!grammar.pattern.test(value)) issues.add(path, "code_not_in_value_set", { valueSet: url, system: grammar.system });
    return;
  }
  const codes = codesOf(url);
  if (codes === undefined) return;
  for (const known of codes.bySystem.values()) if (known.has(value)) return;
  issues.add(path, "code_not_in_value_set", factsOf(codes, value));
}

function checkConcept(concept: { readonly coding?: unknown }, url: string, path: string, issues: IssueList): void {
  const codes = codesOf(url);
  if (codes === undefined) return;
  const codings = Array.isArray(concept.coding) ? (concept.coding as unknown[]) : [];
  if (codings.length === 0) {
    issues.add(path, "code_missing", factsOf(codes));
    return;
  }
  const inSet = codings.some((coding) => {
    const { system, code } = (coding ?? {}) as { system?: unknown; code?: unknown };
    return typeof system === "string" && typeof code === "string" && codes.bySystem.get(system)?.has(code) === true;
  });
  if (inSet) return;
  const first = codings.map((coding) => (coding as { code?: unknown } | null)?.code).find((code) => typeof code === "string");
  issues.add(`${path}.coding`, "code_not_in_value_set", factsOf(codes, first as string | undefined));
}

function factsOf(codes: ValueSetCodes, value?: string): Record<string, string | number> {
  const all = [...codes.bySystem.values()].flatMap((set) => [...set]);
  const domain = value === undefined ? undefined : domainOf(codes.url, value);
  return {
    valueSet: codes.url,
    system: [...codes.bySystem.keys()].join(" "),
    codes: all.length,
    ...(all.length <= MAX_LISTED_CODES && { allowed: all.join(", ") }),
    ...(domain !== undefined && { domain: domain.name, table: tableOf(domain) }),
  };
}
