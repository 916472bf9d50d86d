/**
 * Who a client acts as: an actor of the chain, the member on whose quota it acts, and what signs for it. The signer may be a key file,
 * a non-extractable browser key or a passkey; the client never sees a private key.
 * Source: design.md, "Identity".
 */
import type { SuiteId } from "@xinglin/contracts";
import type { Signer } from "@xinglin/crypto";
import { keyId } from "@xinglin/crypto/pure";
import type { ActorId, MemberId } from "@xinglin/primitives";

export interface Identity {
  readonly actor: ActorId;
  readonly member: MemberId;
  readonly signer: Signer;
}

/** How a transaction names the identity's key. */
export const signerReference = ({ actor, signer }: Identity): { actor: ActorId; key: string; suite: SuiteId } => {
  const suite = signer.suite as SuiteId;
  return { actor, key: keyId(suite, signer.publicKey), suite };
};
