/**
 * Scene 5, too: the birth date in the headers of the study was wrong. The corrected study becomes its next version, under a key of its own, and its
 * pictures are not stored again. Source: requirement J3; docs/decisions/0012-shared-pixels.md.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Anchored, amendDicom, bytesText } from "@xinglin/gateway";
import { Fault } from "@xinglin/primitives";
import type { Stage } from "./stage.ts";

/** As the examples, and studies generated from them, have it. */
const WRONG = Buffer.from("19900307");
const RIGHT = "19900308";
/** Headers end before it. */
const HEADER_BYTES = 4096;

/** Writes the study in `folder` to `to` with another birth date, of 8 digits, in every header, and nothing else changed; returns `to`. */
export function correctStudy(folder: string, to: string, birthDate: string = RIGHT): string {
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(folder).filter((one) => one.endsWith(".dcm"))) {
    const bytes = readFileSync(join(folder, name));
    const at = bytes.subarray(0, HEADER_BYTES).indexOf(WRONG);
    if (at < 0) throw new Fault("story_file_missing", { path: name });
    bytes.write(birthDate, at, "latin1");
    writeFileSync(join(to, name), bytes);
  }
  return to;
}

/** Files the corrected study as the next version. */
export async function correctHeaders(stage: Stage, study: Anchored, folder: string): Promise<Anchored> {
  const corrected = correctStudy(folder, join(stage.data, "corrected-study"));
  try {
    const amended = await amendDicom(stage.gateway, study, corrected, { by: stage.key("hospital-a/radiographer") });
    stage.say("story.corrected", {
      version: amended.version,
      size: bytesText(amended.sizeBytes),
      shared: bytesText(amended.sharedBytes),
      stored: bytesText(amended.storedBytes),
      height: amended.height,
    });
    return amended;
  } finally {
    rmSync(corrected, { recursive: true });
  }
}
