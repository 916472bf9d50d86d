/**
 * The ledger as the API, the command line and a consortium use it: submit a transaction, learn what came of it, read and prove the state.
 * Source: design.md, "Ledger"; requirements A1, A2, C10.
 */
import type { Parameters } from "@xinglin/contracts";
import type { Bytes, Fault } from "@xinglin/primitives";
import type { Clock, Time } from "./block-time.ts";
import type { ValidatorKey } from "./driver.ts";
import type { ProvenEntry, ProvenValue } from "./entry-proof.ts";
import type { MempoolLimits } from "./mempool.ts";
import type { Receipt, ReceiptStage } from "./receipts.ts";
import type { RetentionPolicy } from "./retention.ts";

/** What `openLedger` needs. */
export interface LedgerOptions {
  /** The data folder; made if it is not there. Of one process at a time. */
  readonly directory: string;
  /** Canonical bytes of the genesis document. */
  readonly genesis: Bytes;
  /** The key of the genesis' only validator. */
  readonly validator: ValidatorKey;
  /** Where block times come from; by default the clock of this machine. */
  readonly clock?: Clock;
  /** Threads that verify signatures; by default one fewer than there are cores, at least one. With 0 the ledger's own thread does. */
  readonly verifyWorkers?: number;
  /** Bounds of what may wait for a block. */
  readonly mempool?: MempoolLimits;
  /** How long the first transaction of a block waits for company. */
  readonly gatherMs?: number;
  /** Heights below the newest that can still be proved. */
  readonly keepVersions?: number;
  /** A snapshot for nodes that join is taken at every multiple of this height; by default never. */
  readonly snapshotBlocks?: number;
  /** What of old blocks may go; by default nothing. */
  readonly retention?: RetentionPolicy;
  /** Hears why a snapshot could not be taken; the next is tried at its own height. */
  readonly onSnapshotFault?: (fault: Fault) => void;
  /** Free bytes of the data folder's disk, for tests. */
  readonly freeBytes?: (directory: string) => number;
}

/** A transaction that waits for its block. */
export interface Submission {
  /** SHA-256 of the signed body. */
  readonly id: Bytes;
}

/** An entry of the audit log by its place over all epochs. */
export interface SequencedEntry {
  readonly sequence: number;
  readonly entry: Bytes;
}

/** What a subscriber hears of each block: it is final, and the state up to `provable` can be proved. */
export interface BlockNotice {
  readonly height: number;
  readonly time: Time;
  readonly entries: readonly SequencedEntry[];
  readonly provable: number;
}

export interface Ledger {
  readonly chainId: string;
  readonly genesis: Bytes;
  /** Height of the newest final block. */
  height(): number;
  /** Newest height whose state can be proved. */
  provableHeight(): number;
  /** What governance may change, as of the newest block. */
  parameters(): Parameters;
  /**
   * Takes a transaction. Rejects with a `Fault` that says why it is turned away: `malformed`, an admission code of the rules, `already_known`,
   * `signature_wrong`, `over_quota`, or with retry `mempool_full`, `mempool_quota`, `disk_full`, `ledger_unavailable`.
   */
  submit(transaction: Bytes): Promise<Submission>;
  /**
   * What came of a transaction, once it is committed or provable. Known for as long as the transaction could be valid (`maxValiditySeconds`), over
   * restarts too; older ones stand in the audit log. Rejects with `transaction_unknown`, `expired`, an admission code if it was dropped, `ledger_unavailable`,
   * or the reason of `signal`.
   */
  receipt(id: Bytes, waitUntil: ReceiptStage, signal?: AbortSignal): Promise<Receipt>;
  /** Newest committed value of a state key. */
  get(key: string): Bytes | undefined;
  /** Proves a state key's value or absence, by default at the newest provable height. Throws `not_provable_yet`, `state_pruned`. */
  prove(key: string, height?: number): ProvenValue;
  /** Proves an audit entry. Throws `unknown_entry`, `not_provable_yet`. */
  proveEntry(sequence: number): ProvenEntry;
  /** At most `limit` audit entries from sequence `from` on. */
  entries(from: number, limit: number): Iterable<SequencedEntry>;
  /** Audit entries so far. */
  entryCount(): number;
  /**
   * Sequence number of the oldest entry that is here together with its block: above 0 on a node that joined by a snapshot, or that let old
   * blocks go.
   */
  firstEntry(): number;
  /** Protobuf bytes of a light block, undefined if there is none at this height. */
  lightBlock(height: number): Bytes | undefined;
  newestLightBlock(): Bytes;
  /** Protobuf bytes of a block. */
  block(height: number): Bytes | undefined;
  /** Calls `listener` for every block from now on, in order. Returns how to stop. */
  subscribe(listener: (notice: BlockNotice) => void): () => void;
  /** Copies the ledger as it is now into an empty folder, while it goes on. Rejects with `backup_target_not_empty`, `disk_full`. */
  backup(directory: string): Promise<void>;
  /** Finishes the block under way and closes the folder. What waits in the mempool is forgotten. */
  close(): Promise<void>;
}
