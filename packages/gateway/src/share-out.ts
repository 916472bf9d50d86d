/** Hands shares out to custodians, and makes sure that each holds what it was sent. Source: requirement C3; design.md, "Consent, access, custody". */
import type { ApiClient, Identity } from "@xinglin/client";
import { keys, type PublicKey } from "@xinglin/contracts";
import type { ProvenState } from "@xinglin/custody/client";
import { type ActorId, Fault } from "@xinglin/primitives";
import { askCustodians, type CustodianAnswer, type KnownCustodian, proveState } from "./custodians.ts";

/** What `prepareDeposits` and `prepareBulkDeposits` make: what each custodian is sent, and whether its answer is its receipt. */
interface Deposits {
  readonly request: (custodian: ActorId, state: ProvenState) => Uint8Array;
  readonly isReceipt: (custodian: ActorId, answer: Uint8Array, signingKeys: readonly PublicKey[]) => Promise<boolean>;
}

/**
 * Sends every recipient its shares in the name of `by`. Every custodian must hold its share and say so itself, whatever the server says: an anchor that names a custodian without one would weaken the
 * threshold unseen. Throws `deposits_refused` with who did not and the codes.
 */
export async function shareOut(
  client: ApiClient,
  by: Identity,
  what: "deposits" | "bulk-deposits",
  recipients: readonly KnownCustodian[],
  { request, isReceipt }: Deposits,
): Promise<void> {
  const ids = recipients.map(({ id }) => id);
  const whoAsks = [keys.actor(by.actor), keys.member(by.member)];
  const answers = await askCustodians(client, ids, what, () => proveState(client, by, whoAsks), request);
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
