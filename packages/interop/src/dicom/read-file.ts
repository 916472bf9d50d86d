/**
 * DICOM Part 10 in: what a study is filed by, checked, without touching the pixels. Who the patient is stays undecoded until asked for, and
 * never shows when an instance is printed.
 * Source: DICOM PS3.10, PS3.3 (Patient, General Study, General Series, SOP Common, Image Pixel modules).
 */
import { Fault } from "@xinglin/primitives";
import type { DataSet } from "dicom-parser";
import { type InstanceValues, instanceValues } from "../describe/instance-values.ts";
import { type ByteSource, memorySource, withFile } from "./byte-source.ts";
import { decodeText } from "./character-set.ts";
import { checkPixels } from "./check-pixels.ts";
import { type Header, parseHeader, trimmed } from "./parse-header.ts";
import { decodePersonName, type PersonName, withoutPadding } from "./person-name.ts";

/** Texts of an instance that identify the patient or say something about them; decoded when asked for. */
export interface PatientTexts {
  readonly name: PersonName;
  readonly patientId: string;
  readonly birthDate: string;
  readonly sex: string;
  readonly accessionNumber: string;
  readonly referringPhysician: PersonName;
  readonly institution: string;
  readonly studyDescription: string;
  readonly seriesDescription: string;
}

const PATIENT_TAGS = {
  name: "x00100010",
  patientId: "x00100020",
  birthDate: "x00100030",
  sex: "x00100040",
  accessionNumber: "x00080050",
  referringPhysician: "x00080090",
  institution: "x00080080",
  studyDescription: "x00081030",
  seriesDescription: "x0008103e",
} as const;
type PatientField = keyof typeof PATIENT_TAGS;

/** One instance: identifiers, shape and place in its series. */
export class DicomInstance {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
  /** Defined term such as `CT`; `OT` (other) if the file has none. */
  readonly modality: string;
  /** UID of the transfer syntax. */
  readonly transferSyntax: string;
  readonly rows: number;
  readonly columns: number;
  readonly frames: number;
  readonly sizeBytes: number;
  readonly seriesNumber: number;
  readonly instanceNumber: number;
  /** Distance of the slice along the normal of its plane in mm; `undefined` if the file does not say. */
  readonly slicePosition: number | undefined;
  /** What a search may know of it. */
  readonly values: InstanceValues;
  /** Where the bytes are: a path, or the bytes themselves. */
  readonly source: string | Uint8Array;
  readonly #characterSets: readonly string[];
  readonly #texts: ReadonlyMap<PatientField, Uint8Array>;

  constructor(
    header: Header,
    shape: { rows: number; columns: number; frames: number },
    sizeBytes: number,
    source: string | Uint8Array,
  ) {
    const { dataSet } = header;
    this.sopClassUid = uid(dataSet, "x00080016", "(0008,0016)");
    this.sopInstanceUid = uid(dataSet, "x00080018", "(0008,0018)");
    this.studyInstanceUid = uid(dataSet, "x0020000d", "(0020,000D)");
    this.seriesInstanceUid = uid(dataSet, "x0020000e", "(0020,000E)");
    const modality = trimmed(dataSet.string("x00080060"));
    this.modality = /^[A-Z0-9_]{1,16}$/.test(modality) ? modality : "OT";
    this.transferSyntax = header.syntax.uid;
    this.rows = shape.rows;
    this.columns = shape.columns;
    this.frames = shape.frames;
    this.sizeBytes = sizeBytes;
    this.seriesNumber = integer(dataSet, "x00200011");
    this.instanceNumber = integer(dataSet, "x00200013");
    this.slicePosition = slicePosition(dataSet);
    this.values = instanceValues(dataSet, this.modality);
    this.source = source;
    this.#characterSets = trimmed(dataSet.string("x00080005")) === "" ? [] : trimmed(textOf(dataSet, "x00080005")).split("\\");
    this.#texts = new Map(
      (Object.keys(PATIENT_TAGS) as PatientField[]).map((field) => [
        field,
        Uint8Array.from(rawValue(dataSet, PATIENT_TAGS[field])),
      ]),
    );
  }

  /** Decodes the texts about the patient. Their callers answer for where these go: never into a log, an error or the chain. */
  decodePatientTexts(): PatientTexts {
    const raw = (field: PatientField): Uint8Array => this.#texts.get(field) ?? new Uint8Array();
    const text = (field: PatientField): string => withoutPadding(decodeText(raw(field), this.#characterSets).text);
    const name = (field: PatientField): PersonName => decodePersonName(raw(field), this.#characterSets);
    return {
      name: name("name"),
      patientId: text("patientId"),
      birthDate: text("birthDate"),
      sex: text("sex"),
      accessionNumber: text("accessionNumber"),
      referringPhysician: name("referringPhysician"),
      institution: text("institution"),
      studyDescription: text("studyDescription"),
      seriesDescription: text("seriesDescription"),
    };
  }
}

/**
 * Reads one Part 10 file from its path or bytes. Throws `Fault`: `dicom_not_part10`, `dicom_truncated`, `dicom_malformed`,
 * `dicom_transfer_syntax_unknown`, `dicom_element_missing`, `dicom_uid_malformed`, `dicom_uid_mismatch`, `dicom_pixels_short`,
 * `dicom_too_large`. Reads some 64 KiB of an ordinary file; the bytes in memory are not copied and must not change.
 */
export async function readDicomFile(file: string | Uint8Array): Promise<DicomInstance> {
  const read = async (source: ByteSource): Promise<DicomInstance> => {
    const header = await parseHeader(source);
    // Identity first: a file cut before it must not be taken for an object without pixels.
    const sopClassUid = uid(header.dataSet, "x00080016", "(0008,0016)");
    const instance = new DicomInstance(header, await checkPixels(header, sopClassUid), source.sizeBytes, file);
    if (header.mediaStorageUid !== "" && header.mediaStorageUid !== instance.sopInstanceUid)
      throw new Fault("dicom_uid_mismatch", { meta: "(0002,0003)", element: "(0008,0018)" });
    return instance;
  };
  return typeof file === "string" ? withFile(file, read) : read(memorySource(file));
}

/** More than any of the texts that are kept may have; what is beyond is not looked at. */
const MAX_TEXT_BYTES = 4096;

function rawValue(dataSet: DataSet, tag: string): Uint8Array {
  const element = dataSet.elements[tag];
  return element === undefined
    ? new Uint8Array()
    : dataSet.byteArray.subarray(element.dataOffset, element.dataOffset + Math.min(element.length, MAX_TEXT_BYTES));
}

/** All values as one text; the parser's `string` gives them together only without an index. */
const textOf = (dataSet: DataSet, tag: string): string => String.fromCharCode(...rawValue(dataSet, tag));

function uid(dataSet: DataSet, tag: string, element: string): string {
  const value = trimmed(dataSet.string(tag));
  if (value === "") throw new Fault("dicom_element_missing", { element });
  if (!/^[0-9]+(\.[0-9]+)*$/.test(value) || value.length > 64) throw new Fault("dicom_uid_malformed", { element });
  return value;
}

function integer(dataSet: DataSet, tag: string): number {
  const value = Number(trimmed(dataSet.string(tag)));
  return Number.isSafeInteger(value) ? value : 0;
}

/** The patient position of the first pixel, projected on the normal of the slice. Source: PS3.3 C.7.6.2.1.1. */
function slicePosition(dataSet: DataSet): number | undefined {
  const numbers = (tag: string): number[] => trimmed(textOf(dataSet, tag)).split("\\").map(Number);
  const [px, py, pz] = numbers("x00200032");
  const [rx, ry, rz, cx, cy, cz] = numbers("x00200037");
  if (px === undefined || py === undefined || pz === undefined || rx === undefined || ry === undefined || rz === undefined)
    return undefined;
  if (cx === undefined || cy === undefined || cz === undefined) return undefined;
  const distance = px * (ry * cz - rz * cy) + py * (rz * cx - rx * cz) + pz * (rx * cy - ry * cx);
  return Number.isFinite(distance) ? distance : undefined;
}
