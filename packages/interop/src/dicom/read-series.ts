/**
 * A folder of DICOM files as one study, in the order in which its slices are looked at.
 * Source: DICOM PS3.3 A.1 (patient, study, series, instance), PS3.10 section 8 (a DICOMDIR is an index, not an instance).
 */

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "@xinglin/primitives";
import { type DicomInstance, readDicomFile } from "./read-file.ts";

/** One series of a study, its instances in order. */
export interface DicomSeries {
  readonly seriesInstanceUid: string;
  readonly modality: string;
  readonly instances: readonly DicomInstance[];
}
/** One study. `instances` are those of all series, one series after the other. */
export interface DicomStudy {
  readonly studyInstanceUid: string;
  readonly series: readonly DicomSeries[];
  readonly instances: readonly DicomInstance[];
  readonly sizeBytes: number;
}

/** Files of a folder that stand beside instances and are none. */
const NOT_INSTANCES = /(^\.|^DICOMDIR$|^LICEN[CS]E|^README|\.(txt|md|json|xml|html?|exe|inf|ini|jpe?g|png)$)/i;

/** At most so many files are open at a time. */
const PARALLEL_READS = 8;

/**
 * Reads a folder with everything below it, or the given files or byte strings, as one study. Throws the faults of `readDicomFile` with
 * `position`, the place of the file in name order from 1 (a file name can hold a patient's name, so it is not told), and
 * `dicom_no_instances`, `dicom_mixed_studies`, `dicom_duplicate_instance`.
 */
export async function readDicomSeries(input: string | readonly (string | Uint8Array)[]): Promise<DicomStudy> {
  const files = typeof input === "string" ? await instanceFiles(input) : input;
  if (files.length === 0) throw new Fault("dicom_no_instances");
  const instances = new Array<DicomInstance>(files.length);
  const faults: { position: number; error: unknown }[] = [];
  let next = 0;
  const readOn = async (): Promise<void> => {
    for (let position = next++; position < files.length && faults.length === 0; position = next++) {
      try {
        instances[position] = await readDicomFile(files[position] as string | Uint8Array);
      } catch (error) {
        faults.push({ position, error });
      }
    }
  };
  await Promise.all(Array.from({ length: PARALLEL_READS }, readOn));
  const first = faults.sort((a, b) => a.position - b.position)[0];
  if (first !== undefined) throw first.error instanceof Fault ? located(first.error, first.position) : first.error;
  return toStudy(instances);
}

/** Paths of the files of a folder that may be instances, sorted by name so that every machine sees the same order. */
export async function instanceFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile() && !NOT_INSTANCES.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort((a, b) => (a < b ? -1 : 1));
}

const located = (fault: Fault, position: number): Fault =>
  new Fault(fault.code, { ...fault.facts, position: position + 1 }, { cause: fault, retry: fault.retry });

function toStudy(instances: readonly DicomInstance[]): DicomStudy {
  const studyInstanceUid = (instances[0] as DicomInstance).studyInstanceUid;
  const positions = new Map<string, number>();
  const bySeries = new Map<string, DicomInstance[]>();
  for (const [index, instance] of instances.entries()) {
    const position = index + 1;
    if (instance.studyInstanceUid !== studyInstanceUid) throw new Fault("dicom_mixed_studies", { position });
    const same = positions.get(instance.sopInstanceUid);
    if (same !== undefined) throw new Fault("dicom_duplicate_instance", { position, samePosition: same });
    positions.set(instance.sopInstanceUid, position);
    const series = bySeries.get(instance.seriesInstanceUid) ?? [];
    series.push(instance);
    bySeries.set(instance.seriesInstanceUid, series);
  }
  const series = [...bySeries.values()].map(toSeries).sort(bySeriesNumber);
  const ordered = series.flatMap((one) => one.instances);
  return { studyInstanceUid, series, instances: ordered, sizeBytes: ordered.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) };
}

function toSeries(instances: DicomInstance[]): DicomSeries {
  instances.sort(inOrder);
  const { seriesInstanceUid, modality } = instances[0] as DicomInstance;
  return { seriesInstanceUid, modality, instances };
}

const byText = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);

/** By instance number, then along the slice normal, then by UID, so that the order never depends on the disk. */
const inOrder = (a: DicomInstance, b: DicomInstance): number =>
  a.instanceNumber - b.instanceNumber ||
  (a.slicePosition ?? 0) - (b.slicePosition ?? 0) ||
  byText(a.sopInstanceUid, b.sopInstanceUid);

const bySeriesNumber = (a: DicomSeries, b: DicomSeries): number =>
  (a.instances[0]?.seriesNumber ?? 0) - (b.instances[0]?.seriesNumber ?? 0) || byText(a.seriesInstanceUid, b.seriesInstanceUid);
