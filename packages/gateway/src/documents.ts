/**
 * What hospital systems hand over, turned into records: a DICOM study is one, a FHIR Bundle as many as it has classes, so that a consent
 * for one class opens no other. Nothing is archived before all of it is valid.
 * Source: requirements C4, I1; design.md, "Packages" (interop).
 */
import { mkdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import type { SourceFile } from "@xinglin/archive";
import type { Description, RecordClass } from "@xinglin/contracts";
import { writeFileDurably } from "@xinglin/custody";
import {
  type AcceptedBundle,
  amendAllergy,
  classify,
  type DicomInstance,
  describeResources,
  describeStudy,
  type FhirRejection,
  instanceFileName,
  isStricter,
  MAX_JSON_BYTES,
  readDicomSeries,
  rejectionFault,
  splitByClass,
  validateBundle,
} from "@xinglin/interop";
import { type ActorId, Fault, type RecordId } from "@xinglin/primitives";
import { type Anchored, amendRecord, type ImportOptions, importRecords, refileRecord } from "./anchor-records.ts";
import { describeImported } from "./describe-records.ts";
import type { Gateway } from "./keep-record.ts";

const DICOM_MEDIA_TYPE = "application/dicom";
const FHIR_MEDIA_TYPE = "application/fhir+json";

/** A Bundle that was refused, with every finding: element, code and facts, never values. */
export class BundleRefused extends Fault {
  readonly rejection: FhirRejection;

  constructor(rejection: FhirRejection) {
    super("fhir_invalid", rejectionFault(rejection).facts);
    this.rejection = rejection;
  }
}

/** Imports all instances of one study in `folder` as one record. Faults: those of `readDicomSeries` and `importRecords`. */
export async function importDicom(
  gateway: Gateway,
  folder: string,
  options: ImportOptions,
): Promise<{ record: Anchored; instances: number }> {
  const { instances } = await readDicomSeries(folder);
  const part = { class: strictestClass(instances), format: "dicom", files: filesOf(instances) } as const;
  const anchored = await importRecords(gateway, [part], options);
  const [record] = await described(gateway, options, anchored, [describeStudy(instances)]);
  return { record: record as Anchored, instances: instances.length };
}

/** The records with, where it is so, what kept their descriptions from being filed. */
async function described<Record extends Anchored>(
  { client }: Gateway,
  { by }: Pick<ImportOptions, "by">,
  records: readonly Record[],
  descriptions: readonly Description[],
): Promise<Record[]> {
  const filed = records.map(({ record, version }, i) => ({
    kind: "record" as const,
    record,
    version,
    description: descriptions[i] as Description,
  }));
  const undescribed = await describeImported(client, by, filed);
  return undescribed === undefined ? [...records] : records.map((record) => ({ ...record, undescribed }));
}

// Names of files can tell of patients: inside the object they are numbered, as viewers expect them.
const filesOf = (instances: readonly DicomInstance[]): SourceFile[] =>
  instances.map(({ source }, i) => ({
    location: source as string, // read from a folder
    path: instanceFileName(i),
    mediaType: DICOM_MEDIA_TYPE,
  }));

/**
 * The next version of a study, from all instances in `folder`; with `to`, filed under the right patient if it stood under the wrong one. Pixels that
 * are as before are not stored again. Faults: as `importDicom`; `class_mismatch` for a study of another class.
 */
export async function amendDicom(
  gateway: Gateway,
  { record: id, version, class: own }: Pick<Anchored, "record" | "version" | "class">,
  folder: string,
  options: Omit<ImportOptions, "patient"> & { readonly to?: ActorId },
): Promise<Anchored> {
  const { instances } = await readDicomSeries(folder);
  // A record keeps its class: consents were given for it.
  const { category, level } = strictestClass(instances);
  if (own.category !== category || own.level !== level) throw new Fault("class_mismatch");
  const [record, files] = [{ id, version, class: own }, filesOf(instances)];
  const amended =
    options.to === undefined
      ? await amendRecord(gateway, record, files, options)
      : await refileRecord(gateway, record, options.to, files, options);
  const [told] = await described(gateway, options, [amended], [describeStudy(instances)]);
  return told as Anchored;
}

/** A study of several modalities is kept as its most protected one. */
function strictestClass(instances: readonly DicomInstance[]): RecordClass {
  const classes = instances.map((instance) => classify(instance));
  return classes.reduce((strictest, next) => (isStricter(next.level, strictest.level) ? next : strictest));
}

/** Reads and validates a Bundle file. Throws `BundleRefused`, `too_large`, `file_missing`. */
export async function readBundle(path: string): Promise<AcceptedBundle> {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined || !found.isFile()) throw new Fault("file_missing", { path: basename(path) });
  if (found.size > MAX_JSON_BYTES) throw new Fault("too_large", { maxBytes: MAX_JSON_BYTES });
  return acceptBundle(readFileSync(path));
}

async function acceptBundle(bytes: Uint8Array): Promise<AcceptedBundle> {
  const checked = await validateBundle(bytes);
  if (!checked.ok) throw new BundleRefused(checked.refusal);
  return checked.value;
}

/** Imports a Bundle file as one record a class. The source keeps its originals under `originals`. */
export async function importBundle(
  gateway: Gateway,
  path: string,
  options: ImportOptions & { readonly originals: string },
): Promise<{ records: Anchored[]; resources: number }> {
  const bundle = await readBundle(path);
  const groups = splitByClass(bundle);
  const parts = groups.map(({ recordClass, bytes }) => ({
    class: recordClass,
    format: "fhir" as const,
    files: [{ content: bytes, path: "bundle.json", mediaType: FHIR_MEDIA_TYPE }],
  }));
  const records = await importRecords(gateway, parts, options);
  for (const [i, { record }] of records.entries()) keepOriginal(options.originals, record, groups[i]?.bytes as Uint8Array);
  const descriptions = groups.map(({ bytes }) => describeResources(bytes));
  return { records: await described(gateway, options, records, descriptions), resources: bundle.entries.length };
}

/** The next version of a FHIR record, from `bytes` that are validated again. */
export async function amendBundle(
  gateway: Gateway,
  record: Pick<Anchored, "record" | "version" | "class">,
  bytes: Uint8Array,
  options: Omit<ImportOptions, "patient"> & { readonly originals: string },
): Promise<Anchored> {
  const bundle = await acceptBundle(bytes);
  const files = [{ content: bundle.bytes, path: "bundle.json", mediaType: FHIR_MEDIA_TYPE }];
  const amended = await amendRecord(gateway, { id: record.record, version: record.version, class: record.class }, files, options);
  keepOriginal(options.originals, record.record, bundle.bytes);
  const [told] = await described(gateway, options, [amended], [describeResources(bundle.bytes)]);
  return told as Anchored;
}

/** Files a FHIR record that stood under the wrong patient under the right one, from `bytes` that are corrected and validated. */
export async function refileBundle(
  gateway: Gateway,
  record: Pick<Anchored, "record" | "version" | "class">,
  to: ActorId,
  bytes: Uint8Array,
  options: Omit<ImportOptions, "patient"> & { readonly originals: string },
): Promise<Anchored> {
  const bundle = await acceptBundle(bytes);
  const files = [{ content: bundle.bytes, path: "bundle.json", mediaType: FHIR_MEDIA_TYPE }];
  const refiled = await refileRecord(
    gateway,
    { id: record.record, version: record.version, class: record.class },
    to,
    files,
    options,
  );
  keepOriginal(options.originals, record.record, bundle.bytes);
  const [told] = await described(gateway, options, [refiled], [describeResources(bundle.bytes)]);
  return told as Anchored;
}

/** Changes the criticality of the first allergy in a record's original, and files that as the next version. */
export async function changeAllergy(
  gateway: Gateway,
  record: Pick<Anchored, "record" | "version" | "class">,
  change: { readonly criticality: "low" | "high"; readonly lastUpdated: string },
  options: Omit<ImportOptions, "patient"> & { readonly originals: string },
): Promise<Anchored> {
  const bundle = await acceptBundle(readFileSync(originalPath(options.originals, record.record)));
  const entry = bundle.entries.findIndex(({ resourceType }) => resourceType === "AllergyIntolerance");
  const amended = await amendAllergy(bundle, { entry, ...change });
  return amendBundle(gateway, record, amended.bundle.bytes, options);
}

/** Where the source keeps its own copy of a FHIR record. */
export const originalPath = (originals: string, record: RecordId): string => join(originals, `${record}.json`);

function keepOriginal(originals: string, record: RecordId, bytes: Uint8Array): void {
  mkdirSync(originals, { recursive: true, mode: 0o700 });
  writeFileDurably(originalPath(originals, record), bytes);
}
