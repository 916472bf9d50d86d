/**
 * Snapshots of a ledger between nodes, in the shape of ABCI's four methods (`ListSnapshots`, `LoadSnapshotChunk`, `OfferSnapshot`,
 * `ApplySnapshotChunk`): one side offers what it took, the other checks each piece before it keeps it.
 * Source: CometBFT v0.40, proto `tendermint.abci.Snapshot` and spec "ABCI++", state sync; requirement A2.
 */
import type { Bytes } from "@xinglin/primitives";

/** A snapshot as peers tell each other of it. Two nodes that took one of the same height tell the same. */
export interface Snapshot {
  readonly height: number;
  /** Of metadata and chunks: `SNAPSHOT_FORMAT`. */
  readonly format: number;
  readonly chunks: number;
  /** SHA-256 of `metadata`, which commits to every chunk. */
  readonly hash: Bytes;
  readonly metadata: Bytes;
}

/** The format that this version reads and writes. */
export const SNAPSHOT_FORMAT = 1;

/** What this node offers others. */
export interface SnapshotSource {
  /** The newest first. */
  list(): readonly Snapshot[];
  /** A chunk of one of them, never empty; undefined if it is not, or no longer, here. Rejects with `snapshot_unreadable`. */
  chunk(height: number, format: number, index: number): Promise<Bytes | undefined>;
}

/**
 * Answer to an offer: take it; stop, since this node has a chain already; not this one; no such format; nor any other from who offers it,
 * since it does not make up the state that the chain agreed on.
 */
export type OfferAnswer = "accept" | "abort" | "reject" | "reject_format" | "reject_sender";

/** Answer to a chunk. */
export interface ChunkAnswer {
  /** Kept; no snapshot is being taken in; fetch it again; begin again with the first chunk. */
  readonly result: "accept" | "abort" | "retry" | "retry_snapshot";
  /** Chunks to fetch again. */
  readonly refetchChunks?: readonly number[];
  /** Who sent a chunk that is not the snapshot's. */
  readonly rejectSenders?: readonly string[];
}

/** What this node takes from others. Calls must not overlap. */
export interface SnapshotSink {
  /**
   * A peer has this snapshot, and `appHash` is the chain's own for its height, verified by the caller. From `accept` on the ledger holds nothing
   * until the last chunk is there. Rejects with `disk_full`, `storage_failed`.
   */
  offer(snapshot: Snapshot, appHash: Bytes): Promise<OfferAnswer>;
  /** Chunk `index` of the accepted snapshot, in order. With the last one the ledger goes on from the snapshot's height. Rejects as `offer`. */
  apply(index: number, chunk: Bytes, sender: string): Promise<ChunkAnswer>;
}
