/**
 * The pseudonym under which a source files a patient, sealed to the member that a directive names: without it that member can't even ask.
 * Source: design.md, "Identity" (pairwise pseudonyms).
 */
import type { SealedPointer } from "@xinglin/contracts";
import { hpkeOpen, hpkeSeal } from "@xinglin/crypto";
import { type ActorId, actorId, type Bytes, cbor, Fault, type Infer, type MemberId, memberId, schema } from "@xinglin/primitives";

/** `patient` at `source` is the grantee's own `local`, if the patient is registered there. */
const pointer = schema.object({ source: memberId, patient: actorId, local: schema.optional(actorId) });
export type Pointer = Infer<typeof pointer>;

const info = (chain: string, grantee: MemberId, patient: ActorId): Bytes =>
  cbor.encode({ type: "xinglin-pointer/1", chain, grantee, patient });

/** Seals `content` to the grantee member's X-Wing key. */
export async function sealPointer(
  chain: string,
  grantee: { id: MemberId; hpke: Bytes },
  content: Pointer,
): Promise<SealedPointer> {
  return {
    member: grantee.id,
    sealed: await hpkeSeal(grantee.hpke, info(chain, grantee.id, content.patient), new Uint8Array(), cbor.encode(content)),
  };
}

/**
 * Opens a pointer with the member's private key. Throws if it was sealed to another, for another patient, or changed. Anybody can seal to a
 * public key: believe only pointers of a directive that the chain proves. `local` is what that patient claims; the hospital knows its own.
 */
export async function openPointer(
  chain: string,
  grantee: MemberId,
  patient: ActorId,
  hpkePrivateKey: Bytes,
  sealed: Bytes,
): Promise<Pointer> {
  const opened = await hpkeOpen(hpkePrivateKey, info(chain, grantee, patient), new Uint8Array(), sealed);
  const content = pointer.parse(cbor.decode(opened, 1024));
  if (content.patient !== patient)
    throw new Fault("malformed", { element: "/patient", expected: "the patient whose directive it is" });
  return content;
}
