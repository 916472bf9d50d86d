/** Scene 2: the patient lets hospital B read imaging and laboratory for treatment, for one year. Source: requirement C1. */
import { grantConsent, TrustedChain } from "@xinglin/client";
import type { DirectiveTerms } from "@xinglin/contracts";
import { requireAccepted, shanghaiTime } from "@xinglin/gateway";
import type { MemberId, UnixSeconds } from "@xinglin/primitives";
import type { Stage, StoryPatient } from "./stage.ts";

const YEAR_SECONDS = 365 * 86_400;
const HOSPITAL_B = "hospital-b" as MemberId;

/** Grants and returns the directive's number and terms. */
export async function consentToHospitalB(
  stage: Stage,
  patient: StoryPatient,
): Promise<{ number: number; terms: DirectiveTerms }> {
  const { client, say } = stage;
  const { time } = await client.tip();
  const terms: DirectiveTerms = {
    effect: "permit",
    grantees: [{ kind: "institution", member: HOSPITAL_B }],
    purposes: ["TREAT"],
    categories: ["laboratory", "imaging"],
    levels: ["internal", "sensitive"],
    notBefore: (time - 60) as UnixSeconds,
    notAfter: (time + YEAR_SECONDS) as UnixSeconds,
  };
  const { hpke } = await (await TrustedChain.of(client)).member(patient.atA, HOSPITAL_B);
  const receipt = requireAccepted(
    await grantConsent(client, patient.atA, terms, [{ id: HOSPITAL_B, hpke, local: patient.atB.actor }]),
  );
  const number = receipt.results[0]?.subject.number ?? 0;
  say("story.granted", {
    number,
    member: stage.memberName(HOSPITAL_B),
    until: shanghaiTime(terms.notAfter),
    height: receipt.height,
  });
  return { number, terms };
}
