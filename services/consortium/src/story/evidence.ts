/** Scene 6: one file with the permit, a refusal and an absence, checked as a stranger would. Source: requirement F12. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { collectEvidence } from "@xinglin/client";
import { keys } from "@xinglin/contracts";
import { writeFileDurably } from "@xinglin/custody";
import { claimFacts } from "@xinglin/gateway";
import { type ActorId, Fault } from "@xinglin/primitives";
import { genesisTrust, verifyEvidence } from "@xinglin/verifier";
import type { Stage } from "./stage.ts";

/** The commission exports, verifies offline with nothing but the genesis, and says what it proves. Returns the file's path. */
export async function exportEvidence(
  stage: Stage,
  patient: ActorId,
  facts: { permit: number; refusal: number },
): Promise<string> {
  const { client, data, say } = stage;
  const by = stage.key("commission/administration");
  const absent = keys.access(patient, facts.permit + 1_000_000);
  const bytes = await collectEvidence(client, by, {
    keys: [keys.access(patient, facts.permit), absent],
    sequences: [facts.refusal],
  });
  const path = join(data, "evidence.cbor");
  writeFileDurably(path, bytes);
  const verdict = await verifyEvidence(readFileSync(path), { genesis: genesisTrust(readFileSync(join(data, "genesis.cbor"))) });
  if (!verdict.ok) throw new Fault("evidence_wrong", { code: verdict.code });
  say("story.evidence", { path, bytes: bytes.length, statements: verdict.proves.length });
  for (const claim of verdict.proves)
    say.plain("story.evidence_proves", { what: say.text(`claim.${claim.code}`, claimFacts(claim)) });
  for (const { code, facts } of verdict.assumes) say.plain("story.evidence_assumes", { what: say.text(`assume.${code}`, facts) });
  return path;
}
