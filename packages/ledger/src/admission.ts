/**
 * From the rules' admission to what the ledger does with it: a fault that turns the transaction away, or the caller and the signatures that are
 * still to be verified. Source: design.md, "Execution".
 */
import { admit, type BlockContext, type Caller, possessionsIn, type StateReader } from "@xinglin/contracts";
import type { VerifyJob } from "@xinglin/crypto/node";
import { Fault } from "@xinglin/primitives";
import type { Candidate } from "./candidate.ts";

/** A transaction that may stand in the block if its signatures are right. */
export interface Admitted {
  readonly caller: Caller;
  readonly jobs: readonly VerifyJob[];
}

/** A signature without which a transaction names a device in vain: nothing verifies it. */
const NO_SIGNATURE = new Uint8Array(0);

/** Asks the rules about chain, size, validity, signer, sponsor and device in `state`. The fault carries their code. */
export function admitCandidate(state: StateReader, { transaction, bytes }: Candidate, block: BlockContext): Admitted | Fault {
  const admission = admit(state, transaction, block, bytes.length);
  if (!admission.ok) return new Fault(admission.refusal.code, admission.refusal.facts);
  const caller = admission.value;
  const { bodyBytes: message, signature, deviceSignature } = transaction;
  const { suite, key: publicKey } = caller.publicKey;
  const jobs: VerifyJob[] = [{ suite, publicKey, message, signature }];
  if (caller.devicePublicKey !== undefined) {
    const { suite: deviceSuite, key } = caller.devicePublicKey;
    jobs.push({ suite: deviceSuite, publicKey: key, message, signature: deviceSignature ?? NO_SIGNATURE });
  } else if (deviceSignature !== undefined) return new Fault("signature_wrong");
  jobs.push(...possessionsIn(block.chain, transaction.body.operations));
  return { caller, jobs };
}
