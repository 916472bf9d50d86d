/**
 * Whether the pixel data that a header announces is really there. A scanner's disk that filled up, or a copy that broke off, leaves a file
 * whose header is perfect.
 * Source: DICOM PS3.5 section 8 and Annex A.4 (encapsulated pixel data), PS3.3 C.7.6.3 (Image Pixel).
 */
import { Fault } from "@xinglin/primitives";
import type { DataSet, Element } from "dicom-parser";
import type { ByteSource } from "./byte-source.ts";
import { type Header, trimmed } from "./parse-header.ts";
import type { TransferSyntax } from "./transfer-syntaxes.ts";

/** What the header says about the image. All zero for an object without pixels. */
export interface ImageShape {
  readonly rows: number;
  readonly columns: number;
  readonly frames: number;
}

const UNDEFINED_LENGTH = 0xffffffff;
const ITEM = 0xfffee000;
const SEQUENCE_END = 0xfffee0dd;

/** SOP classes whose instances always have pixels. Source: DICOM PS3.4 B.5, storage classes that are images. */
const IMAGE_CLASS =
  /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.(1(\.[123](\.[1-9])?)?|2(\.[12])?|3(\.1)?|4(\.[134])?|6(\.[12])?|7(\.[1-4])?|12\.[12](\.1)?|13\.1\.[1-5]|20|77\.1\.(1|2|3|4|5\.[1-4]|6)|128|130|481\.1)$/;

/** Checks the pixel data and everything after it; throws `Fault` `dicom_truncated`, `dicom_pixels_short` or `dicom_malformed`. */
export async function checkPixels(header: Header, sopClassUid: string): Promise<ImageShape> {
  const { dataSet, pixelData, source, syntax } = header;
  const rows = dataSet.uint16("x00280010") ?? 0;
  const columns = dataSet.uint16("x00280011") ?? 0;
  const hasOtherPixels = dataSet.elements.x7fe00008 !== undefined || dataSet.elements.x7fe00009 !== undefined;
  if (pixelData === undefined) {
    const isImage = (rows > 0 && columns > 0) || IMAGE_CLASS.test(sopClassUid);
    if (isImage && !hasOtherPixels)
      throw new Fault("dicom_truncated", { part: "pixel_data_missing", sizeBytes: source.sizeBytes });
    return { rows, columns, frames: isImage ? frameCount(dataSet) : 0 };
  }
  const frames = frameCount(dataSet);
  const isUndefined = pixelData.length === UNDEFINED_LENGTH;
  if (isUndefined !== syntax.isEncapsulated) throw new Fault("dicom_malformed", { part: "pixel_encoding" });
  let end: number;
  if (isUndefined) end = await checkFragments(source, pixelData, syntax.isVideo ? 1 : frames);
  else {
    end = pixelData.dataOffset + pixelData.length;
    if (end > source.sizeBytes)
      throw new Fault("dicom_truncated", {
        part: "pixel_data",
        declaredBytes: pixelData.length,
        presentBytes: source.sizeBytes - pixelData.dataOffset,
      });
    const expected = expectedBytes(dataSet, rows, columns, frames);
    if (pixelData.length < expected)
      throw new Fault("dicom_pixels_short", { expectedBytes: expected, declaredBytes: pixelData.length });
  }
  await checkTail(source, end, syntax);
  return { rows, columns, frames };
}

/** NumberOfFrames (0028,0008), 1 if absent. */
function frameCount(dataSet: DataSet): number {
  const frames = Number.parseInt(trimmed(dataSet.string("x00280008")) || "1", 10);
  return Number.isSafeInteger(frames) && frames > 0 ? frames : 1;
}

/** Bytes that native pixel data needs at least; 4:2:2 shares colour between two pixels. */
function expectedBytes(dataSet: DataSet, rows: number, columns: number, frames: number): number {
  const isSubsampled = trimmed(dataSet.string("x00280004")) === "YBR_FULL_422";
  const samples = isSubsampled ? 2 : (dataSet.uint16("x00280002") ?? 1);
  return Math.floor((rows * columns * frames * samples * (dataSet.uint16("x00280100") ?? 8)) / 8);
}

/** Follows the items of encapsulated pixel data from header to header; returns the offset after them. */
async function checkFragments(source: ByteSource, pixelData: Element, atLeast: number): Promise<number> {
  let at = pixelData.dataOffset;
  for (let items = 0; ; items++) {
    const head = await source.read(at, 8);
    if (head.length < 8)
      throw new Fault("dicom_truncated", {
        part: "fragment",
        fragment: items,
        presentBytes: source.sizeBytes - pixelData.dataOffset,
      });
    const view = new DataView(head.buffer, head.byteOffset, 8);
    const tag = view.getUint16(0, true) * 0x10000 + view.getUint16(2, true);
    const length = view.getUint32(4, true);
    if (tag === SEQUENCE_END) {
      // The first item is the offset table.
      if (items - 1 < atLeast) throw new Fault("dicom_pixels_short", { frames: atLeast, fragments: Math.max(0, items - 1) });
      return at + 8;
    }
    if (tag !== ITEM || length === UNDEFINED_LENGTH) throw new Fault("dicom_malformed", { part: "fragment", fragment: items });
    at += 8 + length;
    if (at > source.sizeBytes)
      throw new Fault("dicom_truncated", {
        part: "fragment",
        fragment: items,
        declaredBytes: length,
        presentBytes: Math.max(0, source.sizeBytes - (at - length)),
      });
  }
}

/** What may follow the pixel data is short (padding, signatures); each element has to end within the file. */
async function checkTail(source: ByteSource, start: number, syntax: TransferSyntax): Promise<void> {
  let at = start;
  while (at < source.sizeBytes) {
    const head = await source.read(at, 12);
    if (head.length < 8) throw new Fault("dicom_truncated", { part: "after_pixel_data", presentBytes: head.length });
    const view = new DataView(head.buffer, head.byteOffset, head.length);
    const little = !syntax.isBigEndian;
    let length = view.getUint32(4, little);
    let headBytes = 8;
    if (!syntax.isImplicit) {
      const vr = String.fromCharCode(head[4] ?? 0, head[5] ?? 0);
      if (!/^[A-Z]{2}$/.test(vr)) {
        // Zeros up to a block's end are common and harmless; anything else is not an element.
        if (head.every((byte) => byte === 0)) return;
        throw new Fault("dicom_malformed", { part: "after_pixel_data" });
      }
      const isLong = /^(OB|OD|OF|OL|OV|OW|SQ|SV|UC|UN|UR|UT|UV)$/.test(vr);
      if (isLong && head.length < 12) throw new Fault("dicom_truncated", { part: "after_pixel_data", presentBytes: head.length });
      length = isLong ? view.getUint32(8, little) : view.getUint16(6, little);
      headBytes = isLong ? 12 : 8;
    } else if (head.every((byte) => byte === 0)) return;
    if (length === UNDEFINED_LENGTH) return; // a sequence; nothing that is read later depends on its end
    at += headBytes + length;
    if (at > source.sizeBytes) throw new Fault("dicom_truncated", { part: "after_pixel_data", declaredBytes: length });
  }
}
