/**
 * The value sets that FHIR R4 requires codes to come from. All but three of the 227 required sets list their codes, or take whole code
 * systems that do; the three that are defined outside FHIR (media types, currencies, UCUM units) are checked by their grammar only.
 * Source: FHIR R4 "Terminologies", binding strength required; BCP 13; ISO 4217.
 */
import { DefinitionFile } from "./definition-file.ts";

const files = ["valuesets.json", "v3-codesystems.json", "v2-tables.json"].map((name) => new DefinitionFile(name));

interface Concept {
  readonly code: string;
  readonly concept?: readonly Concept[];
}
interface CodeSystem {
  readonly content: string;
  readonly concept?: readonly Concept[];
}
interface Include {
  readonly system?: string;
  readonly concept?: readonly Concept[];
  readonly filter?: unknown;
  readonly valueSet?: readonly string[];
}
interface ValueSet {
  readonly compose?: { readonly include: readonly Include[]; readonly exclude?: readonly Include[] };
}

/** The codes a value set admits, by code system. */
export interface ValueSetCodes {
  readonly url: string;
  readonly bySystem: ReadonlyMap<string, ReadonlySet<string>>;
}

/** A value set that is defined outside FHIR: its code system, and what its codes look like. */
export interface CodeGrammar {
  readonly system: string;
  readonly pattern: RegExp;
}

const GRAMMARS: Readonly<Record<string, CodeGrammar>> = {
  "http://hl7.org/fhir/ValueSet/mimetypes": {
    system: "urn:ietf:bcp:13",
    pattern: /^[A-Za-z0-9!#$&^_.+-]+(\/[A-Za-z0-9!#$&^_.+-]+)?( *;.*)?$/,
  },
  "http://hl7.org/fhir/ValueSet/currencies": { system: "urn:iso:std:iso:4217", pattern: /^[A-Z]{3}$/ },
};

const expanded = new Map<string, ValueSetCodes | undefined>();

/** The grammar that stands in for a value set defined outside FHIR. */
export const grammarOf = (url: string): CodeGrammar | undefined => GRAMMARS[url];

/** The codes of a value set, or `undefined` if they cannot be listed. `url` may carry a version, which is ignored: all are of R4. */
export function codesOf(url: string): ValueSetCodes | undefined {
  const bare = url.split("|")[0] ?? url;
  if (!expanded.has(bare)) expanded.set(bare, expand(bare));
  return expanded.get(bare);
}

function read(resourceType: string, url: string): unknown {
  for (const file of files) if (file.has(resourceType, url)) return file.read(resourceType, url);
  return undefined;
}

function expand(url: string): ValueSetCodes | undefined {
  const compose = (read("ValueSet", url) as ValueSet | undefined)?.compose;
  if (compose === undefined || compose.exclude !== undefined) return undefined;
  const bySystem = new Map<string, Set<string>>();
  for (const include of compose.include) {
    if (include.system === undefined || include.filter !== undefined || include.valueSet !== undefined) return undefined;
    const concepts = include.concept ?? wholeSystem(include.system);
    if (concepts === undefined) return undefined;
    const codes = bySystem.get(include.system) ?? new Set<string>();
    addAll(concepts, codes);
    bySystem.set(include.system, codes);
  }
  return { url, bySystem };
}

function wholeSystem(system: string): readonly Concept[] | undefined {
  const codeSystem = read("CodeSystem", system) as CodeSystem | undefined;
  return codeSystem?.content === "complete" ? codeSystem.concept : undefined;
}

function addAll(concepts: readonly Concept[], codes: Set<string>): void {
  for (const { code, concept } of concepts) {
    codes.add(code);
    if (concept !== undefined) addAll(concept, codes);
  }
}
