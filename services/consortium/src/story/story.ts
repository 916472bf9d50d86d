/** The story, scene by scene. Source: docs/guides/share-a-study.md. */
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Anchored, bytesText, progressBar } from "@xinglin/gateway";
import { generateStudy, instanceFiles } from "@xinglin/interop";
import { Fault } from "@xinglin/primitives";
import { amendAllergyAtNight } from "./amendment.ts";
import { consentToHospitalB } from "./consent.ts";
import { correctHeaders } from "./corrected-study.ts";
import { exportEvidence } from "./evidence.ts";
import { importAtHospitalA } from "./import.ts";
import { registerPeople, registerStoryPatient } from "./people.ts";
import { readAtHospitalB } from "./read.ts";
import { refuseWithoutRight } from "./refusals.ts";
import { type Stage, writeMemory } from "./stage.ts";
import { findHiddenChanges } from "./tampering.ts";

const EXAMPLES = fileURLToPath(new URL("../../../../examples/", import.meta.url));
const CT = join(EXAMPLES, "ct");
const BUNDLE = join(EXAMPLES, "fhir", "record.json");

/** The database as scene 5 needs it. */
export interface StoryDatabase {
  /** Alters one row behind the program's back; says in which table. */
  changeRow(): Promise<string>;
  rebuild(): Promise<void>;
}

/** Plays everything and remembers what it made. `studyBytes`: a generated study of that size instead of the real slices alone. */
export async function playStory(stage: Stage, database: StoryDatabase, studyBytes?: number): Promise<void> {
  const { say, data } = stage;
  const started = performance.now();
  say("story.begin");
  say.plain("story.scene0");
  await registerPeople(stage);
  const patient = await registerStoryPatient(stage);
  writeMemory(data, { finished: false, patientAtA: patient.atA.actor, patientAtB: patient.atB.actor });

  say.plain("story.scene1");
  const study = studyBytes === undefined ? CT : await generated(stage, studyBytes);
  const imported = await importAtHospitalA(stage, patient.atA.actor, study, BUNDLE);
  say.plain("story.scene2");
  const consent = await consentToHospitalB(stage, patient);

  say.plain("story.scene3");
  const permit = await readAtHospitalB(stage, patient.atB.actor, imported.study, study);

  say.plain("story.scene4");
  const refusal = await refuseWithoutRight(stage, patient, imported.study, consent);

  say.plain("story.scene5");
  const allergy = imported.groups.find((group: Anchored) => group.class.category === "medication");
  if (allergy === undefined) throw new Fault("story_file_missing", { path: BUNDLE });
  await amendAllergyAtNight(stage, patient.atA.actor, allergy);
  await correctHeaders(stage, imported.study, study);
  await findHiddenChanges(stage, imported.study.objectId, database);

  say.plain("story.scene6");
  await exportEvidence(stage, patient.atA.actor, { permit, refusal });
  await consentToHospitalB(stage, patient);
  writeMemory(data, {
    finished: true,
    patientAtA: patient.atA.actor,
    patientAtB: patient.atB.actor,
    study: imported.study.record,
    allergy: allergy.record,
  });
  say("story.end", { seconds: ((performance.now() - started) / 1000).toFixed(0) });
}

/** A study of `sizeBytes` made from the real slices, in the data folder. */
async function generated({ say, data }: Stage, sizeBytes: number): Promise<string> {
  const outputFolder = join(data, "generated-study");
  if (existsSync(outputFolder)) rmSync(outputFolder, { recursive: true });
  mkdirSync(outputFolder, { recursive: true });
  const bar = progressBar(say.text("progress.generate"));
  const started = performance.now();
  await generateStudy({
    from: await instanceFiles(CT),
    outputFolder,
    sizeBytes,
    seed: 1,
    onProgress: (progress) => bar.update(progress.writtenBytes, progress.totalBytes),
  });
  bar.end();
  say("story.generated", { size: bytesText(sizeBytes), seconds: ((performance.now() - started) / 1000).toFixed(1) });
  return outputFolder;
}
