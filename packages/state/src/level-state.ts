/**
 * The state over a LevelDB: the committed tree, at most one block on its way, and the versions that can still be read.
 */

import { ics23 } from "@xinglin/crypto/pure";
import { Fault, invariant, utf8 } from "@xinglin/primitives";
import { BlockApplication } from "./block-application.ts";
import { type AppliedBlock, writeBlock } from "./block-batch.ts";
import { type BlockRecord, decodeRecord, RecordWindow, type VersionHeader } from "./block-record.ts";
import { TOP } from "./branch-pages.ts";
import { Changes, checkKey } from "./changes.ts";
import type { BatchOperation, Prepared, Proof, State, StateChange, StateOptions, StateStatistics } from "./contract.ts";
import { type Database, type Meta, readMeta, readRawKeys, readVersions, recoverDatabase, WriteBatch } from "./database.ts";
import { dueTouches } from "./due-pages.ts";
import { allocate, digest, HASH_BYTES, sameHash, writeDigest } from "./memory.ts";
import { corrupt, PageStore, type Path } from "./page-store.ts";
import { absence, existence } from "./proofs.ts";
import { prune, versionAt } from "./pruning.ts";
import { blockKey } from "./rows.ts";
import { ValueCache } from "./value-cache.ts";
import { readValue, type StoredValue } from "./values.ts";
import { type FoundLeaf, View } from "./view.ts";

interface Pending extends Prepared, AppliedBlock {}

/** Share of the cache that values have for sure; pages have at most the rest. */
const VALUE_SHARE = 1 / 8;
const NO_TOUCHES = new Uint8Array(0);

export class LevelState implements State {
  readonly #db: Database;
  readonly #options: Required<StateOptions>;
  #pages!: PageStore;
  #window!: RecordWindow;
  #values!: ValueCache;
  /** Kept versions, oldest first; the last is the newest. */
  #headers!: VersionHeader[];
  #meta!: Meta;
  /** Top page of the newest version. */
  #root!: number;
  #pending: Pending | undefined;
  #isWriting = false;
  /** Whether the last write failed, so that the database must be opened again before the next. */
  #hasFailed = false;
  #rowsWritten = 0;
  #bytesWritten = 0;

  constructor(db: Database, options: Required<StateOptions>, meta: Meta, headers: VersionHeader[]) {
    this.#db = db;
    this.#options = options;
    this.#load(meta, headers);
  }

  async reload(): Promise<void> {
    invariant(this.#pending === undefined, "a block under way is committed or abandoned first");
    const { meta, headers } = await readVersions(this.#db);
    this.#load(meta, headers);
  }

  #load(meta: Meta, headers: VersionHeader[]): void {
    const options = this.#options;
    this.#meta = meta;
    this.#headers = headers;
    this.#values = new ValueCache(options.cacheBytes * VALUE_SHARE);
    this.#pages = new PageStore({ read: this.#read, record: (version) => this.#record(version) });
    this.#window = new RecordWindow(options.windowBytes, this.#newest.windowStart);
    for (let version = this.#window.start; version <= meta.version; version++) this.#window.add(this.#record(version));
    this.#root = this.#readTop(this.#newest);
  }

  get height(): number {
    return this.#meta.height;
  }

  get root(): Uint8Array {
    return Uint8Array.from(this.#newest.root);
  }

  get(key: string): Uint8Array | undefined {
    checkKey(key);
    return this.#withNewest((view) => this.#valueIn(view, treeKeyOf(key)));
  }

  getAt(key: string, height: number): Uint8Array | undefined {
    checkKey(key);
    return this.#withVersion(height, (view) => this.#valueIn(view, treeKeyOf(key)));
  }

  prove(key: string, height: number = this.height): Proof {
    checkKey(key);
    const rawKey = utf8(key);
    return this.#withVersion(height, (view, header) => {
      const path = treeKeyOf(key);
      const leaf = view.find(path);
      const stored = leaf && this.#stored(leaf);
      const proof: ics23.CommitmentProof =
        stored === undefined
          ? absence(view, rawKey, path.bytes, (neighbour) => this.#storedIn(view, neighbour))
          : { exist: existence(view, path, stored) };
      return {
        key,
        value: stored && Uint8Array.from(stored.value),
        proof: ics23.encodeProof(proof),
        root: Uint8Array.from(header.root),
        height,
      };
    });
  }

  prepare(height: number, list: readonly StateChange[]): Prepared {
    invariant(this.#pending === undefined, "one block is prepared at a time");
    invariant(Number.isSafeInteger(height) && height > this.height, "a block is above the committed one");
    const windowStart = this.#window.startWithin(1);
    const isMoving = list.length > 0 && windowStart > this.#window.start;
    const touches = isMoving ? this.#withNewest((view) => dueTouches(view, this.#window, windowStart)) : NO_TOUCHES;
    const changes = Changes.from(list, touches);
    const { nextRow, nextValueId, version } = this.#meta;
    const base = { root: this.#root, rootRow: this.#newest.rootRow, version, nextRow, nextValueId };
    const dueBefore = Math.max(windowStart, this.#window.startWithin(0.85));
    const application = new BlockApplication(this.#pages, base, changes, dueBefore);
    const pending = { height, root: this.#topHash(application.root), application, windowStart };
    this.#pending = pending;
    return pending;
  }

  async commit(prepared: Prepared, extra: readonly BatchOperation[] = []): Promise<void> {
    const pending = this.#own(prepared);
    this.#isWriting = true;
    try {
      if (this.#hasFailed) await this.#recover();
      const batch = new WriteBatch();
      const oldest = pending.height - this.#options.keepVersions;
      const kept = prune(batch, this.#read, this.#headers, this.#meta, oldest);
      const { record, header, meta } = writeBlock(batch, this.#pages, { ...this.#meta, ...kept }, pending);
      batch.join(extra);
      this.#hasFailed = true;
      await batch.write(this.#db);
      this.#hasFailed = false;
      this.#rowsWritten += batch.rows;
      this.#bytesWritten += batch.bytes;
      this.#show(pending, meta, header, record);
    } catch (error) {
      pending.application.abandon();
      throw error;
    } finally {
      this.#pending = undefined;
      this.#isWriting = false;
    }
    this.#evict();
  }

  abandon(prepared: Prepared): void {
    this.#own(prepared).application.abandon();
    this.#pending = undefined;
  }

  keys(prefix: string, options: { readonly after?: string; readonly limit?: number } = {}): Promise<string[]> {
    return readRawKeys(this.#db, prefix, options.after, options.limit ?? -1);
  }

  statistics(): StateStatistics {
    const { leaves, branches, pagesRead, pagesEvicted, sizeBytes } = this.#pages;
    return {
      height: this.height,
      version: this.#meta.version,
      keys: this.#meta.keys,
      oldestHeight: this.#oldestHeight,
      pageBytes: sizeBytes,
      windowBytes: this.#window.sizeBytes,
      valueBytes: this.#values.sizeBytes,
      leafPages: leaves.used,
      branchPages: branches.used,
      pagesRead,
      pagesEvicted,
      rowsWritten: this.#rowsWritten,
      bytesWritten: this.#bytesWritten,
    };
  }

  get #newest(): VersionHeader {
    return this.#headers.at(-1) as VersionHeader;
  }

  readonly #read = (key: Uint8Array): Uint8Array | undefined => this.#db.getSync(key);

  #record(version: number): BlockRecord {
    const held = this.#window.get(version);
    if (held !== undefined) return held;
    const row = this.#read(blockKey(version));
    if (row === undefined) throw new Fault("state_corrupt", { version });
    return decodeRecord(version, row);
  }

  /** Oldest height that can be read. While a block is written, its deletions may be there already. */
  get #oldestHeight(): number {
    const first = this.#headers[0] as VersionHeader;
    const newest = this.#isWriting && this.#pending !== undefined ? this.#pending.height : this.height;
    return Math.max(first.height, newest - this.#options.keepVersions, 0);
  }

  #own(prepared: Prepared): Pending {
    invariant(this.#pending === prepared && !this.#isWriting, "a block is committed or abandoned once");
    return this.#pending as Pending;
  }

  async #recover(): Promise<void> {
    await recoverDatabase(this.#db);
    const { height, version } = readMeta(this.#db);
    // The block whose commit was told to have failed is there after all: what is in memory is behind.
    if (height !== this.height || version !== this.#meta.version) throw new Fault("state_write_uncertain", { height });
    this.#hasFailed = false;
  }

  /** Makes a durable block the newest. */
  #show({ application, windowStart }: Pending, meta: Meta, header?: VersionHeader, record?: BlockRecord): void {
    this.#meta = meta;
    this.#headers = this.#headers.filter((kept) => kept.version >= meta.oldestVersion);
    if (header === undefined || record === undefined) return;
    application.settle();
    this.#root = application.root;
    this.#headers.push(header);
    this.#window.add(record);
    this.#window.advance(windowStart);
  }

  #evict(): void {
    const { cacheBytes } = this.#options;
    this.#pages.evict(this.#root, cacheBytes * (1 - VALUE_SHARE));
    // Values have what pages leave: a small map keeps all of both.
    this.#values.limitBytes = Math.max(cacheBytes * VALUE_SHARE, cacheBytes - this.#pages.sizeBytes);
  }

  #withNewest<T>(use: (view: View) => T): T {
    const isQuiet = this.#pending === undefined;
    const view = new View(this.#pages, this.#root, this.#meta.version, isQuiet);
    try {
      return use(view);
    } finally {
      view.close();
      if (isQuiet) this.#evict();
    }
  }

  #withVersion<T>(height: number, use: (view: View, header: VersionHeader) => T): T {
    if (height > this.height) throw new Fault("state_height_unknown", { height, newest: this.height });
    const header = height < this.#oldestHeight ? undefined : versionAt(this.#headers, height);
    if (header === undefined) throw new Fault("state_pruned", { height, oldest: this.#oldestHeight });
    if (header === this.#newest) return this.#withNewest((view) => use(view, header));
    const root = this.#readTop(header);
    try {
      return use(new View(this.#pages, root, header.version, true), header);
    } finally {
      this.#pages.releaseTree(root);
    }
  }

  #valueIn(view: View, path: Path): Uint8Array | undefined {
    const leaf = view.find(path);
    // A copy: the cached bytes stay ours.
    return leaf && Uint8Array.from(this.#stored(leaf).value);
  }

  #storedIn(view: View, path: Path): StoredValue {
    const leaf = view.find(path);
    invariant(leaf !== undefined, "a neighbour is present");
    return this.#stored(leaf);
  }

  #stored({ page, index }: FoundLeaf): StoredValue {
    const { leaves } = this.#pages;
    const id = leaves.valueIdAt(page, index);
    return this.#values.get(id, () => {
      const { memory, at } = leaves.leafAt(page, index);
      return readValue(this.#read, id, memory, at);
    });
  }

  /** The top page of a version, read from disk and checked against its root. */
  #readTop(header: VersionHeader): number {
    const id = header.rootRow === 0 ? this.#pages.branches.allocate() : this.#pages.readBranch(header.rootRow);
    expected.bytes.set(header.root);
    const { branches } = this.#pages;
    if (sameHash(expected, 0, branches.hashes, branches.hashAt(id, TOP))) return id;
    branches.release(id);
    throw corrupt(header.rootRow);
  }

  #topHash(page: number): Uint8Array {
    const { branches } = this.#pages;
    const at = branches.hashAt(page, TOP);
    return Uint8Array.from(branches.hashes.bytes.subarray(at, at + HASH_BYTES));
  }
}

const expected = allocate(HASH_BYTES);

const treeKey = allocate(HASH_BYTES);
const treeKeyPath: Path = { bytes: treeKey.bytes, at: 0 };

/** Valid until the next call. */
function treeKeyOf(key: string): Path {
  writeDigest(digest(key), treeKey, 0);
  return treeKeyPath;
}
