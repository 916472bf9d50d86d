/**
 * The class of one resource or DICOM instance, from the table. Every coding anywhere in a resource is looked at, contained resources too, so
 * that a protected diagnosis does not leave under the class of the request that mentions it. Narrative is not read.
 * Source: design.md, "Words", "Class matrix"; the rows and their sources are in `table.ts`.
 */
import type { RecordClass } from "@xinglin/contracts";
import { isStricter } from "../classes.ts";
import {
  CARRIER_TYPES,
  CLASS_BY_MODALITY,
  CLASS_BY_TYPE,
  CLASS_OF_OTHER_MODALITIES,
  CODE_ROWS,
  GENOME_URL,
  SETTLED_BY_CODE,
  UNKNOWN_CONTENT,
} from "./table.ts";

interface Coding {
  readonly system: string;
  readonly code: string;
}
interface Marks {
  readonly codings: Coding[];
  isGenome: boolean;
}
type JsonObject = Readonly<Record<string, unknown>>;

/** The class of a parsed FHIR resource; never throws on a valid one. Linear in its size times the rows of the table. */
export function classifyResource(resource: JsonObject): RecordClass {
  const type = String(resource.resourceType);
  const everywhere: Marks = { codings: [], isGenome: false };
  collect(resource, everywhere);
  let recordClass = CARRIER_TYPES.has(type) ? UNKNOWN_CONTENT : (CLASS_BY_TYPE.get(type) ?? UNKNOWN_CONTENT);
  if (SETTLED_BY_CODE.has(type)) recordClass = settled(resource) ?? recordClass;
  for (const row of CODE_ROWS) {
    if (
      row.effect !== "raises" ||
      !everywhere.codings.some((coding) => row.system.test(coding.system) && row.code.test(coding.code))
    )
      continue;
    recordClass = stricter(recordClass, row.recordClass);
  }
  if (everywhere.isGenome) recordClass = stricter(recordClass, { level: "core", category: "genome" });
  return withContained(resource, recordClass);
}

/** The class of a DICOM instance by its modality. */
export const classifyModality = (modality: string): RecordClass => CLASS_BY_MODALITY.get(modality) ?? CLASS_OF_OTHER_MODALITIES;

/** The class of a FHIR resource (it has a `resourceType`) or of a DICOM instance (it has a `modality`). */
export const classify = (record: JsonObject | { readonly modality: string }): RecordClass =>
  "resourceType" in record ? classifyResource(record) : classifyModality(String(record.modality));

/** Equally closed: what was found first stays, except that the specially protected category takes all. */
const stricter = (current: RecordClass, found: RecordClass): RecordClass =>
  isStricter(found.level, current.level) || (found.level === current.level && found.category === "protected") ? found : current;

/** What the resource's own category, code and type say it is about. */
function settled(resource: JsonObject): RecordClass | undefined {
  const own: Marks = { codings: [], isGenome: false };
  for (const name of ["category", "code", "type"]) collect(resource[name], own);
  for (const row of CODE_ROWS)
    if (row.effect === "settles" && own.codings.some((coding) => row.system.test(coding.system) && row.code.test(coding.code)))
      return row.recordClass;
  return undefined;
}

/** A resource is at least as closed as what it contains. */
function withContained(resource: JsonObject, own: RecordClass): RecordClass {
  if (!Array.isArray(resource.contained)) return own;
  let recordClass = own;
  for (const contained of resource.contained as JsonObject[]) {
    if (typeof contained !== "object" || contained === null) continue;
    const inner = classifyResource(contained);
    if (isStricter(inner.level, recordClass.level)) recordClass = inner;
  }
  return recordClass;
}

function collect(value: unknown, marks: Marks): void {
  if (Array.isArray(value)) {
    for (const item of value) collect(item, marks);
    return;
  }
  if (typeof value !== "object" || value === null) return;
  const object = value as JsonObject;
  if (typeof object.code === "string" && typeof object.system === "string")
    marks.codings.push({ system: object.system, code: object.code });
  if (typeof object.url === "string" && GENOME_URL.test(object.url)) marks.isGenome = true;
  if (Array.isArray(object.profile))
    marks.isGenome ||= object.profile.some((url) => typeof url === "string" && GENOME_URL.test(url));
  for (const name of Object.keys(object)) if (name !== "contained") collect(object[name], marks);
}
