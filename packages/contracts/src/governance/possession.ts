/**
 * Proof that whoever is to get a validator's seat has its key: the key signs whose it is to be, and on which chain. Without it a member could name a key that is
 * another's, or nobody's: the chain would count power that never signs, and evidence against one would strike the other.
 *
 * The signature is one more of the transaction that proposes: the ledger verifies it with the others, before any rule is asked, by the same
 * implementations on every node; a wrong one makes the transaction wrong (`signature_wrong`). A proposal in the state has therefore a right one.
 * Source: requirement A3; Ristenpart and Yilek, "The Power of Proofs-of-Possession" (2007).
 */
import { cometbft, type SignatureKind } from "@xinglin/crypto/pure";
import { type Bytes, cbor, concat, type MemberId, utf8 } from "@xinglin/primitives";
import type { Operation } from "../operations.ts";

/** Begins what no vote begins with (these carry their length and a protobuf tag), so that neither is ever taken for the other. */
const PURPOSE = utf8("xinglin/validator-possession/1\u0000");

/** What the key signs. Before a chain has an id, for its genesis, `chain` is empty: no chain takes such a proof. */
export const possessionMessage = (chain: string, member: MemberId, publicKey: Bytes): Bytes =>
  concat(PURPOSE, cbor.encode({ chain, member, publicKey }));

/** A signature that has to be right for a transaction to count. */
export interface RequiredSignature {
  readonly suite: SignatureKind;
  readonly publicKey: Bytes;
  readonly message: Bytes;
  readonly signature: Bytes;
}

/** A proof as what is to be verified. */
export const possessionSignature = (
  chain: string,
  { member, publicKey, possession }: { readonly member: MemberId; readonly publicKey: Bytes; readonly possession: Bytes },
): RequiredSignature => ({
  suite: cometbft.keyTypeOf(publicKey),
  publicKey,
  message: possessionMessage(chain, member, publicKey),
  signature: possession,
});

/** The proofs that operations bring, in their order. */
export const possessionsIn = (chain: string, operations: readonly Operation[]): RequiredSignature[] =>
  operations.flatMap((operation) =>
    operation.op === "proposeChange" && operation.action.kind === "admitValidator"
      ? [possessionSignature(chain, operation.action)]
      : [],
  );
