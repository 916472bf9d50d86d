/**
 * Data elements in Explicit VR Little Endian, for the files that the study generator makes. Files that come in are never written anew.
 * Source: DICOM PS3.5 7.1.2, PS3.10 7.1.
 */
import { concat, utf8 } from "@xinglin/primitives";

/** A data element: tag as a number (`0x00100010`), value representation, value. Text is ASCII; other sets come as bytes. */
export type DicomElement = readonly [tag: number, vr: string, value: string | number | Uint8Array];

const LONG = /^(OB|OD|OF|OL|OV|OW|SQ|SV|UC|UN|UR|UT|UV)$/;

/** Bytes of elements, which must be in the order of their tags. */
export const encodeElements = (elements: readonly DicomElement[]): Uint8Array => concat(...elements.map(encodeElement));

/** The header of an element whose value follows from elsewhere. */
export function elementHeader(tag: number, vr: string, length: number): Uint8Array {
  const header = new Uint8Array(LONG.test(vr) ? 12 : 8);
  const view = new DataView(header.buffer);
  view.setUint16(0, tag >>> 16, true);
  view.setUint16(2, tag & 0xffff, true);
  header.set(utf8(vr), 4);
  if (header.length === 12) view.setUint32(8, length, true);
  else view.setUint16(6, length, true);
  return header;
}

function encodeElement([tag, vr, value]: DicomElement): Uint8Array {
  const bytes = valueBytes(vr, value);
  const isOdd = bytes.length % 2 === 1;
  return concat(
    elementHeader(tag, vr, bytes.length + Number(isOdd)),
    bytes,
    new Uint8Array(isOdd ? [vr === "UI" || vr === "OB" ? 0 : 0x20] : []),
  );
}

function valueBytes(vr: string, value: string | number | Uint8Array): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value === "string") return utf8(value);
  const bytes = new Uint8Array(vr === "US" ? 2 : 4);
  const view = new DataView(bytes.buffer);
  if (vr === "US") view.setUint16(0, value, true);
  else view.setUint32(0, value, true);
  return bytes;
}

/** Preamble, `DICM` and File Meta Information for a data set in Explicit VR Little Endian. */
export function fileMeta(sopClassUid: string, sopInstanceUid: string): Uint8Array {
  const group = encodeElements([
    [0x00020001, "OB", new Uint8Array([0, 1])],
    [0x00020002, "UI", sopClassUid],
    [0x00020003, "UI", sopInstanceUid],
    [0x00020010, "UI", "1.2.840.10008.1.2.1"],
    [0x00020012, "UI", "2.25.190358107529187253904613562194870345911"],
    [0x00020013, "SH", "XINGLIN"],
  ]);
  return concat(new Uint8Array(128), utf8("DICM"), encodeElements([[0x00020000, "UL", group.length]]), group);
}
