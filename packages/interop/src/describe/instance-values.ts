/**
 * What one DICOM instance says of itself in coded values. Texts are matched to closed lists here, before anything else sees them.
 * Source: requirement D7; DICOM PS3.3 C.7.3.1 (Body Part Examined), C.7.5.1 (Manufacturer), C.7.6.4 (Contrast/Bolus), C.8.2.1 (Slice Thickness).
 */
import { BODY_PARTS, MANUFACTURERS, MAX_SLICE_MICROMETRES, MODALITIES, SLICE_STEP_MICROMETRES } from "@xinglin/contracts";
import type { DataSet } from "dicom-parser";
import { trimmed } from "../dicom/parse-header.ts";
import { monthOf } from "./coded-month.ts";

/** Coded values of one instance; what it does not say, or says in other words, is absent. */
export interface InstanceValues {
  readonly modality: string;
  readonly bodyPart?: string;
  readonly manufacturer?: string;
  readonly month?: number;
  readonly sliceMicrometres?: number;
  /** Whether it names a contrast agent. */
  readonly contrast: boolean;
}

/** Study, series, acquisition and content date: the first that is there. */
const DATES = ["x00080020", "x00080021", "x00080022", "x00080023"] as const;
const MICROMETRES = 1_000;
const NO_AGENT = /^(|NO|NONE|N|0|W\/?O|WITHOUT|无)$/i;

/** How makers write themselves, where that is not their name. */
const WRITTEN: Readonly<Record<string, RegExp>> = {
  GE: /^(GE\b|GE_|GEMS|GENERAL ELECTRIC)/,
  KONICAMINOLTA: /^KONICA/,
  FUJIFILM: /^FUJI/,
  UNITEDIMAGING: /^(UIH|UNITED ?IMAGING)/,
  NEUSOFT: /^(NEUSOFT|NMS)/,
};

/** The coded values in a header. Never throws: what can't be read is left out. */
export function instanceValues(dataSet: DataSet, modality: string): InstanceValues {
  const text = (tag: string): string => trimmed(dataSet.string(tag)).toUpperCase();
  const bodyPart = text("x00180015").replaceAll(/[ _-]/g, "");
  const manufacturer = makerOf(text("x00080070"));
  const month = DATES.map((tag) => monthOf(trimmed(dataSet.string(tag)))).find((one) => one !== undefined);
  const sliceMicrometres = micrometres(trimmed(dataSet.string("x00180050")));
  return {
    modality: MODALITIES.includes(modality) ? modality : "OT",
    ...(BODY_PARTS.includes(bodyPart) ? { bodyPart } : {}),
    ...(manufacturer === undefined ? {} : { manufacturer }),
    ...(month === undefined ? {} : { month }),
    ...(sliceMicrometres === undefined ? {} : { sliceMicrometres }),
    contrast: !NO_AGENT.test(text("x00180010")) || (dataSet.elements.x00180012?.items?.length ?? 0) > 0,
  };
}

const makerOf = (text: string): string | undefined =>
  MANUFACTURERS.find((name) => (WRITTEN[name] ?? new RegExp(`^${name}`)).test(text));

function micrometres(millimetres: string): number | undefined {
  const value = millimetres === "" ? Number.NaN : Number(millimetres);
  if (!Number.isFinite(value)) return undefined;
  const rounded = Math.round((value * MICROMETRES) / SLICE_STEP_MICROMETRES) * SLICE_STEP_MICROMETRES;
  return rounded >= SLICE_STEP_MICROMETRES && rounded <= MAX_SLICE_MICROMETRES ? rounded : undefined;
}
