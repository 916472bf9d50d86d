/**
 * The FHIR R4 definitions of types and resources, loaded when first needed: the data types at once (63, small), each resource type
 * when an instance of it shows up. Holds the state of `@medplum/core`, which is global to the thread.
 * Source: FHIR R4 4.0.1 StructureDefinitions; `@medplum/core` 5.2.13.
 */
import {
  type InternalSchemaElement,
  type InternalTypeSchema,
  indexStructureDefinitionBundle,
  isResourceType,
  tryGetDataType,
} from "@medplum/core";
import type { StructureDefinition } from "@medplum/fhirtypes";
import { DefinitionFile, readDefinitions } from "./definition-file.ts";

const PREFIX = "http://hl7.org/fhir/StructureDefinition/";
const types = new DefinitionFile("profiles-types.json");
const resources = new DefinitionFile("profiles-resources.json");

let resourceNames: ReadonlySet<string> | undefined;
const loaded = new Set<string>();

/** Loads the data types, once; blocks for some 100 ms the first time. */
function loadTypes(): ReadonlySet<string> {
  if (resourceNames !== undefined) return resourceNames;
  const urls = [...types.keys()]
    .filter((key) => key.startsWith("StructureDefinition "))
    .map((key) => key.slice("StructureDefinition ".length));
  indexStructureDefinitionBundle(urls.map((url) => types.read("StructureDefinition", url) as StructureDefinition));
  const names = new Set<string>();
  for (const key of resources.keys())
    if (key.startsWith(`StructureDefinition ${PREFIX}`)) names.add(key.slice(`StructureDefinition ${PREFIX}`.length));
  resourceNames = names;
  for (const abstract of ["Resource", "DomainResource"]) loadResource(abstract);
  return names;
}

function loadResource(name: string): void {
  loaded.add(name);
  indexStructureDefinitionBundle([resources.read("StructureDefinition", PREFIX + name) as StructureDefinition]);
}

/** Names that are abstract or logical, of which no instance exists. */
const NOT_INSTANTIABLE = new Set(["Resource", "DomainResource", "MetadataResource"]);

/** The schema of a resource type, or `undefined` if FHIR R4 has no such type. */
export function resourceSchema(name: string): InternalTypeSchema | undefined {
  if (!loadTypes().has(name) || NOT_INSTANTIABLE.has(name)) return undefined;
  if (!loaded.has(name)) loadResource(name);
  return isResourceType(name) ? tryGetDataType(name) : undefined;
}

/** Whether FHIR R4 has a resource type of this name; reads no definition of it. */
export const isResourceName = (name: string): boolean => loadTypes().has(name) && !NOT_INSTANTIABLE.has(name);

/** Every resource type of FHIR R4 that can have an instance, sorted. */
export const allResourceNames = (): string[] => [...loadTypes()].filter((name) => !NOT_INSTANTIABLE.has(name)).sort();

/** The schema of a data type or of the backbone of a loaded resource type. */
export function typeSchema(code: string): InternalTypeSchema | undefined {
  loadTypes();
  return tryGetDataType(code);
}

/** One name that JSON may use for an element: `deceasedBoolean` for the element `deceased[x]` of type `boolean`. */
export interface JsonElement {
  readonly element: InternalSchemaElement;
  /** Name in the definition, `deceased[x]` for a choice. */
  readonly name: string;
  readonly type: string;
  readonly isChoice: boolean;
}

const namesOf = new WeakMap<InternalTypeSchema, Map<string, JsonElement>>();

/** The elements of a type by the names that JSON uses for them. */
export function jsonElements(schema: InternalTypeSchema): Map<string, JsonElement> {
  const known = namesOf.get(schema);
  if (known !== undefined) return known;
  const byName = new Map<string, JsonElement>();
  for (const [name, element] of Object.entries(schema.elements)) {
    const isChoice = name.endsWith("[x]");
    for (const { code } of element.type) {
      const jsonName = isChoice ? name.slice(0, -3) + code.charAt(0).toUpperCase() + code.slice(1) : name;
      byName.set(jsonName, { element, name, type: code, isChoice });
    }
  }
  namesOf.set(schema, byName);
  return byName;
}

let knownNames: ReadonlySet<string> | undefined;

/**
 * Whether a name in the input is one that FHIR R4 uses for some element. Only such a name may be repeated in an error; any other could be a
 * patient's name in the wrong place. Reads the JSON schema of FHIR the first time, which only errors do.
 */
export function isKnownName(name: string): boolean {
  if (knownNames === undefined) {
    const { definitions } = readDefinitions("fhir.schema.json") as { definitions: Record<string, { properties?: object }> };
    knownNames = new Set(Object.values(definitions).flatMap(({ properties }) => Object.keys(properties ?? {})));
  }
  return knownNames.has(name);
}

/** Whether the values of a type are JSON strings, numbers or booleans. */
export const isPrimitive = (code: string): boolean => /^[a-z]/.test(code);
