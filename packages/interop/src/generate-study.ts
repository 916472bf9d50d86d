/**
 * Makes a CT study of any size from a few real slices: each slice is one of the real ones, shifted, zoomed and brightened a little, with
 * scanner noise, so that no two chunks of it are alike. The patient is invented; the name is in GB18030, as many Chinese scanners write it.
 * Source: DICOM PS3.3 A.3 (CT Image IOD), C.7.6.1.1.2 (ImageType DERIVED\SECONDARY).
 */
import { concat, Fault } from "@xinglin/primitives";
import { type DicomElement, elementHeader, encodeElements, fileMeta } from "./dicom/write-elements.ts";
import { writeDicomFolder } from "./dicom/write-folder.ts";
import { SeededRandom, seededUid } from "./seeded-random.ts";
import { readSlice, type SlicePicture } from "./slice-source.ts";

/** What to make. */
export interface StudyRequest {
  /** Paths of real, uncompressed 16-bit slices. */
  readonly from: readonly string[];
  /** Where the files go; made if missing. */
  readonly outputFolder: string;
  /** Size of the whole study; met within one slice. 500 MB if absent. */
  readonly sizeBytes?: number;
  /** The same seed gives the same bytes. */
  readonly seed?: string | number;
  readonly onProgress?: (progress: StudyProgress) => void;
}
export interface StudyProgress {
  readonly writtenBytes: number;
  readonly totalBytes: number;
}
export interface GeneratedStudy {
  readonly studyInstanceUid: string;
  readonly paths: readonly string[];
  readonly sizeBytes: number;
}

const DEFAULT_SIZE_BYTES = 500_000_000;
const CT_IMAGE_STORAGE = "1.2.840.10008.5.1.4.1.1.2";
/** Below this size a study is made of small slices, so that it still has several. */
const SMALL_STUDY_BYTES = 8_000_000;
const NOISE_VALUES = 1 << 20;
/** Standard deviation of the noise in Hounsfield units, as of a thin head slice. */
const NOISE_HU = 12;
const FIELD_OF_VIEW_MM = 245;
const SLICE_MM = 1;

/** 王^小明 and CT平扫 in GB18030. */
const PATIENT_NAME = concat(new TextEncoder().encode("Wang^XiaoMing="), Uint8Array.of(0xcd, 0xf5, 0x5e, 0xd0, 0xa1, 0xc3, 0xf7));
const STUDY_DESCRIPTION = Uint8Array.of(0x43, 0x54, 0xc6, 0xbd, 0xc9, 0xa8);

/**
 * Writes the study and returns where. Nothing is left behind if it fails. Throws `Fault` `dicom_source_unsupported`, `dicom_no_instances`,
 * `dicom_folder_not_empty`, `disk_full`, and those of reading a header. About 2 ms of CPU a slice of 512 × 512.
 */
export async function generateStudy(request: StudyRequest): Promise<GeneratedStudy> {
  const { from, outputFolder, seed = 1, sizeBytes: wanted = DEFAULT_SIZE_BYTES } = request;
  if (from.length === 0) throw new Fault("dicom_no_instances");
  const side = wanted < SMALL_STUDY_BYTES ? 128 : 512;
  const pictures: SlicePicture[] = [];
  for (const path of from) pictures.push(await readSlice(path, side));
  const random = new SeededRandom(seed);
  const noise = Int16Array.from({ length: NOISE_VALUES }, () => Math.round(random.normal() * NOISE_HU));
  const slices = Math.max(1, Math.round(wanted / sliceFile(seed, 0, side, new Int16Array(side * side)).length));

  let sizeBytes = 0;
  let totalBytes = wanted;
  const files = async function* (): AsyncGenerator<Uint8Array> {
    for (let index = 0; index < slices; index++) {
      const picture = pictures[Math.floor((index * pictures.length) / slices)] as SlicePicture;
      const file = sliceFile(seed, index, side, vary(picture, index / slices, noise, random));
      totalBytes = slices * file.length;
      sizeBytes += file.length;
      yield file;
      request.onProgress?.({ writtenBytes: sizeBytes, totalBytes });
    }
  };
  const paths = await writeDicomFolder(outputFolder, files());
  return { studyInstanceUid: seededUid(seed, "study"), paths, sizeBytes };
}

/** A picture moved, zoomed and brightened by a little, with noise; `phase` runs from 0 to 1 through the study. */
function vary(picture: SlicePicture, phase: number, noise: Int16Array, random: SeededRandom): Int16Array {
  const { side, values } = picture;
  const zoom = 1 + 0.06 * Math.sin(phase * 2 * Math.PI);
  const shiftX = (random.next() - 0.5) * 4;
  const shiftY = (random.next() - 0.5) * 4;
  // Gain in 1/1024, so that the inner loop has integers only.
  const gain = Math.round(1024 * (1 + 0.02 * (random.next() - 0.5)));
  const columns = new Int32Array(side);
  const centre = side / 2;
  const sample = (at: number, shift: number): number =>
    Math.max(0, Math.min(side - 1, Math.round((at - centre) * zoom + centre + shift)));
  for (let x = 0; x < side; x++) columns[x] = sample(x, shiftX);
  const out = new Int16Array(side * side);
  let grain = random.integer(NOISE_VALUES);
  for (let y = 0; y < side; y++) {
    const row = sample(y, shiftY) * side;
    for (let x = 0; x < side; x++) {
      const value = (((values[row + (columns[x] as number)] as number) * gain) >> 10) + (noise[grain] as number);
      grain = (grain + 1) & (NOISE_VALUES - 1);
      out[y * side + x] = value < 0 ? 0 : value > 4095 ? 4095 : value;
    }
  }
  return out;
}

/** One Part 10 file. Numbers are written with a fixed width where that keeps all files of a study equally long. */
function sliceFile(seed: string | number, index: number, side: number, pixels: Int16Array): Uint8Array {
  const sopInstanceUid = seededUid(seed, `instance ${index}`);
  const spacing = (FIELD_OF_VIEW_MM / side).toFixed(6);
  const corner = (-FIELD_OF_VIEW_MM / 2).toFixed(1);
  const elements: DicomElement[] = [
    [0x00080005, "CS", "GB18030"],
    [0x00080008, "CS", "DERIVED\\SECONDARY\\AXIAL"],
    [0x00080016, "UI", CT_IMAGE_STORAGE],
    [0x00080018, "UI", sopInstanceUid],
    [0x00080020, "DA", "20260203"],
    [0x00080030, "TM", "093000"],
    [0x00080050, "SH", "SYNTHETIC"],
    [0x00080060, "CS", "CT"],
    [0x00080070, "LO", "Xinglin study generator"],
    [0x00080090, "PN", ""],
    [0x00081030, "LO", STUDY_DESCRIPTION],
    [0x00082111, "ST", "Real slices, shifted, zoomed and with noise added; no real patient"],
    [0x00100010, "PN", PATIENT_NAME],
    [0x00100020, "LO", "SYNTHETIC-0001"],
    [0x00100030, "DA", "19900307"],
    [0x00100040, "CS", "M"],
    [0x00180050, "DS", SLICE_MM.toFixed(2)],
    [0x00180060, "DS", "120"],
    [0x0020000d, "UI", seededUid(seed, "study")],
    [0x0020000e, "UI", seededUid(seed, "series")],
    [0x00200010, "SH", "1"],
    [0x00200011, "IS", "1"],
    [0x00200013, "IS", String(index + 1)],
    [0x00200032, "DS", `${corner}\\${corner}\\${(index * SLICE_MM).toFixed(2)}`],
    [0x00200037, "DS", "1\\0\\0\\0\\1\\0"],
    [0x00200052, "UI", seededUid(seed, "frame of reference")],
    [0x00201040, "LO", ""],
    [0x00280002, "US", 1],
    [0x00280004, "CS", "MONOCHROME2"],
    [0x00280010, "US", side],
    [0x00280011, "US", side],
    [0x00280030, "DS", `${spacing}\\${spacing}`],
    [0x00280100, "US", 16],
    [0x00280101, "US", 12],
    [0x00280102, "US", 11],
    [0x00280103, "US", 0],
    [0x00281050, "DS", "40"],
    [0x00281051, "DS", "80"],
    [0x00281052, "DS", "-1024"],
    [0x00281053, "DS", "1"],
  ];
  const pixelBytes = new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength);
  return concat(
    fileMeta(CT_IMAGE_STORAGE, sopInstanceUid),
    encodeElements(elements),
    elementHeader(0x7fe00010, "OW", pixelBytes.length),
    pixelBytes,
  );
}
