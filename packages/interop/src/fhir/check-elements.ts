/**
 * Walks an instance beside its definition and reports what `@medplum/core` lets through: elements that FHIR does not have, two values in
 * a choice, empty lists and objects, ids, contained resources, reference targets and required code bindings.
 * Source: FHIR R4 "JSON Representation of Resources", "References between Resources" (R4 2.3.0), "Resource Types" (ids), "Using Codes".
 */
import type { InternalSchemaElement, InternalTypeSchema } from "@medplum/core";
import { checkBinding } from "./check-binding.ts";
import { checkNarrative } from "./check-narrative.ts";
import { checkReference, type ReferenceUse } from "./check-reference.ts";
import { isPrimitive, isResourceName, type JsonElement, jsonElements, resourceSchema, typeSchema } from "./definitions.ts";
import type { IssueList } from "./issues.ts";
import { nearestName } from "./nearest-name.ts";

type JsonObject = Readonly<Record<string, unknown>>;

/** R4 datatype `id`. */
export const isId = (value: unknown): boolean => typeof value === "string" && /^[A-Za-z0-9\-.]{1,64}$/.test(value);

const isObject = (value: unknown): value is JsonObject => typeof value === "object" && value !== null && !Array.isArray(value);

/** References met, which only the whole Bundle can resolve. */
export interface WalkResult {
  readonly references: ReferenceUse[];
}

/**
 * Checks one resource, contained ones included. `path` is the FHIRPath of the resource itself; findings go to `issues`.
 * Linear in the size of the resource.
 */
export function checkElements(resource: JsonObject, schema: InternalTypeSchema, path: string, issues: IssueList): WalkResult {
  const walk = new Walk(resource, issues);
  walk.contained(path);
  walk.object(resource, schema, path, isResourceName(schema.name));
  return { references: walk.references };
}

class Walk {
  readonly references: ReferenceUse[] = [];
  private readonly root: JsonObject;
  private readonly issues: IssueList;
  /** Type of each contained resource by its id. */
  private readonly containedTypes = new Map<string, string>();

  constructor(root: JsonObject, issues: IssueList) {
    this.root = root;
    this.issues = issues;
  }

  /** Reads the ids of contained resources first: references to them may come before them. */
  contained(path: string): void {
    if (!Array.isArray(this.root.contained)) return;
    for (const [index, resource] of this.root.contained.entries()) {
      if (!isObject(resource)) continue;
      const at = `${path}.contained[${index}]`;
      if (typeof resource.id !== "string") this.issues.add(at, "contained_id_missing");
      else if (this.containedTypes.has(resource.id)) this.issues.add(`${at}.id`, "contained_id_duplicate");
      else this.containedTypes.set(resource.id, String(resource.resourceType));
    }
  }

  object(value: JsonObject, schema: InternalTypeSchema, path: string, isResource: boolean): void {
    const names = Object.keys(value);
    // `resourceType` alone says nothing, except that an operation has no parameters.
    if (names.length === Number(isResource) && schema.name !== "Parameters") this.issues.add(path, "empty");
    const elements = jsonElements(schema);
    const choices = new Map<string, string>();
    for (const [position, name] of names.entries()) {
      if (isResource && name === "resourceType") continue;
      const companion = name.startsWith("_");
      const base = companion ? name.slice(1) : name;
      const found = elements.get(base);
      if (found === undefined || (companion && !isPrimitive(found.type))) {
        const nearest = nearestName(base, elements.keys());
        this.issues.add(`${path}.(unknown ${position + 1})`, "element_unknown", {
          position: position + 1,
          ...(nearest && { nearest }),
        });
        continue;
      }
      if (found.isChoice) {
        const other = choices.get(found.name);
        if (other !== undefined && other !== base) this.issues.add(`${path}.${base}`, "choice_conflict", { other });
        choices.set(found.name, base);
      }
      if (companion) this.companion(value[name], found, `${path}.${base}`);
      else this.member(value[name], value[`_${name}`], found, `${path}.${name}`, isResource && name === "id");
    }
  }

  private member(value: unknown, companion: unknown, found: JsonElement, path: string, isResourceId: boolean): void {
    if (value === undefined) return; // left out by the caller, who checks it on its own
    if (found.element.isArray) {
      if (!Array.isArray(value)) {
        this.issues.add(path, value === null ? "null_value" : "list_expected");
        return;
      }
      if (value.length === 0) {
        this.issues.add(path, "empty_list");
        return;
      }
      for (const [index, item] of value.entries()) {
        const paired = Array.isArray(companion) && isObject(companion[index]);
        if (item === null && isPrimitive(found.type) && paired) continue;
        this.single(item, found, `${path}[${index}]`);
      }
      return;
    }
    if (Array.isArray(value)) {
      this.issues.add(path, "list_unexpected");
      return;
    }
    if (isResourceId && !isId(value)) {
      this.issues.add(path, "id_malformed");
      return;
    }
    this.single(value, found, path);
  }

  private single(value: unknown, found: JsonElement, path: string): void {
    if (value === null) {
      this.issues.add(path, "null_value");
      return;
    }
    if (isPrimitive(found.type)) {
      if (typeof value === "object") {
        this.issues.add(path, "type_wrong", { expected: found.type });
        return;
      }
      if (typeof value === "string" && value.length === 0) {
        this.issues.add(path, "empty");
        return;
      }
      checkBinding(value, found, path, this.issues);
      return;
    }
    if (!isObject(value)) {
      this.issues.add(path, "type_wrong", { expected: found.type });
      return;
    }
    if (found.type === "Resource" || isResourceName(found.type)) {
      this.resource(value, path, found.name === "contained");
      return;
    }
    const schema = typeSchema(found.type);
    if (schema === undefined) return;
    this.object(value, schema, path, false);
    checkBinding(value, found, path, this.issues);
    if (found.type === "Narrative") checkNarrative(value, path, this.issues);
    if (found.type === "Reference") this.reference(value, found.element, path);
  }

  /** A contained resource, or one inside Parameters or a nested Bundle. */
  private resource(value: JsonObject, path: string, isContained: boolean): void {
    const schema = checkResourceType(value, path, this.issues);
    if (schema === undefined) return;
    const at = `${path}.ofType(${schema.name})`;
    if (isContained) {
      this.object(value, schema, at, true);
      return;
    }
    // Not contained but carried along: references to contained resources mean its own.
    this.references.push(...checkElements(value, schema, at, this.issues).references);
  }

  private companion(value: unknown, found: JsonElement, path: string): void {
    const schema = typeSchema("Element");
    const items = Array.isArray(value) ? value : [value];
    if (Array.isArray(value) !== found.element.isArray) {
      this.issues.add(path, found.element.isArray ? "list_expected" : "list_unexpected");
      return;
    }
    for (const item of items) {
      if (item === null && Array.isArray(value)) continue;
      if (!isObject(item)) this.issues.add(path, "type_wrong", { expected: "Element" });
      else if (schema !== undefined) this.object(item, schema, path, false);
    }
  }

  private reference(value: JsonObject, element: InternalSchemaElement, path: string): void {
    const use = checkReference(value, element, path, this.containedTypes, this.issues);
    if (use !== undefined) this.references.push(use);
  }
}

/** The schema of a resource by its `resourceType`; reports a missing or unknown one. */
export function checkResourceType(value: JsonObject, path: string, issues: IssueList): InternalTypeSchema | undefined {
  const name = value.resourceType;
  if (typeof name !== "string") {
    issues.add(path, "resource_type_missing");
    return undefined;
  }
  const schema = isResourceName(name) ? resourceSchema(name) : undefined;
  if (schema === undefined) issues.add(`${path}.resourceType`, "resource_type_unknown");
  return schema;
}
