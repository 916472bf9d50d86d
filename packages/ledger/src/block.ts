/**
 * What a driver and the application hand each other: a block with its transactions, and what it came to.
 * Source: design.md, "Drivers"; CometBFT spec, ABCI++ (FinalizeBlock).
 */
import type { Bytes } from "@xinglin/primitives";
import type { LogPlace } from "./audit-log.ts";
import type { TransactionResult } from "./block-results.ts";
import type { Time } from "./block-time.ts";
import type { Decided } from "./execution.ts";

/** What consensus found a validator to have done against the protocol. Source: CometBFT v0.40 `abci.Misbehavior`. */
export interface Misbehaviour {
  readonly kind: "duplicate_vote" | "light_client_attack";
  /** Of the validator: the first 20 bytes of SHA-256 of its public key. */
  readonly address: Bytes;
  /** The height at which it happened. */
  readonly height: number;
}

/** Whether a validator's vote is in the commit of the block before. Source: CometBFT v0.40 `abci.VoteInfo`. */
export interface CommitVote {
  readonly address: Bytes;
  readonly signed: boolean;
}

/** A block as a driver hands it over. */
export interface BlockInput {
  readonly height: number;
  readonly time: Time;
  readonly transactions: readonly Bytes[];
  /** Evidence that the block brings; none from a driver without other validators. */
  readonly misbehaviour?: readonly Misbehaviour[];
  /** Who signed the block before, as the block itself says it. */
  readonly lastCommit?: readonly CommitVote[];
}

/** A validator's voting power from two heights above the block on; 0 takes its seat. */
export interface ValidatorUpdate {
  readonly publicKey: Bytes;
  readonly power: number;
}

/** What a block came to, as who waits for it is told. */
export interface BlockOutcome {
  /** Audit entries in order, with their places over all epochs. */
  readonly entries: readonly (Decided & { readonly sequence: number })[];
  /** Ids of the transactions that were not turned away, in order. */
  readonly ids: readonly Bytes[];
}

/** What a block came to, computed and not yet committed. */
export interface Finalized extends BlockOutcome {
  readonly results: readonly TransactionResult[];
  readonly appHash: Bytes;
  /** Audit entries in order, with where they stand in the log. */
  readonly entries: readonly (Decided & { readonly sequence: number; readonly place: LogPlace })[];
  /** Changes of the validators that the block decided. */
  readonly validatorUpdates: readonly ValidatorUpdate[];
}
