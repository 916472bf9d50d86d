/**
 * Whether a proposed block may be decided: every transaction in it would be taken in the last committed state, none twice, no member over its
 * quota, no more to verify than a block may ask of a node, every signature right. Source: design.md, "Execution" (ProcessProposal).
 */
import {
  type BlockContext,
  MAX_BLOCK_VERIFICATION,
  type Parameters,
  type StateReader,
  verificationUnits,
} from "@xinglin/contracts";
import { type Bytes, Fault, type MemberId } from "@xinglin/primitives";
import { admitCandidate } from "./admission.ts";
import type { BlockInput } from "./block.ts";
import { candidateOf } from "./candidate.ts";
import { damageIn } from "./damage.ts";
import type { SignatureChecks, SignedTransaction } from "./signature-checks.ts";

/** What a proposal is held against. */
export interface ProposalContext {
  readonly state: StateReader;
  readonly context: BlockContext;
  readonly parameters: Parameters;
  /** Whether a transaction of an earlier block has this id. */
  readonly isReplay: (id: Bytes) => boolean;
  readonly signatures: SignatureChecks;
}

/** More to verify than a block may ask of every node. */
export const overBudget = (units: number): Fault =>
  new Fault("verification_over_budget", { units, mostUnits: MAX_BLOCK_VERIFICATION });

/** The first reason against the proposal, or undefined. Rejects with `Fault`: `verify_pool_stopped` when the ledger
 * closes meanwhile, `state_corrupt` when the state can't be read. */
export async function checkProposal(block: BlockInput, held: ProposalContext): Promise<Fault | undefined> {
  try {
    const unverified = unverifiedOf(block.transactions, held);
    const right = await Promise.all(unverified.map((signed) => held.signatures.check(signed)));
    return right.every((one) => one) ? undefined : new Fault("signature_wrong");
  } catch (error) {
    // What is wrong with this node is no reason against the proposal.
    const isOurs = damageIn(error) !== undefined || (error as { code?: string }).code === "verify_pool_stopped";
    if (error instanceof Fault && !isOurs) return error;
    throw error;
  }
}

/** Everything but the signatures, which remain to be verified. Throws the `Fault` of the first transaction that may not stand here. */
function unverifiedOf(
  transactions: readonly Bytes[],
  { state, context, parameters, isReplay }: Omit<ProposalContext, "signatures">,
): SignedTransaction[] {
  const used = new Map<MemberId, number>();
  const seen = new Set<string>();
  let units = 0;
  return transactions.map((bytes) => {
    const candidate = candidateOf(bytes, parameters);
    const { transaction, idKey, hash } = candidate;
    if (seen.has(idKey) || isReplay(transaction.id)) throw new Fault("already_known");
    seen.add(idKey);
    const { sponsor, operations } = transaction.body;
    const admitted = admitCandidate(state, candidate, context);
    if (admitted instanceof Fault) throw admitted;
    const total = (used.get(sponsor) ?? 0) + operations.length;
    if (total > parameters.memberQuota) throw new Fault("over_quota", { member: sponsor });
    used.set(sponsor, total);
    units += verificationUnits(admitted.jobs);
    if (units > MAX_BLOCK_VERIFICATION) throw overBudget(units);
    return { hash, jobs: admitted.jobs };
  });
}
