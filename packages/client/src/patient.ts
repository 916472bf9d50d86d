/**
 * What a patient does with the wallet on a phone or in a page: enrol a key, grant, narrow, revoke, move to a new phone.
 * Source: requirements B1, C1, C10; design.md, "Identity".
 */
import type { DirectiveTerms, PublicKey } from "@xinglin/contracts";
import { type ActorId, type Bytes, Fault, type MemberId, type UnixSeconds } from "@xinglin/primitives";
import type { ApiClient, Receipt } from "./api-client.ts";
import { type EnrolmentLink, encodeEnrolmentLink, enrolmentIdentity, oneTimeKey } from "./enrolment-link.ts";
import { newestCheckpoint } from "./followed-chain.ts";
import type { Identity } from "./identity.ts";
import { sealPointer } from "./pointers.ts";

/** How far a change must be before the call returns; provable unless said otherwise. */
export interface SubmitOptions {
  readonly wait?: "committed" | "provable";
}

/** A link for a new phone is good for a quarter of an hour. */
export const ENROLMENT_SECONDS = 900;

/** Enrols one key for each pseudonym of the link. `makeKey` is called once a pseudonym: no key is shared by two. */
export async function enrolFromLink(
  client: ApiClient,
  link: EnrolmentLink,
  makeKey: (patient: ActorId, member: MemberId) => Promise<PublicKey>,
): Promise<{ patient: ActorId; member: MemberId; receipt: Receipt }[]> {
  const enrolled = [];
  for (const pseudonym of link.pseudonyms) {
    const publicKey = await makeKey(pseudonym.patient, pseudonym.member);
    const receipt = await client.submit(enrolmentIdentity(pseudonym), [{ op: "enrolKey", publicKey }]);
    enrolled.push({ patient: pseudonym.patient, member: pseudonym.member, receipt });
  }
  return enrolled;
}

/**
 * Writes a directive. `local` is the patient's pseudonym at the grantee, if there is one: it travels sealed to the grantee, so that
 * nobody else can join the two.
 */
export async function grantConsent(
  client: ApiClient,
  patient: Identity,
  terms: DirectiveTerms,
  grantees: readonly { id: MemberId; hpke: Bytes; local?: ActorId }[],
  options: SubmitOptions = {},
): Promise<Receipt> {
  const { chainId } = await client.genesis();
  const pointers = await Promise.all(
    grantees.map(({ local, ...grantee }) =>
      sealPointer(chainId, grantee, {
        source: patient.member,
        patient: patient.actor,
        ...(local === undefined ? {} : { local }),
      }),
    ),
  );
  return client.submit(patient, [{ op: "grantConsent", patient: patient.actor, terms, pointers }], options);
}

/** Replaces the terms of the patient's directive `number` by narrower ones. */
export const narrowConsent = (
  client: ApiClient,
  patient: Identity,
  number: number,
  terms: DirectiveTerms,
  options: SubmitOptions = {},
): Promise<Receipt> => client.submit(patient, [{ op: "narrowConsent", patient: patient.actor, number, terms }], options);

/** Ends the patient's directive `number` with the next block. */
export const revokeConsent = (
  client: ApiClient,
  patient: Identity,
  number: number,
  options: SubmitOptions = {},
): Promise<Receipt> => client.submit(patient, [{ op: "revokeConsent", patient: patient.actor, number }], options);

/**
 * A link that moves every pseudonym of this wallet to a new phone: using it retires the keys of this one. Throws the chain's refusal as a
 * `Fault` of its code.
 */
export async function linkForNewPhone(client: ApiClient, page: string, pseudonyms: readonly Identity[]): Promise<string> {
  const { chainId, time } = await client.tip();
  const link: EnrolmentLink["pseudonyms"] = [];
  for (const identity of pseudonyms) {
    const { seed, publicKey } = oneTimeKey();
    const enrolment = { publicKey, notAfter: (time + ENROLMENT_SECONDS) as UnixSeconds, replace: true };
    const { results } = await client.submit(identity, [{ op: "authorizeEnrolment", actor: identity.actor, enrolment }]);
    const refused = results.find(({ outcome }) => outcome === "refused");
    if (refused !== undefined) throw new Fault(refused.code ?? "refused", refused.facts ?? {});
    link.push({ patient: identity.actor, member: identity.member, seed });
  }
  return encodeEnrolmentLink(page, { chain: chainId, pseudonyms: link, checkpoint: await newestCheckpoint(client) });
}
