/**
 * What an archived object costs on the chain: the whole signed transaction that anchors it, with custody by six, as the ledger would take it.
 * Source: requirement D1 (under 1 KB for any size).
 */
import type { ObjectReference } from "@xinglin/archive";
import { signTransaction } from "@xinglin/client";
import { decodeTransaction } from "@xinglin/contracts";
import { randomBytes } from "@xinglin/crypto";
import { nodeEd25519Signer } from "@xinglin/crypto/node";
import { type ActorId, type CredentialId, type MemberId, type RecordId, toHex, type UnixSeconds } from "@xinglin/primitives";

const CUSTODIANS = ["clinic-d", "commission", "hospital-a", "hospital-b", "hospital-c", "institute-e"];

/** Bytes of a signed transaction with one `anchorRecord`, decoded once to be sure that it is one. */
export async function anchorBytes(objectId: Uint8Array, reference: ObjectReference): Promise<number> {
  const id = <T extends string>(): T => toHex(randomBytes(16)) as T;
  const identity = { actor: id<ActorId>(), member: "hospital-a" as MemberId, signer: nodeEd25519Signer(randomBytes(32)) };
  const tip = { chainId: `xinglin-${toHex(randomBytes(12))}`, height: 1_000_000, time: 1_800_000_000 as UnixSeconds };
  const { bytes } = await signTransaction(tip, identity, [
    {
      op: "anchorRecord",
      record: id<RecordId>(),
      patient: id<ActorId>(),
      class: { level: "sensitive", category: "imaging" },
      format: "dicom",
      object: { id: objectId, ...reference },
      custody: {
        epoch: 1,
        threshold: 4,
        custodians: CUSTODIANS.map((member) => `custodian-${member}` as ActorId),
        commitments: randomBytes(32),
      },
      credential: id<CredentialId>(),
    },
  ]);
  decodeTransaction(bytes);
  return bytes.length;
}
