/**
 * What the authenticated map promises the ledger. The engine behind it is in the other files of this package.
 * Source: design.md, "Ledger" (State); ICS-23, sparse Merkle tree spec.
 */

/** One write: the value of `key`, or null to delete it. Keys are UTF-8 text of 1 to `MAX_KEY_BYTES` bytes. */
export type StateChange = { readonly key: string; readonly value: Uint8Array | null };

/** A write of another owner of the database (the block store) that joins the state's atomic batch. */
export type BatchOperation =
  | { readonly type: "put"; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: "del"; readonly key: Uint8Array };

/** A block's outcome, computed and not yet committed. */
export interface Prepared {
  readonly height: number;
  /** The root after the block: the app hash. */
  readonly root: Uint8Array;
}

/** A value or its absence at a height, with the proof that a stranger can check against `root`. */
export interface Proof {
  readonly key: string;
  /** Undefined when the key is absent at `height`. */
  readonly value: Uint8Array | undefined;
  /** Protobuf `ics23.CommitmentProof` under the reference's own `SmtSpec`: exist or nonexist, raw keys. */
  readonly proof: Uint8Array;
  readonly root: Uint8Array;
  readonly height: number;
}

/** Options of `openState`. */
export interface StateOptions {
  /** How many heights below the newest can still be read and proved. Default 1,000. */
  readonly keepVersions?: number;
  /** Memory for pages of the tree and values; what is beyond it is read from disk again. Default 256 MiB. */
  readonly cacheBytes?: number;
  /** Memory for the changes of the newest blocks, which delay the writing of leaf pages. Default 24 MiB. */
  readonly windowBytes?: number;
}

/** Counts and sizes for operators and benches. Bytes are of memory unless named otherwise. */
export interface StateStatistics {
  readonly height: number;
  /** Versions written so far; a block without effect writes none. */
  readonly version: number;
  readonly keys: number;
  /** The oldest height that can be read. */
  readonly oldestHeight: number;
  readonly pageBytes: number;
  readonly windowBytes: number;
  readonly valueBytes: number;
  readonly leafPages: number;
  readonly branchPages: number;
  /** Since opening: pages read from disk, pages dropped from memory. */
  readonly pagesRead: number;
  readonly pagesEvicted: number;
  /** Since opening: what the commits wrote, in rows and bytes before the store's own log and compaction. */
  readonly rowsWritten: number;
  readonly bytesWritten: number;
}

/** The authenticated map of one ledger. One writer; reads are of the newest committed block and never wait for a writer. */
export interface State {
  /** Height of the newest commit; 0 before the first. */
  readonly height: number;
  /** Root of the newest commit: the app hash. 32 zero bytes while the map is empty. */
  readonly root: Uint8Array;
  /** Newest committed value. The bytes belong to the caller. */
  get(key: string): Uint8Array | undefined;
  /**
   * Computes the root after `changes` without showing or writing anything; the last write of a key wins. One at a time: commit
   * or abandon it before the next. `height` must be above `this.height`; gaps are allowed. Faults: `state_key_invalid`.
   */
  prepare(height: number, changes: readonly StateChange[]): Prepared;
  /**
   * Makes `prepared` durable and visible, with `extra` in the same synced batch (keys must not begin with 0x73). When it
   * rejects (`disk_full`, `state_write_failed`), the prepared block is gone and the state is the one before it; the next commit
   * first opens the database again, for which reads of other owners must be able to wait. `state_write_uncertain` then means that
   * the failed block is durable after all: the process has to open the state anew.
   */
  commit(prepared: Prepared, extra?: readonly BatchOperation[]): Promise<void>;
  /** Drops a block that was not decided. */
  abandon(prepared: Prepared): void;
  /** Proves the value or the absence of `key` at `height` (default: newest). Faults: `state_pruned`, `state_height_unknown`. */
  prove(key: string, height?: number): Proof;
  /** Value of `key` at a kept height. Faults: `state_pruned`, `state_height_unknown`. */
  getAt(key: string, height: number): Uint8Array | undefined;
  /** Present keys that begin with `prefix`, in byte order, strictly after `after`, at most `limit` (default: all). Reads the disk. */
  keys(prefix: string, options?: { readonly after?: string; readonly limit?: number }): Promise<string[]>;
  statistics(): StateStatistics;
  /** Goes on with what the database holds now, after an import was finished or discarded. No block may be under way. */
  reload(): Promise<void>;
}

/** Longest key, in UTF-8 bytes. */
export const MAX_KEY_BYTES = 200;
