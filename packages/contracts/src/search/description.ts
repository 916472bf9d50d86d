/**
 * What a search may know of a record: a closed list of coded fields, none of which is taken over as text. Each field says why it is safe.
 * Source: requirement D7; docs/internals/search.md; DICOM PS3.3 C.7.3.1, C.8; FHIR R4 resources.
 */
import { actorId, credentialId, type Infer, recordId, type Schema, schema } from "@xinglin/primitives";
import { recordClass } from "../model/class.ts";
import { version } from "../model/record.ts";
import { BODY_PARTS, CODE_SYSTEMS, FHIR_STATUSES, MANUFACTURERS, MODALITIES } from "./vocabulary.ts";

const MONTHS_OF_YEAR = 12;
const anyMonth = schema.uint(999_912, 190_001);
/** A month as `yyyymm`, the only date that is kept: a day would single out a visit. */
export const month: Schema<number> = {
  parse(value, path = "") {
    const parsed = anyMonth.parse(value, path);
    schema.uint(MONTHS_OF_YEAR, 1).parse(parsed % 100, path);
    return parsed;
  },
};

/** Entries of one record at most; what a Bundle has beyond them is not found by them. */
export const MAX_ENTRIES = 256;
/** Descriptions that are filed at once. */
export const MAX_DESCRIPTIONS = 500;
/** Largest slice thickness, in micrometres: a metre. */
export const MAX_SLICE_MICROMETRES = 1_000_000;
/** Slice thickness is rounded to this step: the exact figure of a scanner could tell the machine. */
export const SLICE_STEP_MICROMETRES = 50;

/** A code of a public code system, its form and where it has one its check digit checked: nothing local, no free text. */
export const searchCode = schema.object({
  system: schema.oneOf(...CODE_SYSTEMS),
  code: schema.text(18, /^[A-Z0-9][A-Za-z0-9.-]*$/),
});
export type SearchCode = Infer<typeof searchCode>;

/** One kind of resource in a FHIR record: type, what it is about, status, and from which to which month. Never its value. */
export const fhirEntry = schema.object({
  type: schema.text(64, /^[A-Z][A-Za-z]+$/),
  code: schema.optional(searchCode),
  status: schema.optional(schema.oneOf(...FHIR_STATUSES)),
  firstMonth: schema.optional(month),
  lastMonth: schema.optional(month),
});
export type FhirEntry = Infer<typeof fhirEntry>;

/** Sizes are told as bit lengths, as the chain does: an exact count could be matched with a list of studies. */
const sizeClass = schema.uint(31);

/** What a record is: a DICOM study, or the resources of a FHIR Bundle. */
export const description = schema.variant("format", {
  dicom: schema.object({
    modalities: schema.list(schema.oneOf(...MODALITIES), 8),
    bodyParts: schema.list(schema.oneOf(...BODY_PARTS), 8),
    manufacturers: schema.list(schema.oneOf(...MANUFACTURERS), 4),
    month: schema.optional(month),
    seriesClass: sizeClass,
    instanceClass: sizeClass,
    /** Of the thinnest slices. */
    sliceMicrometres: schema.optional(schema.uint(MAX_SLICE_MICROMETRES, SLICE_STEP_MICROMETRES)),
    /** Whether any image names a contrast agent, not which. */
    contrast: schema.bool,
  }),
  fhir: schema.object({ entries: schema.list(fhirEntry, MAX_ENTRIES) }),
});
export type Description = Infer<typeof description>;
export type DicomDescription = Extract<Description, { readonly format: "dicom" }>;
export type FhirDescription = Extract<Description, { readonly format: "fhir" }>;

/** Which record it describes: a version of its own, or a leaf of a batch, of which the source says what the chain does not. */
export const describedRecord = schema.variant("kind", {
  record: schema.object({ record: recordId, version, description }),
  leaf: schema.object({
    record: recordId,
    root: schema.bytes(32),
    patient: actorId,
    class: recordClass,
    description,
  }),
});
export type DescribedRecord = Infer<typeof describedRecord>;

/** What a source's gateway files at its own node, under the credential with which it imports. */
export const descriptionFiling = schema.object({
  credential: schema.optional(credentialId),
  records: schema.list(describedRecord, MAX_DESCRIPTIONS, 1),
});
export type DescriptionFiling = Infer<typeof descriptionFiling>;

/** How many were kept, and which were not and why. */
export const filingAnswer = schema.object({
  kept: schema.uint(MAX_DESCRIPTIONS),
  refused: schema.list(schema.object({ record: recordId, code: schema.text(64) }), MAX_DESCRIPTIONS),
});
export type FilingAnswer = Infer<typeof filingAnswer>;
