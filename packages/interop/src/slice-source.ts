/**
 * The pixels of a real CT slice as a square picture, for the study generator.
 * Source: DICOM PS3.3 C.7.6.3 (Image Pixel), C.11.1 (Modality LUT).
 */
import { Fault } from "@xinglin/primitives";
import { withFile } from "./dicom/byte-source.ts";
import { parseHeader, trimmed } from "./dicom/parse-header.ts";

/** A slice of `side` × `side` pixels; each value is 1024 + Hounsfield units, between 0 and 4095. */
export interface SlicePicture {
  readonly side: number;
  readonly values: Int16Array;
}

/** Reads an uncompressed 16-bit slice and resamples it, with linear interpolation. Throws `Fault("dicom_source_unsupported")` on any other. */
export const readSlice = (path: string, side: number): Promise<SlicePicture> =>
  withFile(path, async (file) => {
    const { dataSet, pixelData, source, syntax } = await parseHeader(file);
    const rows = dataSet.uint16("x00280010") ?? 0;
    const columns = dataSet.uint16("x00280011") ?? 0;
    const isPlain = !syntax.isEncapsulated && !syntax.isBigEndian && !syntax.isDeflated && dataSet.uint16("x00280100") === 16;
    if (!isPlain || pixelData === undefined || rows < 2 || columns < 2 || pixelData.length < rows * columns * 2)
      throw new Fault("dicom_source_unsupported");
    const bytes = await source.read(pixelData.dataOffset, rows * columns * 2);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const isSigned = dataSet.uint16("x00280103") === 1;
    const slope = Number(trimmed(dataSet.string("x00281053")) || "1");
    const intercept = Number(trimmed(dataSet.string("x00281052")) || "0");
    const at = (row: number, column: number): number => {
      const offset = (row * columns + column) * 2;
      return (isSigned ? view.getInt16(offset, true) : view.getUint16(offset, true)) * slope + intercept + 1024;
    };
    const values = new Int16Array(side * side);
    for (let y = 0; y < side; y++) {
      const row = (y * (rows - 1)) / (side - 1);
      const top = Math.min(Math.floor(row), rows - 2);
      for (let x = 0; x < side; x++) {
        const column = (x * (columns - 1)) / (side - 1);
        const left = Math.min(Math.floor(column), columns - 2);
        const dx = column - left;
        const upper = at(top, left) * (1 - dx) + at(top, left + 1) * dx;
        const lower = at(top + 1, left) * (1 - dx) + at(top + 1, left + 1) * dx;
        values[y * side + x] = Math.max(0, Math.min(4095, Math.round(upper + (lower - upper) * (row - top))));
      }
    }
    return { side, values };
  });
