/**
 * The snapshots that this node takes and offers: one every so many blocks, written while blocks go on, the two newest kept.
 * Source: design.md, "Ledger"; requirement A2.
 */
import { type Bytes, Fault } from "@xinglin/primitives";
import type { PartPlace, StateExport } from "@xinglin/state";
import { storageFault } from "../database.ts";
import { SNAPSHOT_FORMAT, type Snapshot, type SnapshotSource } from "./contract.ts";
import { readChunk, readSnapshots, removeSnapshot, SnapshotWriter } from "./files.ts";
import { type SnapshotContent, snapshotOf } from "./metadata.ts";

/** Snapshots on disk: while one is being fetched by a peer, the next may be finished. */
const KEPT = 2;
/**
 * Before a chunk's entries: CometBFT takes an empty chunk for a missing one, and a part of the state may be empty.
 */
export const CHUNK_MARK = 1;

/** The ledger as it is after the newest block, held until the export is closed. */
export interface HeldLedger {
  readonly state: StateExport;
  readonly log: SnapshotContent["log"];
}

/** What `SnapshotStore.open` needs. */
export interface SnapshotStoreOptions {
  /** Where the snapshots lie; made with the first. */
  readonly directory: string;
  readonly chainId: string;
  /** A snapshot is taken at every height that is a multiple of this; 0: never. */
  readonly everyBlocks: number;
  /** Holds the ledger as of the newest block, at once. */
  readonly hold: () => HeldLedger;
  /** Throws `Fault("disk_full")` when the disk is needed for blocks. */
  readonly checkRoom?: () => void;
  /** Hears why a snapshot could not be taken; the next is tried at its own height. */
  readonly onFault?: (fault: Fault) => void;
}

export class SnapshotStore implements SnapshotSource {
  readonly #options: SnapshotStoreOptions;
  /** Newest first. */
  #snapshots: Snapshot[];
  #taking: Promise<void> | undefined;
  readonly #closing = new AbortController();

  private constructor(options: SnapshotStoreOptions, snapshots: Snapshot[]) {
    this.#options = options;
    this.#snapshots = snapshots;
  }

  /** Opens the folder, and removes what an earlier process left half-written. */
  static async open(options: SnapshotStoreOptions): Promise<SnapshotStore> {
    return new SnapshotStore(options, await readSnapshots(options.directory));
  }

  list(): readonly Snapshot[] {
    return this.#snapshots;
  }

  /** Height of the oldest snapshot: a node that takes it needs the blocks above. */
  get oldestHeight(): number | undefined {
    return this.#snapshots.at(-1)?.height;
  }

  async chunk(height: number, format: number, index: number): Promise<Bytes | undefined> {
    const snapshot = this.#snapshots.find((one) => one.height === height && format === SNAPSHOT_FORMAT);
    if (snapshot === undefined || !Number.isSafeInteger(index) || index < 0 || index >= snapshot.chunks) return undefined;
    return await readChunk(this.#options.directory, height, index);
  }

  /** A block was committed, and nothing after it: takes a snapshot if one is due and none is being taken. */
  committed(height: number): void {
    const { everyBlocks, hold } = this.#options;
    if (everyBlocks === 0 || height % everyBlocks !== 0 || this.#taking !== undefined || this.#closing.signal.aborted) return;
    this.#taking = this.#take(hold)
      .catch((error: unknown) => {
        if (!this.#closing.signal.aborted) this.#options.onFault?.(error instanceof Fault ? error : storageFault(error));
      })
      .finally(() => {
        this.#taking = undefined;
      });
  }

  /** Resolves when no snapshot is being taken. */
  async settled(): Promise<void> {
    await this.#taking;
  }

  /** Drops the snapshot that is being taken. */
  async close(): Promise<void> {
    this.#closing.abort(new Fault("ledger_unavailable"));
    await this.#taking;
  }

  /** Holds the ledger before anything else happens; the rest takes its time. */
  async #take(hold: () => HeldLedger): Promise<void> {
    const { state, log } = hold();
    const { directory, chainId: chain, checkRoom } = this.#options;
    const { height } = state;
    try {
      const writer = await SnapshotWriter.begin(directory, height);
      try {
        const parts: PartPlace[] = [];
        await state.run(async ({ depth, hash, bytes }) => {
          checkRoom?.();
          await writer.add(Buffer.concat([Uint8Array.of(CHUNK_MARK), bytes]));
          parts.push({ depth, hash });
        }, this.#closing.signal);
        const snapshot = snapshotOf({ chain, height, parts, log });
        await writer.finish(snapshot);
        this.#snapshots = [snapshot, ...this.#snapshots.filter((one) => one.height !== height)];
      } catch (error) {
        await writer.discard();
        throw error;
      }
    } finally {
      await state.close();
    }
    for (const { height: old } of this.#snapshots.splice(KEPT)) await removeSnapshot(directory, old);
  }
}
