/** Whether every custodian holds what it was sent. Source: requirement C3; design.md, "Consent, access, custody". */
import type { PublicKey } from "@xinglin/contracts";
import { type ActorId, Fault } from "@xinglin/primitives";
import type { CustodianAnswer, KnownCustodian } from "./custodians.ts";

/**
 * Every custodian must hold its share and say so itself, whatever the server says: an anchor that names a custodian without one would weaken the
 * threshold unseen. Throws `deposits_refused` with who did not and the codes.
 */
export async function confirmDeposits(
  answers: readonly CustodianAnswer[],
  recipients: readonly KnownCustodian[],
  isReceipt: (custodian: ActorId, answer: Uint8Array, signingKeys: readonly PublicKey[]) => Promise<boolean>,
): Promise<void> {
  const confirmed = await Promise.all(
    answers.map(async ({ custodian, answer, refusal }): Promise<CustodianAnswer> => {
      if (answer === undefined) return refusal === undefined ? { custodian } : { custodian, refusal };
      const { signingKeys } = recipients.find(({ id }) => id === custodian) as KnownCustodian;
      if (await isReceipt(custodian, answer, signingKeys)) return { custodian, answer };
      return { custodian, refusal: new Fault("signature_wrong", { actor: custodian }) };
    }),
  );
  const refused = confirmed.filter(({ answer }) => answer === undefined);
  if (refused.length === 0) return;
  const custodians = refused.map(({ custodian }) => custodian).join(",");
  const codes = [...new Set(refused.map(({ refusal }) => refusal?.code ?? ""))].join(",");
  throw new Fault("deposits_refused", { custodians, codes }, { retry: refused.some(({ refusal }) => refusal?.retry === true) });
}
