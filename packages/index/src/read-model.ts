/**
 * The read model: follows the audit log into tables, rebuilds itself when they do not belong to the chain, and says on request which rows
 * were changed from outside. Nothing authoritative lives here.
 * Source: design.md, "Read model".
 */
import { Fault, invariant } from "@xinglin/primitives";
import type { Kysely } from "kysely";
import { type Cursor, emptyCursor, readCursor, standsOnChain } from "./project/cursor.ts";
import { writeItems } from "./project/write.ts";
import type { Source } from "./source.ts";
import { recreate } from "./store/migrate.ts";
import { openStore, type Store, type StoreLocation } from "./store/open.ts";
import type { Tables } from "./store/tables.ts";
import { type Verification, verifyRows } from "./verify.ts";

/** Put together in one go: some 20 ms of the event loop. */
const BATCH_ENTRIES = 500;
const UNIQUE_VIOLATION = "23505";

export interface ReadModelOptions {
  readonly location: StoreLocation;
  readonly source: Source;
  /** Told why the tables were emptied and are being derived again. */
  readonly onRebuild?: (reason: RebuildReason) => void;
}
/** `unreadable`: PGlite could not open its folder; `mismatch`: the cursor is not on this chain; `conflict`: a row stood where none could. */
export type RebuildReason = "unreadable" | "mismatch" | "conflict" | "asked";

export class ReadModel {
  /** For the functions of `query/`. */
  readonly db: Kysely<Tables>;
  readonly #store: Store;
  readonly #source: Source;
  readonly #onRebuild: (reason: RebuildReason) => void;
  #cursor: Cursor;
  #work: Promise<void> | undefined;
  #closed = false;

  private constructor(store: Store, options: ReadModelOptions, cursor: Cursor) {
    this.db = store.db;
    this.#store = store;
    this.#source = options.source;
    this.#onRebuild = options.onRebuild ?? (() => {});
    this.#cursor = cursor;
  }

  /**
   * Opens the database, migrates it, and empties it if it does not belong to the source's chain. Call `catchUp` to project.
   * Throws what `openStore` throws, and `Fault("index_foreign_chain")` if a PostgreSQL database holds another chain's read model.
   */
  static async open(options: ReadModelOptions): Promise<ReadModel> {
    const beginning = await emptyCursor(options.source);
    const store = await openStore(options.location);
    const model = new ReadModel(store, options, beginning);
    try {
      const cursor = await readCursor(store.db);
      if (cursor !== undefined) {
        if (options.location.kind === "postgres" && cursor.chain !== options.source.chain) throw new Fault("index_foreign_chain");
        model.#cursor = cursor;
        if (!(await standsOnChain(store.db, cursor, options.source))) await model.#empty("mismatch");
      }
      if (store.replaced) model.#onRebuild("unreadable");
      return model;
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  /** How many entries are projected. */
  get sequence(): number {
    return this.#cursor.sequence;
  }

  /** Projects everything that is committed by now; calls that overlap share the work. */
  async catchUp(): Promise<void> {
    const size = await this.#source.size();
    while (this.#cursor.sequence < size && !this.#closed) {
      this.#work ??= this.#project().finally(() => {
        this.#work = undefined;
      });
      await this.#work;
    }
  }

  /** Empties the tables and derives them again from the first entry. */
  async rebuild(): Promise<void> {
    while (this.#work !== undefined) await this.#work.catch(() => {});
    this.#work = this.#empty("asked").finally(() => {
      this.#work = undefined;
    });
    await this.#work;
    await this.catchUp();
  }

  /** Compares every row with the chain. */
  verify(): Promise<Verification> {
    return verifyRows(this.db, this.#source);
  }

  /** A gzipped image of an embedded database, for `StoreLocation.template`. */
  async dump(): Promise<Uint8Array> {
    invariant(this.#store.dump !== undefined, "index: only an embedded database has an image");
    return this.#store.dump();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#work?.catch(() => {});
    await this.#store.close();
  }

  /** One batch. */
  async #project(): Promise<void> {
    const items = await this.#source.read(this.#cursor.sequence, BATCH_ENTRIES);
    if (items.length === 0) {
      // The ledger joined its chain by a snapshot meanwhile: what is missing here can't be read any more.
      if ((await emptyCursor(this.#source)).sequence > this.#cursor.sequence) await this.#empty("mismatch");
      return;
    }
    try {
      this.#cursor = await writeItems(this.db, this.#cursor, items);
    } catch (error) {
      await this.#recover(error);
    }
  }

  /** Another node may project the same chain into the same server: then go on from where it came to. Whatever else stands there is derived again. */
  async #recover(error: unknown): Promise<void> {
    if (!(error instanceof Fault)) throw error;
    const conflict = error.code === "index_query_failed" && error.facts.sqlstate === UNIQUE_VIOLATION;
    if (error.code !== "index_cursor_moved" && !conflict) throw error;
    const cursor = await readCursor(this.db);
    const moved =
      cursor !== undefined && cursor.sequence !== this.#cursor.sequence && (await standsOnChain(this.db, cursor, this.#source));
    if (moved) this.#cursor = cursor;
    else await this.#empty(conflict ? "conflict" : "mismatch");
  }

  async #empty(reason: RebuildReason): Promise<void> {
    await recreate(this.db);
    this.#cursor = await emptyCursor(this.#source);
    this.#onRebuild(reason);
  }
}
