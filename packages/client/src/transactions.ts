/**
 * Building and signing transactions. Source: design.md, "Transactions".
 */
import { encodeBody, encodeTransaction, type Operation } from "@xinglin/contracts";
import { randomBytes } from "@xinglin/crypto";
import { sha256 } from "@xinglin/crypto/pure";
import type { Bytes, Height, UnixSeconds } from "@xinglin/primitives";
import { type Identity, signerReference } from "./identity.ts";

/** Long enough for a person to touch a key, short enough that a lost answer is soon settled. */
const VALIDITY_SECONDS = 300;
const VALIDITY_BLOCKS = 5_000;

/** The chain as a signer needs to know it: its id and its newest block. */
export interface ChainTip {
  readonly chainId: string;
  readonly height: number;
  readonly time: UnixSeconds;
}

/** A transaction ready to submit, with its id. */
export interface SignedTransaction {
  readonly id: Bytes;
  readonly bytes: Bytes;
}

/** Signs `operations` as one transaction of `identity`, and of the work station `device` where one is named. */
export async function signTransaction(
  tip: ChainTip,
  identity: Identity,
  operations: readonly Operation[],
  device?: Identity,
): Promise<SignedTransaction> {
  const body = encodeBody({
    type: "xinglin-transaction/1",
    chain: tip.chainId,
    signer: signerReference(identity),
    ...(device === undefined ? {} : { device: signerReference(device) }),
    sponsor: identity.member,
    notAfter: { time: (tip.time + VALIDITY_SECONDS) as UnixSeconds, height: (tip.height + VALIDITY_BLOCKS) as Height },
    nonce: randomBytes(16),
    operations: [...operations],
  });
  const signature = await identity.signer.sign(body);
  return {
    id: sha256(body),
    bytes: encodeTransaction(body, signature, device === undefined ? undefined : await device.signer.sign(body)),
  };
}
