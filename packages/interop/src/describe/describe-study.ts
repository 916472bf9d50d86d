/** A DICOM study as a search knows it. Source: requirement D7; docs/internals/search.md. */
import type { Description } from "@xinglin/contracts";
import type { DicomInstance } from "../dicom/read-file.ts";

const MOST_MODALITIES = 8;
const MOST_BODY_PARTS = 8;
const MOST_MANUFACTURERS = 4;

/** Describes the instances of one study by their coded values alone: no identifier and no text of it is taken over. */
export function describeStudy(instances: readonly DicomInstance[]): Description {
  const all = instances.map(({ values }) => values);
  const months = all.flatMap(({ month }) => (month === undefined ? [] : [month]));
  const slices = all.flatMap(({ sliceMicrometres }) => (sliceMicrometres === undefined ? [] : [sliceMicrometres]));
  const least = (numbers: readonly number[]): number => numbers.reduce((a, b) => Math.min(a, b));
  return {
    format: "dicom",
    modalities: distinct(all.map(({ modality }) => modality)).slice(0, MOST_MODALITIES),
    bodyParts: distinct(all.map(({ bodyPart }) => bodyPart)).slice(0, MOST_BODY_PARTS),
    manufacturers: distinct(all.map(({ manufacturer }) => manufacturer)).slice(0, MOST_MANUFACTURERS),
    // Instances of one study share its date; where they do not, it began in the first month.
    ...(months.length === 0 ? {} : { month: least(months) }),
    seriesClass: bitLength(new Set(instances.map(({ seriesInstanceUid }) => seriesInstanceUid)).size),
    instanceClass: bitLength(instances.length),
    ...(slices.length === 0 ? {} : { sliceMicrometres: least(slices) }),
    contrast: all.some(({ contrast }) => contrast),
  };
}

const distinct = (values: readonly (string | undefined)[]): string[] =>
  [...new Set(values.filter((value) => value !== undefined))].sort();

const bitLength = (count: number): number => 32 - Math.clz32(count);
