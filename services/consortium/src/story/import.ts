/** Scene 1: hospital A imports a CT series and a FHIR Bundle, sealed over everyone's stores. Source: requirements C4, D1, J8. */
import { readFileSync } from "node:fs";
import { type Anchored, bytesText, importBundle, importDicom, progressBar } from "@xinglin/gateway";
import { issueSentence, validateBundle } from "@xinglin/interop";
import { type ActorId, Fault } from "@xinglin/primitives";
import type { Stage } from "./stage.ts";

export interface ImportedScene {
  readonly study: Anchored;
  readonly groups: readonly Anchored[];
}

/** Imports `study` (a folder of DICOM files) and `bundle` (a FHIR Bundle) under the patient's pseudonym at A. */
export async function importAtHospitalA(stage: Stage, patient: ActorId, study: string, bundle: string): Promise<ImportedScene> {
  const { gateway, say } = stage;
  const by = stage.key("hospital-a/radiographer");
  const bar = progressBar(say.text("progress.import"));
  const started = performance.now();
  const imported = await importDicom(gateway, study, { by, patient, onProgress: bar.update });
  bar.end();
  const { record: anchored } = imported;
  say("story.study", {
    instances: imported.instances,
    size: bytesText(anchored.sizeBytes),
    chunks: anchored.chunks,
    stored: bytesText(anchored.storedBytes),
    overhead: (anchored.storedBytes / anchored.sizeBytes).toFixed(2),
    seconds: ((performance.now() - started) / 1000).toFixed(1),
  });
  say.plain("story.study_onchain", {
    operation: anchored.operationBytes,
    transaction: anchored.transactionBytes,
    height: anchored.height,
  });

  await refuseWrongGender(stage, bundle);
  const groups = await importBundle(gateway, bundle, { by, patient, originals: stage.originals });
  say("story.bundle", { resources: groups.resources, records: groups.records.length });
  for (const { class: recordClass, sizeBytes, operationBytes } of groups.records)
    say.plain("story.bundle_class", {
      category: say.text(`category.${recordClass.category}`),
      level: say.text(`level.${recordClass.level}`),
      size: bytesText(sizeBytes),
      operation: operationBytes,
    });
  return { study: anchored, groups: groups.records };
}

/** The same Bundle with a sex as hospitals write it is refused, and told where and what to write instead. */
async function refuseWrongGender({ say }: Stage, bundle: string): Promise<void> {
  const wrong = readFileSync(bundle, "utf8").replace(/"gender"(\s*):(\s*)"[a-z]+"/, '"gender"$1:$2"男"');
  const checked = await validateBundle(Buffer.from(wrong));
  const issue = checked.ok ? undefined : checked.refusal.issues[0];
  if (issue?.code !== "code_not_in_value_set")
    throw new Fault("story_expected_refusal", { expected: "code_not_in_value_set", code: issue?.code ?? "" });
  say.plain("story.bundle_refused", { element: issue.element, reason: issueSentence(issue, say.language) });
}
