/**
 * The header of a Part 10 file: everything before the pixel data, and nothing after. Bounded in memory whatever the file claims.
 * Source: DICOM PS3.10 section 7 (preamble, File Meta Information), PS3.5 section 7 (data elements); `dicom-parser` 1.8.21.
 */

import { createRequire } from "node:module";
import { inflateRawSync } from "node:zlib";
import { Fault } from "@xinglin/primitives";
import type { ByteArrayParser, DataSet, Element } from "dicom-parser";
import { type ByteSource, memorySource } from "./byte-source.ts";
import { type TransferSyntax, transferSyntax } from "./transfer-syntaxes.ts";

// The package is a script without ES exports, and its types leave out that DataSet is a class; this says what is there.
const dicomParser = createRequire(import.meta.url)("dicom-parser") as typeof import("dicom-parser") & {
  readonly DataSet: new (parser: ByteArrayParser, bytes: Uint8Array, elements: DataSet["elements"]) => DataSet;
};

/** A header may be so long; enhanced multi-frame objects have some megabytes. */
export const MAX_HEADER_BYTES = 64 * 1024 * 1024;
/** A deflated data set may unpack to so much. */
export const MAX_INFLATED_BYTES = 256 * 1024 * 1024;

const PREAMBLE_BYTES = 132;
/** Where File Meta Information Group Length (0002,0000) puts its value, and where the length counts from. */
const GROUP_LENGTH_VALUE = 140;
const META_START = 144;
const FIRST_READ_BYTES = 64 * 1024;
export const PIXEL_DATA = "x7fe00010";

/** A parsed header, and where the rest of the data set lies. */
export interface Header {
  readonly syntax: TransferSyntax;
  /** MediaStorageSOPInstanceUID (0002,0003). */
  readonly mediaStorageUid: string;
  readonly dataSet: DataSet;
  /** PixelData (7FE0,0010), of which only tag, length and offset are known; absent in objects without pixels. */
  readonly pixelData: Element | undefined;
  /** The data set's bytes: the file, or its inflated form. */
  readonly source: ByteSource;
}

/** Reads the header. Throws `Fault`: `dicom_not_part10`, `dicom_truncated`, `dicom_malformed`, `dicom_transfer_syntax_unknown`, `dicom_too_large`. */
export async function parseHeader(file: ByteSource): Promise<Header> {
  const meta = await readMeta(file);
  const source = meta.syntax.isDeflated ? await inflate(file, meta.end) : file;
  const start = meta.syntax.isDeflated ? 0 : meta.end;
  for (let length = FIRST_READ_BYTES; ; length *= 4) {
    const bytes = await source.read(0, Math.min(length, source.sizeBytes, MAX_HEADER_BYTES));
    const isAll = bytes.length === source.sizeBytes;
    const parsed = parse(bytes, start, meta.syntax, isAll);
    if (parsed !== undefined) return { ...meta, ...parsed, source };
    if (bytes.length >= MAX_HEADER_BYTES) throw new Fault("dicom_too_large", { part: "header", maxBytes: MAX_HEADER_BYTES });
  }
}

interface Meta {
  readonly syntax: TransferSyntax;
  readonly mediaStorageUid: string;
  /** Offset after the File Meta Information. */
  readonly end: number;
}

async function readMeta(file: ByteSource): Promise<Meta> {
  const head = await file.read(0, META_START);
  if (head.length < PREAMBLE_BYTES || String.fromCharCode(...head.subarray(128, 132)) !== "DICM")
    throw new Fault("dicom_not_part10", { sizeBytes: file.sizeBytes });
  if (head.length < META_START) throw new Fault("dicom_truncated", { part: "meta", sizeBytes: file.sizeBytes });
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  // (0002,0000) UL, length 4: has to be first, since it alone tells where the group ends.
  if (view.getUint32(132, true) !== 0x00000002 || view.getUint32(136, true) !== 0x00044c55)
    throw new Fault("dicom_malformed", { part: "meta_length" });
  const end = META_START + view.getUint32(GROUP_LENGTH_VALUE, true);
  if (end > file.sizeBytes) throw new Fault("dicom_truncated", { part: "meta", sizeBytes: file.sizeBytes });
  if (end > MAX_HEADER_BYTES) throw new Fault("dicom_too_large", { part: "meta", maxBytes: MAX_HEADER_BYTES });
  let dataSet: DataSet;
  try {
    dataSet = explicit(await file.read(0, end), PREAMBLE_BYTES);
  } catch {
    // What stands inside the announced length does not end with it.
    throw new Fault("dicom_malformed", { part: "meta_length" });
  }
  for (const tag of Object.keys(dataSet.elements))
    if (!tag.startsWith("x0002")) throw new Fault("dicom_malformed", { part: "meta_length" });
  const uid = trimmed(dataSet.string("x00020010"));
  if (uid === "") throw new Fault("dicom_malformed", { part: "transfer_syntax" });
  const syntax = transferSyntax(uid);
  if (syntax === undefined)
    throw new Fault("dicom_transfer_syntax_unknown", { transferSyntax: /^[0-9.]{1,64}$/.test(uid) ? uid : "malformed" });
  return { syntax, mediaStorageUid: trimmed(dataSet.string("x00020003")), end };
}

function explicit(bytes: Uint8Array, start: number): DataSet {
  const stream = new dicomParser.ByteStream(dicomParser.littleEndianByteArrayParser, bytes, start);
  const dataSet = newDataSet(stream);
  dicomParser.parseDicomDataSetExplicit(dataSet, stream, bytes.length);
  return dataSet;
}

/** An element may carry white space or NUL up to an even length. */
export const trimmed = (text: string | undefined): string => (text ?? "").replace(/[\0 ]+$/, "").trim();

async function inflate(file: ByteSource, start: number): Promise<ByteSource> {
  if (file.sizeBytes - start > MAX_INFLATED_BYTES)
    throw new Fault("dicom_too_large", { part: "deflated", maxBytes: MAX_INFLATED_BYTES });
  try {
    return memorySource(inflateRawSync(await file.read(start, file.sizeBytes - start), { maxOutputLength: MAX_INFLATED_BYTES }));
  } catch (cause) {
    const tooLong = (cause as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE";
    if (tooLong) throw new Fault("dicom_too_large", { part: "deflated", maxBytes: MAX_INFLATED_BYTES });
    throw new Fault("dicom_truncated", { part: "deflated", sizeBytes: file.sizeBytes });
  }
}

/** The elements up to PixelData within `bytes`; `undefined` if more bytes are needed. */
function parse(
  bytes: Uint8Array,
  start: number,
  syntax: TransferSyntax,
  isAll: boolean,
): Pick<Header, "dataSet" | "pixelData"> | undefined {
  const endian = syntax.isBigEndian ? dicomParser.bigEndianByteArrayParser : dicomParser.littleEndianByteArrayParser;
  if (start >= bytes.length) {
    if (!isAll) return undefined;
    throw new Fault("dicom_truncated", { part: "data_set", sizeBytes: bytes.length }); // nothing follows the meta information
  }
  const stream = new dicomParser.ByteStream(endian, bytes, start);
  const dataSet = newDataSet(stream);
  try {
    if (syntax.isImplicit) dicomParser.parseDicomDataSetImplicit(dataSet, stream, bytes.length, { untilTag: PIXEL_DATA });
    else dicomParser.parseDicomDataSetExplicit(dataSet, stream, bytes.length, { untilTag: PIXEL_DATA });
  } catch (error) {
    if (!isAll) return undefined;
    // The parser gives up with a sentence where it runs over the end, and the engine with a RangeError where nesting has no end.
    if (error instanceof RangeError) throw new Fault("dicom_malformed", { part: "data_set" });
    throw new Fault("dicom_truncated", { part: "data_set", sizeBytes: bytes.length });
  }
  const pixelData = dataSet.elements[PIXEL_DATA];
  if (pixelData === undefined && !isAll) return undefined;
  // The parser ends some elements quietly where the bytes end; one that is known to be there must be there whole.
  const ranOut =
    [...dataSet.warnings, ...stream.warnings].some((warning) => warning.startsWith("eof encountered")) ||
    Object.values(dataSet.elements).some(
      (element) => element !== pixelData && element.dataOffset + element.length > bytes.length,
    );
  if (ranOut && isAll) throw new Fault("dicom_truncated", { part: "data_set", sizeBytes: bytes.length });
  return { dataSet, pixelData };
}

function newDataSet(stream: InstanceType<typeof dicomParser.ByteStream>): DataSet {
  const dataSet = new dicomParser.DataSet(stream.byteArrayParser, stream.byteArray, {});
  dataSet.warnings = [];
  return dataSet;
}
