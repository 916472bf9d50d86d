/**
 * The directives that name a member, with the pseudonyms that were sealed to it. The server only says where to look: what is believed stands
 * in a directive that the chain proves, since anybody can seal to the member's public key. Source: design.md, "Identity" (pairwise pseudonyms).
 */
import { type ApiClient, type Identity, openPointer, type Pointer, TrustedChain } from "@xinglin/client";
import { directive as directiveEntry, directiveNumber, keys } from "@xinglin/contracts";
import { actorId, type Bytes, cbor } from "@xinglin/primitives";

/** A directive's number and what its pointer says. */
export interface OpenedGrant extends Pointer {
  readonly number: number;
}

/**
 * The grants in force that name the member of `by`, newest first, opened with the member's private X-Wing key. A pointer that does not open is
 * left out: a patient who writes a wrong one must not hide the others.
 */
export async function openGrants(client: ApiClient, by: Identity, hpkePrivateKey: Bytes): Promise<OpenedGrant[]> {
  const chain = await TrustedChain.of(client);
  const { items } = (await client.getJson("/v1/grants", by)) as { items: { patient: unknown; number: unknown }[] };
  const opened: OpenedGrant[] = [];
  for (const item of items) {
    const patient = actorId.parse(item.patient);
    const number = directiveNumber.parse(item.number);
    const { value } = await chain.prove(by, keys.consent(patient, number));
    if (value === undefined) continue;
    const { pointers } = directiveEntry.parse(cbor.decode(value, value.length));
    const mine = pointers.find(({ member }) => member === by.member);
    if (mine === undefined) continue;
    const pointer = await openPointer(chain.chainId, by.member, patient, hpkePrivateKey, mine.sealed).catch(() => undefined);
    if (pointer !== undefined) opened.push({ ...pointer, number });
  }
  return opened;
}
