/**
 * What stands under the application: something that orders transactions into blocks, agrees on them and makes them final. The solo driver is
 * one validator in this process; CometBFT and a simulator fulfil the same interface and the same suite, `test/driver-contract.ts`.
 * Source: design.md, "Drivers".
 */
import type { Bytes, Fault } from "@xinglin/primitives";
import type { BatchOperation } from "@xinglin/state";
import type { Application } from "./application.ts";
import type { BlockOutcome } from "./block.ts";
import type { Clock, Time } from "./block-time.ts";
import type { SnapshotSink, SnapshotSource } from "./snapshot/contract.ts";

/** A block that is final and on disk. */
export interface CommittedBlock {
  readonly height: number;
  readonly time: Time;
  /** Protobuf bytes of `tendermint.types.LightBlock`: header, commit and validators. */
  readonly lightBlock: Bytes;
  readonly finalized: BlockOutcome;
}

/** A validator's key, kept by the caller. */
export interface ValidatorKey {
  /** Of Ed25519 or ML-DSA-65; its length says which. */
  readonly publicKey: Bytes;
  sign(bytes: Bytes): Uint8Array | Promise<Uint8Array>;
}

export interface Driver {
  /** Recovers what a crash left, and goes on making blocks until `stop`. Resolves when the first state is provable. */
  start(): Promise<void>;
  /** The application has a transaction that waits. */
  notify(): void;
  /** Height of the newest final block, 0 before the first. */
  height(): number;
  /** The newest height whose state can be proved: the header above it is final. 0 before there is one. */
  provableHeight(): number;
  /** Protobuf bytes of the light block at `height`, or undefined if it is not final. */
  lightBlock(height: number): Bytes | undefined;
  /** Protobuf bytes of the block at `height`, or undefined if it is not final. */
  block(height: number): Bytes | undefined;
  /** Tells of every block once it is final, in order. Returns how to stop. */
  subscribe(listener: (block: CommittedBlock) => void): () => void;
  /** Why no blocks are being made just now (`disk_full`), if so; it goes on by itself when it can. */
  fault(): Fault | undefined;
  /** Settles when the driver has come to a stop; rejects with what stopped it. */
  stopped(): Promise<void>;
  /** Finishes the block under way and stops. */
  stop(): Promise<void>;
}

/** The database as a driver needs it. */
export interface BlockStore {
  read(key: Bytes): Bytes | undefined;
  /** Writes all or nothing, synced. Rejects with `Fault("disk_full" | "storage_failed")`. */
  write(operations: readonly BatchOperation[]): Promise<void>;
}

/** An open data folder on which a driver makes blocks. */
export interface DriverSite {
  readonly directory: string;
  readonly application: Application;
  readonly store: BlockStore;
  readonly clock: Clock;
  /** Throws `Fault("disk_full")` when there is no room for a block. */
  readonly checkRoom: () => void;
  /** Snapshots that this node offers, and how it takes one in. A driver that has peers connects them. */
  readonly snapshots?: { readonly source: SnapshotSource; readonly sink: SnapshotSink };
}

/** Makes the driver of a folder each time that it is opened. */
export type DriverFactory = (site: DriverSite) => Driver;
