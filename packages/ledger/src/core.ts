/**
 * An open ledger from the disk upwards: database, state, application and a driver. When the disk fails the whole of it is closed and
 * opened again, since what the engine remembers of a failed write is not to be trusted.
 * Source: design.md, "Ledger".
 */
import { statfsSync } from "node:fs";
import { join } from "node:path";
import { chainIdOf } from "@xinglin/contracts";
import { nodeSha256 } from "@xinglin/crypto/node";
import { type Bytes, Fault } from "@xinglin/primitives";
import { type BatchOperation, openState, type State } from "@xinglin/state";
import { Application } from "./application.ts";
import { type Clock, nextBlockTime, type Time } from "./block-time.ts";
import { type Database, type FolderIdentity, openDatabase, readRow, storageFault, writeBatch } from "./database.ts";
import type { CommittedBlock, Driver, DriverFactory } from "./driver.ts";
import type { MempoolLimits } from "./mempool.ts";
import type { RetentionPolicy } from "./retention.ts";
import { holdLedger } from "./snapshot/hold.ts";
import { ImportingSink } from "./snapshot/sink.ts";
import { SnapshotStore } from "./snapshot/store.ts";
import { storageKeys } from "./storage-keys.ts";

/** With less than this free on the disk no block is made: room for a block, its state and the engine's own logs. */
export const MIN_FREE_BYTES = 64 * 1024 * 1024;
/** Free space is asked for at most this often. */
const ROOM_CHECK_MS = 1_000;
/** Within the data folder. */
const SNAPSHOT_FOLDER = "snapshots";
export const DEFAULT_MEMPOOL: MempoolLimits = { maxBytes: 64 * 1024 * 1024, maxCount: 20_000 };

export interface CoreOptions {
  readonly directory: string;
  readonly genesis: Bytes;
  /** Which kind of driver makes the blocks; a folder stays with its kind. */
  readonly kind: string;
  readonly driver: DriverFactory;
  readonly clock: Clock;
  readonly mempool?: MempoolLimits;
  readonly verifyWorkers?: number;
  readonly keepVersions?: number;
  /** A snapshot for nodes that join is taken at every multiple of this height; by default never. */
  readonly snapshotBlocks?: number;
  /** What of old blocks may go; by default nothing. */
  readonly retention?: RetentionPolicy;
  /** Hears why a snapshot could not be taken. */
  readonly onSnapshotFault?: (fault: Fault) => void;
  /** Free bytes of the disk that holds `directory`. */
  readonly freeBytes?: (directory: string) => number;
  readonly onDropped: (idKey: string, fault: Fault) => void;
  readonly onBlock: (block: CommittedBlock) => void;
}

export interface Core {
  readonly database: Database;
  readonly identity: FolderIdentity;
  readonly state: State;
  readonly application: Application;
  readonly driver: Driver;
  /** Finishes the block under way and closes everything. */
  close(): Promise<void>;
}

/** Opens a data folder and starts making blocks. Faults: those of `openDatabase`, of the genesis, and of the driver. */
export async function openCore(options: CoreOptions): Promise<Core> {
  const { directory, genesis, clock, kind } = options;
  const identity = { chain: chainIdOf(genesis), genesis: nodeSha256(genesis), driver: kind };
  const database = await openDatabase(directory, identity);
  const closing: (() => Promise<unknown>)[] = [() => database.close()];
  const close = async (): Promise<void> => {
    for (const step of closing.toReversed()) await step();
  };
  try {
    const read = (key: Bytes): Bytes | undefined => readRow(database, key);
    const state = await openState(database, options.keepVersions === undefined ? {} : { keepVersions: options.keepVersions });
    let lastTime: Time | undefined;
    const checkRoom = roomCheck(options);
    const chainId = identity.chain;
    const snapshots = await SnapshotStore.open({
      directory: join(directory, SNAPSHOT_FOLDER),
      chainId,
      everyBlocks: options.snapshotBlocks ?? 0,
      hold: () => holdLedger(database, state, application.log),
      checkRoom,
      ...(options.onSnapshotFault === undefined ? {} : { onFault: options.onSnapshotFault }),
    });
    closing.push(() => snapshots.close());
    const application: Application = new Application({
      genesis,
      state,
      read,
      expectedTime: () => nextBlockTime(clock(), lastTime),
      mempool: options.mempool ?? DEFAULT_MEMPOOL,
      ...(options.verifyWorkers === undefined ? {} : { verifyWorkers: options.verifyWorkers }),
      onDropped: options.onDropped,
      snapshots,
      ...(options.retention === undefined ? {} : { retention: options.retention }),
    });
    closing.push(() => application.close());
    const store = { read, write: (operations: readonly BatchOperation[]) => writeBatch(database, operations) };
    const sink = new ImportingSink({
      database,
      chainId,
      height: () => application.height,
      reload: () => application.reload(),
    });
    const driver = options.driver({ directory, application, store, clock, checkRoom, snapshots: { source: snapshots, sink } });
    closing.push(() => driver.stop());
    lastTime = application.results(application.height)?.time;
    driver.subscribe((block) => {
      lastTime = block.time;
      options.onBlock(block);
    });
    // A disk that takes no write is found out here, not by the first block.
    await writeBatch(database, [{ type: "put", key: storageKeys.folder, value: readRow(database, storageKeys.folder)! }]);
    await driver.start();
    return { database, identity, state, application, driver, close };
  } catch (error) {
    await close();
    throw error instanceof Fault ? error : isStorage(error) ? storageFault(error) : error;
  }
}

const isStorage = (error: unknown): boolean => /^LEVEL_/.test((error as { code?: string }).code ?? "");

/** Throws `Fault("disk_full")` while the disk has too little room for a block. */
function roomCheck({ directory, freeBytes = freeBytesOf }: CoreOptions): () => void {
  let checkedAt = Number.NEGATIVE_INFINITY;
  let free = 0;
  return () => {
    const now = performance.now();
    if (now - checkedAt >= ROOM_CHECK_MS || free < MIN_FREE_BYTES) {
      free = freeBytes(directory);
      checkedAt = now;
    }
    if (free < MIN_FREE_BYTES)
      throw new Fault(
        "disk_full",
        { freeMegabytes: Math.floor(free / 1e6), neededMegabytes: Math.ceil(MIN_FREE_BYTES / 1e6) },
        { retry: true },
      );
  };
}

function freeBytesOf(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
}
