/**
 * Executes a block: which transactions count, what each of their operations comes to, and what the state and the log are afterwards.
 * Depends on the state before, the block's height, time, transactions, last commit and evidence, and on nothing else.
 *
 * A transaction that may not stand here (malformed, expired, replayed, signer unknown or out of force, wrong signature, over quota)
 * gets a code and leaves no trace in state or log. Every other one counts: its operations are decided one by one, in order, each
 * with an outcome of its own in the audit log, and a refused operation changes nothing else. Last, the rules close the block: they count
 * what it says of the validators, and may change these.
 * Source: design.md, "Execution".
 */
import {
  type AuditEntry,
  applyOperation,
  type BlockConduct,
  type BlockContext,
  type Change,
  closeBlock,
  encodeAuditEntry,
  type Operation,
  type Parameters,
  type PowerChange,
  pointsOf,
  type StateReader,
} from "@xinglin/contracts";
import { type Bytes, Fault, type MemberId } from "@xinglin/primitives";
import { type Admitted, admitCandidate } from "./admission.ts";
import type { TransactionResult } from "./block-results.ts";
import type { Candidate } from "./candidate.ts";
import { Overlay } from "./overlay.ts";
import type { Included } from "./replay-window.ts";
import type { SignatureChecks } from "./signature-checks.ts";

/** The event loop gets its turn after so many operations: requests are taken and signatures sent off while a large block is executed. */
const OPERATIONS_A_TURN = 64;

/** Rule sets by the height from which they hold, newest first: an upgrade is a line here and a height that governance sets. */
const RULE_SETS: readonly { readonly from: number; readonly apply: typeof applyOperation; readonly close: typeof closeBlock }[] =
  [{ from: 0, apply: applyOperation, close: closeBlock }];
const ruleSetAt = (height: number): (typeof RULE_SETS)[number] => RULE_SETS.find(({ from }) => from <= height)!;

/** What is executed, and on what. */
export interface Execution {
  readonly state: StateReader;
  readonly parameters: Parameters;
  readonly block: BlockContext;
  /** A `Fault` stands for bytes that could not be decoded. */
  readonly candidates: readonly (Candidate | Fault)[];
  /** Whether a transaction of an earlier block has this id. */
  readonly isReplay: (id: Bytes) => boolean;
  readonly signatures: SignatureChecks;
  /** State changes that the block makes before its first transaction. */
  readonly first?: readonly Change[];
  /** What the block itself says of validators. */
  readonly conduct: Pick<BlockConduct, "lastCommit" | "misbehaviour">;
}

/** One decided operation. */
export interface Decided {
  readonly entry: AuditEntry;
  readonly bytes: Bytes;
}

/** A block's outcome, without what the log and the replay window add to the state. */
export interface Executed {
  readonly transactions: readonly TransactionResult[];
  readonly changes: readonly Change[];
  readonly decided: readonly Decided[];
  readonly included: readonly Included[];
  /** Changed powers, from two heights above the block on. */
  readonly validatorUpdates: readonly PowerChange[];
}

/** Executes; gives the event loop a turn now and then. */
export async function execute(execution: Execution): Promise<Executed> {
  const overlay = new Overlay(execution.state);
  if (execution.first !== undefined) overlay.write(execution.first);
  const transactions: TransactionResult[] = [];
  const decided: Decided[] = [];
  const included: Included[] = [];
  const seen = new Set<string>();
  const used = new Map<MemberId, number>();
  const points = new Map<MemberId, number>();
  let sinceTurn = 0;
  for (const candidate of execution.candidates) {
    const admitted = candidate instanceof Fault ? candidate : admitIn(execution, overlay, candidate, seen, used);
    if (admitted instanceof Fault) {
      transactions.push({ code: admitted.code });
      continue;
    }
    const { transaction, idKey, operationHashes } = candidate as Candidate;
    const { operations, sponsor, notAfter } = transaction.body;
    seen.add(idKey);
    used.set(sponsor, (used.get(sponsor) ?? 0) + operations.length);
    included.push({ id: transaction.id, notAfter });
    transactions.push({ operations: operations.length });
    for (const [index, operation] of operations.entries()) {
      const place = { transaction: transaction.id, index, operationHash: operationHashes[index] as Bytes };
      const one = decide(execution.block, overlay, operation, admitted, place);
      decided.push(one);
      const earned = one.entry.outcome === "accepted" ? pointsOf(operation) : 0;
      if (earned > 0) points.set(sponsor, (points.get(sponsor) ?? 0) + earned);
      if (++sinceTurn < OPERATIONS_A_TURN) continue;
      sinceTurn = 0;
      await new Promise(setImmediate);
    }
  }
  const conduct = { ...execution.conduct, operations: decided.length, points };
  const closed = ruleSetAt(execution.block.height).close(overlay, execution.block, conduct);
  overlay.write(closed.changes);
  return { transactions, changes: overlay.changes(), decided, included, validatorUpdates: closed.validatorUpdates };
}

/** The caller if the transaction counts in this place of this block, else why not. */
function admitIn(
  { block, parameters, isReplay, signatures }: Execution,
  overlay: Overlay,
  candidate: Candidate,
  seen: ReadonlySet<string>,
  used: ReadonlyMap<MemberId, number>,
): Admitted | Fault {
  const { transaction, idKey, hash } = candidate;
  const { sponsor, operations } = transaction.body;
  if (seen.has(idKey) || isReplay(transaction.id)) return new Fault("already_known");
  const admitted = admitCandidate(overlay, candidate, block);
  if (admitted instanceof Fault) return admitted;
  if ((used.get(sponsor) ?? 0) + operations.length > parameters.memberQuota) return new Fault("over_quota", { member: sponsor });
  return signatures.checkNow({ hash, jobs: admitted.jobs }) ? admitted : new Fault("signature_wrong");
}

function decide(
  block: BlockContext,
  overlay: Overlay,
  operation: Operation,
  { caller }: Admitted,
  { transaction, index, operationHash }: Pick<AuditEntry, "transaction" | "index" | "operationHash">,
): Decided {
  const outcome = ruleSetAt(block.height).apply(overlay, operation, { block, caller, transaction, index });
  if (outcome.ok) overlay.write(outcome.value.changes);
  const { actorId: actor, key, sponsor: member, device } = caller;
  const { subject, reason } = outcome.ok ? outcome.value : outcome.refusal;
  const entry: AuditEntry = {
    height: block.height,
    time: block.time,
    transaction,
    index,
    operation: operation.op,
    by: { actor, key, member, ...(device === undefined ? {} : { device }) },
    outcome: outcome.ok ? "accepted" : "refused",
    ...(outcome.ok ? {} : { code: outcome.refusal.code, facts: outcome.refusal.facts }),
    subject,
    ...(reason === undefined ? {} : { reason }),
    operationHash,
  };
  return { entry, bytes: encodeAuditEntry(entry) };
}
