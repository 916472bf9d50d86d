/**
 * FHIR resources as a search knows them: types, codes of public code systems, status and months. Values, texts, references, identifiers and names are not
 * looked at. Source: requirement D7; docs/internals/search.md; FHIR R4.
 */
import { type Description, FHIR_STATUSES, type FhirEntry, MAX_ENTRIES, type SearchCode } from "@xinglin/contracts";
import { CARRIER_TYPES, CLASS_BY_TYPE } from "../classify/table.ts";
import { monthOf } from "./coded-month.ts";
import { publicCode } from "./public-code.ts";

type JsonObject = Readonly<Record<string, unknown>>;

/** Elements that say what a resource is about. What was found stands in others (`value[x]`, `interpretation`, `result`), which are not read. */
const CODE_ELEMENTS = ["code", "medicationCodeableConcept", "vaccineCode", "type"] as const;
/** When it was, the clinical time before the clerical one: the first that is there counts. Never a birth date. */
const TIME_ELEMENTS = [
  ...["effectiveDateTime", "effectiveInstant", "effectivePeriod", "performedDateTime", "performedPeriod"],
  ...["occurrenceDateTime", "occurrencePeriod", "onsetDateTime", "started", "period", "authoredOn", "whenHandedOver"],
  ...["recordedDate", "dateAsserted", "issued", "date", "created"],
] as const;

/** Describes a FHIR document in JSON: a Bundle's resources, or one resource. Never throws: what is no resource is left out. */
export function describeResources(json: Uint8Array): Description {
  let document: unknown;
  try {
    document = JSON.parse(Buffer.from(json.buffer, json.byteOffset, json.byteLength).toString("utf8"));
  } catch {
    return { format: "fhir", entries: [] };
  }
  const entries = new Map<string, FhirEntry>();
  for (const resource of resourcesOf(document)) {
    for (const entry of entriesOf(resource)) {
      const key = `${entry.type} ${entry.code?.system} ${entry.code?.code} ${entry.status}`;
      const known = entries.get(key);
      if (known !== undefined) entries.set(key, spanning(known, entry));
      else if (entries.size < MAX_ENTRIES) entries.set(key, entry);
    }
  }
  return { format: "fhir", entries: [...entries.values()] };
}

function resourcesOf(document: unknown): JsonObject[] {
  if (!isObject(document)) return [];
  if (document.resourceType !== "Bundle" || !Array.isArray(document.entry)) return [document];
  return document.entry.map((entry: unknown) => (isObject(entry) ? entry.resource : undefined)).filter(isObject);
}

function entriesOf(resource: JsonObject): FhirEntry[] {
  const { resourceType: type } = resource;
  if (typeof type !== "string" || !(CLASS_BY_TYPE.has(type) || CARRIER_TYPES.has(type))) return [];
  const status = statusOf(resource);
  const entry = { type, ...(status === undefined ? {} : { status }), ...monthsOf(resource) };
  const codes = codesOf(resource);
  return codes.length === 0 ? [entry] : codes.map((code) => ({ ...entry, code }));
}

function codesOf(resource: JsonObject): SearchCode[] {
  const components = Array.isArray(resource.component) ? resource.component.filter(isObject) : [];
  const concepts = [...CODE_ELEMENTS.map((name) => resource[name]), ...components.map(({ code }) => code)].flat();
  return concepts
    .filter(isObject)
    .flatMap(({ coding }) => (Array.isArray(coding) ? coding.filter(isObject) : []))
    .flatMap(({ system, code }) => publicCode(system, code) ?? []);
}

function statusOf({ status, clinicalStatus }: JsonObject): string | undefined {
  const codings = isObject(clinicalStatus) && Array.isArray(clinicalStatus.coding) ? clinicalStatus.coding.filter(isObject) : [];
  const told = [status, ...codings.map(({ code }) => code)];
  return told.find((one) => typeof one === "string" && FHIR_STATUSES.includes(one)) as string | undefined;
}

function monthsOf(resource: JsonObject): Pick<FhirEntry, "firstMonth" | "lastMonth"> {
  for (const name of TIME_ELEMENTS) {
    const time = resource[name];
    const [start, end] = isObject(time) ? [monthOf(time.start), monthOf(time.end)] : [monthOf(time), undefined];
    const first = start ?? end;
    if (first !== undefined) return { firstMonth: first, lastMonth: Math.max(first, end ?? first) };
  }
  return {};
}

function spanning(a: FhirEntry, b: FhirEntry): FhirEntry {
  const firsts = [a.firstMonth, b.firstMonth].filter((one) => one !== undefined);
  const lasts = [a.lastMonth, b.lastMonth].filter((one) => one !== undefined);
  return firsts.length === 0 ? a : { ...a, firstMonth: Math.min(...firsts), lastMonth: Math.max(...lasts) };
}

const isObject = (value: unknown): value is JsonObject => typeof value === "object" && value !== null && !Array.isArray(value);
