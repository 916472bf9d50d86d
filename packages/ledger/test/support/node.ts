/** An application with its state and database, driven by hand: what a driver does, a step at a time. */
import { chainIdOf } from "@xinglin/contracts";
import { nodeSha256 } from "@xinglin/crypto/node";
import type { Bytes, Fault } from "@xinglin/primitives";
import { openState, type State } from "@xinglin/state";
import { Application } from "../../src/application.ts";
import type { Finalized } from "../../src/block.ts";
import { type Database, openDatabase, readRow } from "../../src/database.ts";

export const GENESIS_TIME = 1_800_000_000;

export class HandDrivenNode {
  readonly application: Application;
  readonly state: State;
  readonly dropped: [string, Fault][] = [];
  readonly #database: Database;

  private constructor(database: Database, state: State, genesis: Bytes) {
    this.#database = database;
    this.state = state;
    this.application = new Application({
      genesis,
      state,
      read: (key) => readRow(database, key),
      expectedTime: () => ({ seconds: GENESIS_TIME, nanos: 0 }),
      mempool: { maxBytes: 10_000_000, maxCount: 10_000 },
      verifyWorkers: 1,
      onDropped: (idKey, fault) => this.dropped.push([idKey, fault]),
    });
  }

  static async open(directory: string, genesis: Bytes): Promise<HandDrivenNode> {
    const database = await openDatabase(directory, { chain: chainIdOf(genesis), genesis: nodeSha256(genesis), driver: "solo" });
    return new HandDrivenNode(database, await openState(database), genesis);
  }

  /** Decides the next block; `seconds` after the genesis time, by default as many as its height. */
  async block(transactions: readonly Bytes[], seconds = this.application.height + 1): Promise<Finalized> {
    const height = this.application.height + 1;
    // Other arrays than the mempool's: a block comes from outside.
    const copies = transactions.map((bytes) => bytes.slice());
    const finalized = await this.application.finalizeBlock({
      height,
      time: { seconds: GENESIS_TIME + seconds, nanos: 0 },
      transactions: copies,
    });
    await this.application.commit();
    return finalized;
  }

  async close(): Promise<void> {
    await this.application.close();
    await this.#database.close();
  }
}
