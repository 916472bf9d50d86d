/**
 * A study as one byte string for the archive, and back: its files one after the other, and a layout that says where each ends. The layout is
 * part of what is sealed; it holds sizes only.
 * Source: design.md, "Archive" (one object of any size, one operation on the chain).
 */

import { createReadStream } from "node:fs";
import { Fault } from "@xinglin/primitives";
import type { DicomStudy } from "./read-series.ts";
import { writeDicomFolder } from "./write-folder.ts";

/** Sizes of the instances in their order, in bytes. */
export interface StudyLayout {
  readonly sizesBytes: readonly number[];
}

/** What a reader of the stream needs to cut it into instances again. */
export const studyLayout = (study: DicomStudy): StudyLayout => ({
  sizesBytes: study.instances.map(({ sizeBytes }) => sizeBytes),
});

/** The bytes of all instances in their order. Throws `Fault("dicom_changed_while_reading")` if a file no longer has the size it was read with. */
export async function* studyBytes(study: DicomStudy): AsyncGenerator<Uint8Array> {
  for (const [index, instance] of study.instances.entries()) {
    let sizeBytes = 0;
    const pieces =
      typeof instance.source === "string" ? createReadStream(instance.source, { highWaterMark: 1 << 20 }) : [instance.source];
    for await (const piece of pieces as AsyncIterable<Uint8Array>) {
      sizeBytes += piece.length;
      if (sizeBytes > instance.sizeBytes) break;
      yield piece;
    }
    if (sizeBytes !== instance.sizeBytes)
      throw new Fault("dicom_changed_while_reading", { position: index + 1 }, { retry: true });
  }
}

/**
 * Cuts a stream of `studyBytes` at its layout and writes the instances with `writeDicomFolder`. Throws besides `Fault("dicom_layout_mismatch")`
 * if the stream is shorter or longer than the layout says.
 */
export function writeStudy(folder: string, layout: StudyLayout, bytes: AsyncIterable<Uint8Array>): Promise<string[]> {
  return writeDicomFolder(folder, cut(layout, bytes));
}

async function* cut(layout: StudyLayout, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<AsyncIterable<Uint8Array>> {
  const pieces = bytes[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array();
  async function* take(sizeBytes: number): AsyncGenerator<Uint8Array> {
    for (let missing = sizeBytes; missing > 0; ) {
      if (rest.length === 0) {
        const next = await pieces.next();
        if (next.done === true) throw new Fault("dicom_layout_mismatch", { missingBytes: missing });
        rest = next.value;
        continue;
      }
      const piece = rest.subarray(0, missing);
      rest = rest.subarray(piece.length);
      missing -= piece.length;
      yield piece;
    }
  }
  for (const sizeBytes of layout.sizesBytes) yield take(sizeBytes);
  while (rest.length === 0) {
    const next = await pieces.next();
    if (next.done === true) return;
    rest = next.value;
  }
  throw new Fault("dicom_layout_mismatch", { missingBytes: 0 });
}
