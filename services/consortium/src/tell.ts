/** Plays the story if it was not, and ends with a link by which the reader becomes the patient. Source: docs/guides/share-a-study.md. */
import { enrolmentLink, recoverPatient, type Say } from "@xinglin/gateway";
import { offerToAskAgain } from "./story/ask-again.ts";
import { readMemory, type Stage } from "./story/stage.ts";
import { playStory, type StoryDatabase } from "./story/story.ts";

const LINK_MINUTES = 1440;

/** `studyBytes` as in `playStory`; what is offered on the terminal afterwards ends with `signal`. */
export async function tellStory(
  stage: Stage,
  database: StoryDatabase,
  say: Say,
  { studyBytes, signal }: { readonly studyBytes: number | undefined; readonly signal: AbortSignal },
): Promise<void> {
  const before = readMemory(stage.data);
  if (before.patientAtA === undefined) await playStory(stage, database, studyBytes);
  else say(before.finished ? "open.again" : "open.interrupted");
  const { patientAtA, patientAtB } = readMemory(stage.data);
  if (patientAtA === undefined || patientAtB === undefined) return;
  const pseudonyms = [
    await recoverPatient(stage.client, stage.key("hospital-a/registrar"), patientAtA),
    await recoverPatient(stage.client, stage.key("hospital-b/registrar"), patientAtB),
  ];
  say("open.link", { minutes: LINK_MINUTES });
  process.stdout.write(`\n  ${await enrolmentLink(stage.client, stage.page, pseudonyms)}\n\n`);
  offerToAskAgain(stage, signal);
}
