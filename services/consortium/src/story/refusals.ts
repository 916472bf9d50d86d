/**
 * Scene 4: no consent, no read; and what the patient takes back is closed, for permits already given too. Every refusal is on the record.
 * Source: requirements C1, C2, C10.
 */
import { narrowConsent, revokeConsent, TrustedChain } from "@xinglin/client";
import type { DirectiveTerms } from "@xinglin/contracts";
import { type Anchored, redeemPermit, requestRead, requireAccepted } from "@xinglin/gateway";
import { Fault } from "@xinglin/primitives";
import { requestFor, takePermit } from "./read.ts";
import { refusalSentence } from "./reasons.ts";
import type { Stage, StoryPatient } from "./stage.ts";

/** Asks and expects a refusal; says its reasons and shows that the refusal is proved by the log. */
async function expectRefusal(
  stage: Stage,
  alias: string,
  patient: StoryPatient,
  record: Anchored,
  expected: string,
): Promise<number> {
  const { gateway, client, say } = stage;
  const by = stage.key(alias);
  const decision = await requestRead(gateway, by, requestFor(by, patient.atA.actor, record));
  const result = decision.permitted ? undefined : decision.receipt.results[0];
  if (decision.permitted || result?.code !== expected)
    throw new Fault("story_expected_refusal", { expected, code: result?.code ?? "permit" });
  say("story.refused", {
    who: stage.memberName(by.member),
    code: expected,
    sentence: refusalSentence(say.language, expected, result.facts ?? {}),
  });
  const chain = await TrustedChain.of(client);
  const { size } = await chain.proveEntry(by, result.sequence);
  say.plain("story.refusal_proved", { sequence: result.sequence, size });
  return result.sequence;
}

/** Returns the sequence number of the first refusal in the audit log. */
export async function refuseWithoutRight(
  stage: Stage,
  patient: StoryPatient,
  study: Anchored,
  consent: { number: number; terms: DirectiveTerms },
): Promise<number> {
  const { client, gateway, say } = stage;
  const refusal = await expectRefusal(stage, "hospital-c/doctor", patient, study, "not_permitted");

  const laboratoryOnly = { ...consent.terms, categories: ["laboratory"] as DirectiveTerms["categories"] };
  const held = await takePermit(stage, patient.atA.actor, study);
  requireAccepted(await narrowConsent(client, patient.atA, consent.number, laboratoryOnly));
  say("story.narrowed", { number: consent.number });
  await expectRefusal(stage, "hospital-b/doctor", patient, study, "not_permitted");

  requireAccepted(await revokeConsent(client, patient.atA, consent.number));
  say("story.revoked", { number: consent.number });
  await expectRefusal(stage, "hospital-b/doctor", patient, study, "none_in_force");

  const { outcome } = await redeemPermit(gateway, stage.key("hospital-b/doctor"), held).then(
    () => ({ outcome: "released" }),
    (error: unknown) => ({ outcome: error instanceof Fault ? `${error.code} (${error.facts.codes})` : String(error) }),
  );
  if (!outcome.includes("consent_restricted"))
    throw new Fault("story_expected_refusal", { expected: "consent_restricted", code: outcome });
  say("story.permit_closed", { number: held.number, custodians: held.permit.custody.custodians.length });
  return refusal;
}
