/**
 * Enrolment by a one-time link: for each pseudonym a key of its own is made here, and only its public half is sent, signed by the link's
 * one-time key. Source: requirement B1; design.md, "Identity".
 */
import { type ApiClient, type EnrolmentLink, enrolmentIdentity } from "@xinglin/client";
import type { PublicKey } from "@xinglin/contracts";
import { Fault, type MemberId } from "@xinglin/primitives";
import type { Holding, WalletKey } from "./holding.ts";
import type { Wallet } from "./wallet.ts";

type Pseudonym = EnrolmentLink["pseudonyms"][number];

/** Makes the key of one pseudonym. */
export type MakeKey = (member: MemberId) => Promise<{ key: WalletKey; publicKey: PublicKey }>;

/**
 * Enrols every pseudonym of the link that is not enrolled yet. The key is kept before it is sent, so that an answer that gets lost on the
 * way can be settled later. Throws `wrong_chain`, the chain's refusal (`enrolment_used`, `enrolment_over`, …) or what the network threw.
 */
export async function enrolAll(client: ApiClient, wallet: Wallet, link: EnrolmentLink, makeKey: MakeKey): Promise<void> {
  const { chainId } = await client.genesis();
  if (chainId !== link.chain) throw new Fault("wrong_chain", { chain: chainId });
  for (const pseudonym of link.pseudonyms) {
    const { patient, member } = pseudonym;
    const held = wallet.holdings.find((holding) => holding.patient === patient);
    // A link with several pseudonyms can break off between two of them.
    if (held?.state === "pending" && (await settle(client, wallet, held))) continue;
    const { key, publicKey } = await makeKey(member);
    await wallet.put({ patient, member, chain: link.chain, state: "pending", key, addedAt: Date.now() });
    try {
      await enrolOne(client, pseudonym, publicKey);
    } catch (error) {
      // What was refused did not happen; what got lost may have.
      if (error instanceof Fault && !error.retry) await (held === undefined ? wallet.remove(patient) : wallet.put(held));
      throw error;
    }
    await wallet.setState(patient, "enrolled");
  }
}

async function enrolOne(client: ApiClient, pseudonym: Pseudonym, publicKey: PublicKey): Promise<void> {
  const { results } = await client.submit(enrolmentIdentity(pseudonym), [{ op: "enrolKey", publicKey }]);
  const refused = results.find(({ outcome }) => outcome === "refused");
  if (refused !== undefined) throw new Fault(refused.code ?? "refused", refused.facts ?? {});
}

/** Finds out whether a pending key was enrolled after all, and says so; false if it was not. Throws if it can't be told now. */
export async function settle(client: ApiClient, wallet: Wallet, holding: Holding): Promise<boolean> {
  try {
    await client.getJson(`/v1/patients/${holding.patient}/accesses?limit=1`, await wallet.identity(holding));
  } catch (error) {
    if (error instanceof Fault && error.code === "unknown_key") return false;
    throw error;
  }
  await wallet.setState(holding.patient, "enrolled");
  return true;
}
