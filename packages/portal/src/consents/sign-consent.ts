/**
 * Signs a change of consent and follows it until the chain proves it. Loaded when it is first needed, since sealing brings its own
 * cryptography. Source: requirements C1, A9; design.md, "Identity" (a grant carries the pseudonym, sealed to the grantee).
 */
import { type ApiClient, grantConsent, type Identity, narrowConsent, type Receipt, revokeConsent } from "@xinglin/client";
import type { Directive, DirectiveTerms } from "@xinglin/contracts";
import { cbor, equal, Fault, type MemberId } from "@xinglin/primitives";
import type { Member } from "../feed/feed.ts";
import { Verifier } from "../verify/verify-accesses.ts";

/** How far a change has come. */
export type SigningStage =
  | { readonly stage: "signing" }
  | { readonly stage: "committed"; readonly height: number; readonly time: number }
  | { readonly stage: "provable"; readonly height: number; readonly time: number; readonly number: number };

/** A change of the directives of one pseudonym. */
export type ConsentChange =
  | { readonly kind: "grant"; readonly terms: DirectiveTerms }
  | { readonly kind: "narrow"; readonly number: number; readonly terms: DirectiveTerms }
  | { readonly kind: "revoke"; readonly number: number };

/**
 * Signs `change` as `identity` and reports each stage. `pseudonyms` are the wallet's own: a grantee where the patient is known gets the local
 * pseudonym in its sealed pointer. Throws the chain's refusal as a `Fault` of its code.
 */
export async function signConsent(
  client: ApiClient,
  chainId: string,
  identity: Identity,
  pseudonyms: readonly Member[],
  change: ConsentChange,
  onStage: (stage: SigningStage) => void,
): Promise<void> {
  onStage({ stage: "signing" });
  const verifier = await Verifier.of(client, chainId);
  const receipt = await submit(client, verifier, identity, pseudonyms, change);
  const [result] = receipt.results;
  if (result?.outcome !== "accepted") throw new Fault(result?.code ?? "refused", result?.facts ?? {});
  const { height, time } = receipt;
  onStage({ stage: "committed", height, time });
  await client.getJson(`/v1/receipts/${receipt.id}?wait=provable`);
  const number = change.kind === "grant" ? (result.subject.number ?? 0) : change.number;
  const proven = await verifier.proveDirective(identity, number, height);
  if (!holds(proven, change)) throw new Fault("change_not_proven", { number });
  onStage({ stage: "provable", height, time, number });
}

/** Whether the proven directive is what was signed. */
export function holds({ terms, revokedAt }: Directive, change: ConsentChange): boolean {
  if (change.kind === "revoke") return revokedAt !== undefined;
  return revokedAt === undefined && equal(cbor.encode(terms), cbor.encode(change.terms));
}

async function submit(
  client: ApiClient,
  verifier: Verifier,
  identity: Identity,
  pseudonyms: readonly Member[],
  change: ConsentChange,
): Promise<Receipt> {
  const wait = { wait: "committed" } as const;
  if (change.kind === "revoke") return revokeConsent(client, identity, change.number, wait);
  if (change.kind === "narrow") return narrowConsent(client, identity, change.number, change.terms, wait);
  const named = new Set(change.terms.grantees.flatMap((grantee) => (grantee.kind === "study" ? [] : [grantee.member])));
  // A denial needs no pointer: it is not there to be used.
  const ids: MemberId[] = change.terms.effect === "deny" ? [] : [...named];
  const grantees = await Promise.all(
    ids.map(async (id) => {
      const local = pseudonyms.find(({ holding }) => holding.member === id && holding.patient !== identity.actor)?.holding
        .patient;
      return { id, hpke: await verifier.memberKey(identity, id), ...(local === undefined ? {} : { local }) };
    }),
  );
  return grantConsent(client, identity, change.terms, grantees, wait);
}
