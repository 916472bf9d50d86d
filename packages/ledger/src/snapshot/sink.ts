/**
 * Takes a snapshot from peers into this node's own database. Everything is checked against the app hash before it is kept: the metadata at
 * the offer, each chunk when it comes, so that who sent a wrong one is known at once.
 * Source: design.md, "Ledger"; requirement A2; CometBFT v0.40 spec "ABCI++", state sync.
 */
import type { Bytes } from "@xinglin/primitives";
import { beginImport, discardImport, type StateImport } from "@xinglin/state";
import type { Database } from "../database.ts";
import { joiningRows, LEAVING_ROWS, readJoined } from "../joined.ts";
import { type ChunkAnswer, type OfferAnswer, SNAPSHOT_FORMAT, type Snapshot, type SnapshotSink } from "./contract.ts";
import { type CheckedSnapshot, checkedMetadata } from "./metadata.ts";
import { CHUNK_MARK } from "./store.ts";

/** What `ImportingSink` needs. */
export interface ImportingSinkOptions {
  readonly database: Database;
  readonly chainId: string;
  /** Height of the ledger in the database. */
  readonly height: () => number;
  /** The database holds another state now, or none: the ledger has to go on from there. */
  readonly reload: () => Promise<void>;
}

interface Importing {
  readonly height: number;
  readonly checked: CheckedSnapshot;
  readonly state: StateImport;
  next: number;
}

export class ImportingSink implements SnapshotSink {
  readonly #options: ImportingSinkOptions;
  #importing: Importing | undefined;

  constructor(options: ImportingSinkOptions) {
    this.#options = options;
  }

  async offer(snapshot: Snapshot, appHash: Bytes): Promise<OfferAnswer> {
    const { database, chainId } = this.#options;
    if (!this.#mayBegin()) return "abort";
    if (snapshot.format !== SNAPSHOT_FORMAT) return "reject_format";
    const { height } = snapshot;
    if (!Number.isSafeInteger(height) || height < 1) return "reject";
    const checked = checkedMetadata(snapshot, chainId, appHash);
    if (checked === undefined) return "reject_sender";
    this.#importing = undefined;
    if (this.#options.height() > 0) {
      await discardImport(database, LEAVING_ROWS);
      await this.#options.reload();
    }
    const state = await beginImport(database, { height, root: appHash, parts: checked.parts });
    this.#importing = { height, checked, state, next: 0 };
    return "accept";
  }

  async apply(index: number, chunk: Bytes, sender: string): Promise<ChunkAnswer> {
    const importing = this.#importing;
    if (importing === undefined) return { result: "abort" };
    const { state, checked, height, next } = importing;
    if (index < next) return { result: "accept" };
    if (index > next) {
      this.#importing = undefined;
      return { result: "retry_snapshot" };
    }
    const isRight = chunk[0] === CHUNK_MARK && (await state.apply(index, chunk.subarray(1)));
    if (!isRight) return { result: "retry", refetchChunks: [index], ...(sender === "" ? {} : { rejectSenders: [sender] }) };
    importing.next++;
    if (state.missing > 0) return { result: "accept" };
    await state.finish(joiningRows(height, checked.head, checked.leaves));
    this.#importing = undefined;
    await this.#options.reload();
    return { result: "accept" };
  }

  /**
   * A ledger with blocks of its own is not given up. One that stands where an import left it has none: CometBFT was killed before it noted
   * that the import was done, and begins anew.
   */
  #mayBegin(): boolean {
    const height = this.#options.height();
    return height === 0 || height === readJoined((key) => this.#options.database.getSync(key))?.height;
  }
}
