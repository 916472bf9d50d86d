/**
 * Where the projection reads the audit log: the ledger, through an adapter that `api` makes.
 * Source: design.md, "Read model" (every audit entry is projected), "Audit log" (the read model projects from this log).
 */
import type { Operation } from "@xinglin/contracts";
import type { Bytes } from "@xinglin/primitives";

/** One entry of the audit log and the operation it decided. */
export interface FeedItem {
  /** Position in the log over all epochs, from 0 without gaps. */
  readonly sequence: number;
  /** Canonical bytes, the leaf of the log's Merkle tree. */
  readonly entryBytes: Bytes;
  /** SHA-256 of its canonical bytes is the entry's `operationHash`. */
  readonly operation: Operation;
}

export interface Source {
  /** Chain id. */
  readonly chain: string;
  /** How many entries are committed. */
  size(): Promise<number>;
  /** The oldest entry that can be read, where it is not 0: on a node that joined by a snapshot, or that let old blocks go. */
  first?(): Promise<number>;
  /** Up to `limit` committed entries from `from` on, in order; fewer only at the end of the log. */
  read(from: number, limit: number): Promise<readonly FeedItem[]>;
}
