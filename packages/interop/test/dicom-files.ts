/** Builds small DICOM files that are wrong in one way. */
import { concat, utf8 } from "@xinglin/primitives";
import { type DicomElement, elementHeader, encodeElements, fileMeta } from "../src/dicom/write-elements.ts";

export const CT = "1.2.840.10008.5.1.4.1.1.2";

/** Settings of a file made for a test; the defaults are right. */
export interface MadeFile {
  readonly sopInstanceUid?: string;
  readonly studyInstanceUid?: string;
  readonly sopClassUid?: string;
  readonly pixelBytes?: number;
  readonly rows?: number;
  readonly instanceNumber?: number;
  /** Elements with these tags are left out. */
  readonly without?: readonly number[];
}

/** A CT instance of `rows` × 4 pixels in Explicit VR Little Endian. */
export function makeFile(file: MadeFile = {}): Uint8Array {
  const {
    sopInstanceUid = "2.25.1",
    studyInstanceUid = "2.25.2",
    sopClassUid = CT,
    rows = 4,
    pixelBytes = rows * 8,
    instanceNumber = 1,
  } = file;
  const elements: DicomElement[] = [
    [0x00080016, "UI", sopClassUid],
    [0x00080018, "UI", sopInstanceUid],
    [0x00080060, "CS", "CT"],
    [0x00100010, "PN", "Secret^Name"],
    [0x0020000d, "UI", studyInstanceUid],
    [0x0020000e, "UI", "2.25.3"],
    [0x00200013, "IS", String(instanceNumber)],
    [0x00280002, "US", 1],
    [0x00280010, "US", rows],
    [0x00280011, "US", 4],
    [0x00280100, "US", 16],
  ];
  const kept = elements.filter(([tag]) => file.without?.includes(tag) !== true);
  return concat(
    fileMeta(sopClassUid, sopInstanceUid),
    encodeElements(kept),
    elementHeader(0x7fe00010, "OW", pixelBytes),
    new Uint8Array(pixelBytes).fill(7),
  );
}

/** The meta group with another transfer syntax. */
export function withSyntax(file: Uint8Array, uid: string): Uint8Array {
  const meta = fileMeta(CT, "2.25.1");
  const other = concat(
    ...[
      [0x00020002, "UI", CT],
      [0x00020003, "UI", "2.25.1"],
      [0x00020010, "UI", uid],
    ].map((element) => encodeElements([element as unknown as DicomElement])),
  );
  return concat(
    new Uint8Array(128),
    utf8("DICM"),
    encodeElements([[0x00020000, "UL", other.length]]),
    other,
    file.subarray(meta.length),
  );
}

/** An item of encapsulated pixel data. */
export const item = (bytes: Uint8Array): Uint8Array =>
  concat(Uint8Array.of(0xfe, 0xff, 0x00, 0xe0, bytes.length, 0, 0, 0), bytes);
export const END_OF_ITEMS: Uint8Array = Uint8Array.of(0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0);
