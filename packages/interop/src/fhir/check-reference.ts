/**
 * Where a Reference points: a contained resource that exists, a resource of a type the element admits, an id that can be one.
 * What points at another entry of the same Bundle is handed back, since only the whole Bundle can tell.
 * Source: FHIR R4 "References between Resources" 2.3.0 (literal, contained and conditional references); `ElementDefinition.type.targetProfile`.
 */
import type { InternalSchemaElement } from "@medplum/core";
import { isResourceName } from "./definitions.ts";
import type { IssueList } from "./issues.ts";

/** A reference to be resolved among the entries of a Bundle. */
export interface ReferenceUse {
  readonly path: string;
  /** `urn:uuid:…`, `urn:oid:…` or an absolute URL, without a version. */
  readonly target: string;
  /** Resource types the element admits; empty for any. */
  readonly allowed: readonly string[];
}

const PREFIX = "http://hl7.org/fhir/StructureDefinition/";

/** `Type/id`, at the end of a URL or alone, with an optional version. */
const LITERAL = /(?:^|\/)([A-Za-z]+)\/([^/?#]+)(?:\/_history\/([^/?#]+))?(?:#.*)?$/;

/** Checks one Reference; returns it if it has to be resolved in the Bundle. */
export function checkReference(
  value: Readonly<Record<string, unknown>>,
  element: InternalSchemaElement,
  path: string,
  contained: ReadonlyMap<string, string>,
  issues: IssueList,
): ReferenceUse | undefined {
  const allowed = allowedTypes(element);
  if (typeof value.type === "string" && isResourceName(value.type)) checkTarget(value.type, allowed, `${path}.type`, issues);
  const reference = value.reference;
  if (typeof reference !== "string" || reference.length === 0) return undefined;
  const at = `${path}.reference`;
  if (reference.startsWith("#")) {
    if (reference === "#") return undefined; // the resource that contains this one
    const type = contained.get(reference.slice(1));
    if (type === undefined) issues.add(at, "contained_missing");
    else checkTarget(type, allowed, at, issues);
    return undefined;
  }
  if (/^urn:(uuid|oid):/.test(reference)) return { path: at, target: reference, allowed };
  const isAbsolute = /^[a-z][a-z0-9+.-]*:/i.test(reference);
  const conditional = /^([A-Za-z]+)\?/.exec(reference)?.[1];
  if (conditional !== undefined) {
    if (isResourceName(conditional)) checkTarget(conditional, allowed, at, issues);
    else issues.add(at, "reference_malformed");
    return undefined;
  }
  const [, type, id, version] = LITERAL.exec(reference) ?? [];
  if (type !== undefined && isResourceName(type)) {
    checkTarget(type, allowed, at, issues);
    const tooLong = [id, version].some((part) => part !== undefined && !/^[A-Za-z0-9\-.]{1,64}$/.test(part));
    if (tooLong) issues.add(at, "reference_malformed");
  } else if (!isAbsolute) issues.add(at, "reference_malformed");
  return undefined;
}

/** Whether a resource of `type` may stand where `allowed` are admitted; reports it if not. */
export function checkTarget(type: string, allowed: readonly string[], path: string, issues: IssueList): void {
  if (allowed.length === 0 || allowed.includes(type)) return;
  issues.add(path, "reference_target_wrong", { expected: allowed.join(", ") });
}

/** The resource types an element admits; empty if any, or if a profile outside FHIR R4 decides. */
function allowedTypes(element: InternalSchemaElement): string[] {
  const profiles = element.type.flatMap((type) => type.targetProfile ?? []);
  const names = profiles.map((profile) => (profile.startsWith(PREFIX) ? profile.slice(PREFIX.length) : "Resource"));
  return names.includes("Resource") ? [] : names;
}
