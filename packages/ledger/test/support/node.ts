/** An application with its state and database, driven by hand: what a driver does, a step at a time. */
import { join } from "node:path";
import { chainIdOf, keys } from "@xinglin/contracts";
import { nodeSha256 } from "@xinglin/crypto/node";
import type { Bytes, Fault } from "@xinglin/primitives";
import { type BatchOperation, openState, type State, StateExport } from "@xinglin/state";
import { Application, type Committed } from "../../src/application.ts";
import type { Finalized } from "../../src/block.ts";
import { type Database, openDatabase, readRow } from "../../src/database.ts";
import type { RetentionPolicy } from "../../src/retention.ts";
import { ImportingSink } from "../../src/snapshot/sink.ts";
import { SnapshotStore } from "../../src/snapshot/store.ts";

export const GENESIS_TIME = 1_800_000_000;

export interface NodeOptions {
  readonly retention?: RetentionPolicy;
  /** A snapshot at every multiple of this height. */
  readonly everyBlocks?: number;
  /** Small parts make many chunks of few keys. */
  readonly partBytes?: number;
  readonly checkRoom?: () => void;
}

export class HandDrivenNode {
  readonly application: Application;
  readonly state: State;
  readonly database: Database;
  readonly snapshots: SnapshotStore;
  readonly sink: ImportingSink;
  readonly dropped: [string, Fault][] = [];
  /** What the newest commit said of old blocks. */
  committed: Committed = { retainHeight: 0 };

  private constructor(database: Database, state: State, snapshots: SnapshotStore, genesis: Bytes, options: NodeOptions) {
    this.database = database;
    this.state = state;
    this.snapshots = snapshots;
    this.application = new Application({
      genesis,
      state,
      read: (key) => readRow(database, key),
      expectedTime: () => ({ seconds: GENESIS_TIME, nanos: 0 }),
      mempool: { maxBytes: 10_000_000, maxCount: 10_000 },
      verifyWorkers: 1,
      onDropped: (idKey, fault) => this.dropped.push([idKey, fault]),
      snapshots,
      ...(options.retention === undefined ? {} : { retention: options.retention }),
    });
    this.sink = new ImportingSink({
      database,
      chainId: chainIdOf(genesis),
      height: () => this.application.height,
      reload: () => this.application.reload(),
    });
  }

  /** Faults of snapshots that could not be taken, by their code. */
  readonly snapshotFaults: string[] = [];

  static async open(directory: string, genesis: Bytes, options: NodeOptions = {}): Promise<HandDrivenNode> {
    const identity = { chain: chainIdOf(genesis), genesis: nodeSha256(genesis), driver: "by hand" };
    const database = await openDatabase(directory, identity);
    const state = await openState(database);
    const snapshots = await SnapshotStore.open({
      directory: join(directory, "snapshots"),
      chainId: identity.chain,
      everyBlocks: options.everyBlocks ?? 0,
      hold: () => {
        const { value = new Uint8Array(0), proof } = state.prove(keys.log);
        const leaves = Buffer.concat(node.application.log.openLeaves);
        return { state: new StateExport(database, options.partBytes), log: { head: value, proof, leaves } };
      },
      ...(options.checkRoom === undefined ? {} : { checkRoom: options.checkRoom }),
      onFault: ({ code }) => node.snapshotFaults.push(code),
    });
    const node: HandDrivenNode = new HandDrivenNode(database, state, snapshots, genesis, options);
    return node;
  }

  /** Decides the next block; `seconds` after the genesis time, by default as many as its height. */
  async block(
    transactions: readonly Bytes[],
    seconds: number = this.application.height + 1,
    extra: readonly BatchOperation[] = [],
  ): Promise<Finalized> {
    const height = this.application.height + 1;
    // Other arrays than the mempool's: a block comes from outside.
    const copies = transactions.map((bytes) => bytes.slice());
    const finalized = await this.application.finalizeBlock({
      height,
      time: { seconds: GENESIS_TIME + seconds, nanos: 0 },
      transactions: copies,
    });
    this.committed = await this.application.commit(extra);
    return finalized;
  }

  async close(): Promise<void> {
    await this.snapshots.close();
    await this.application.close();
    await this.database.close();
  }
}
