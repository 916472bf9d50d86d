/**
 * Fills an empty database with one version of the map from its parts, each checked by itself before anything of it is written.
 *
 * The pages above the cut stay in memory until the end; what is below a part's node is built, hashed, compared and written with the part,
 * in one synced batch. The last batch makes a state of it. Until then a row says that the import is unfinished: `openState` refuses
 * such a database, and `beginImport` or `discardImport` clears it.
 */
import { Fault, invariant } from "@xinglin/primitives";
import { encodeHeader } from "./block-record.ts";
import { BOTTOM, BRANCH, EMPTY, INNER, NOT_LOADED, TOP } from "./branch-pages.ts";
import { hashLeaf } from "./changes.ts";
import type { BatchOperation } from "./contract.ts";
import { type Database, encodeMeta, WriteBatch } from "./database.ts";
import { LEAF_CAPACITY, LeafRun } from "./leaf-pages.ts";
import { HASH_AT, LEAF_BYTES } from "./leaf-tree.ts";
import { allocate, compareKeys, digest, HASH_BYTES, sameHash, sharedBits, writeDigest } from "./memory.ts";
import { PageStore } from "./page-store.ts";
import { headerKey, IMPORT_KEY, META_KEY, pageKey, rawKeyKey, STATE_PREFIX, valueKey } from "./rows.ts";
import { entriesOfPart, type PartEntry, type PartPlace, rootOfCut } from "./state-parts.ts";
import { setBit } from "./view.ts";

/** Puts the mark of an unfinished import, and clears every other row of the state. */
async function clearState(db: Database): Promise<void> {
  const batch = new WriteBatch();
  // First, so that what is cleared by halves says so.
  batch.put(IMPORT_KEY, Uint8Array.of(1));
  await batch.write(db);
  await db.clear({ gte: Uint8Array.of(STATE_PREFIX), lt: IMPORT_KEY });
  await db.clear({ gt: IMPORT_KEY, lt: Uint8Array.of(STATE_PREFIX + 1) });
}

/**
 * Clears what an import left, finished or not: the database then holds no state. `extra` joins the last batch, after which that is so; until
 * then the import counts as unfinished. Throws `disk_full`, `state_write_failed`.
 */
export async function discardImport(db: Database, extra: readonly BatchOperation[] = []): Promise<void> {
  await clearState(db);
  const batch = new WriteBatch();
  batch.delete(IMPORT_KEY);
  batch.join(extra);
  await batch.write(db);
}

/** What is imported: the version of `height`, whose root the caller trusts, and its cut, which is checked against the root. */
export interface ImportOptions {
  readonly height: number;
  readonly root: Uint8Array;
  readonly parts: readonly PartPlace[];
}

/**
 * Clears the database's state and begins to fill it. Throws `state_cut_wrong` if the parts don't make up the root; then nothing was changed.
 */
export async function beginImport(db: Database, options: ImportOptions): Promise<StateImport> {
  const root = rootOfCut(options.parts);
  if (root === undefined || Buffer.compare(root, options.root) !== 0) throw new Fault("state_cut_wrong");
  await clearState(db);
  return new StateImport(db, options);
}

/** A state that is being filled. Parts may come in any order, each once. */
export class StateImport {
  readonly #db: Database;
  readonly #options: ImportOptions;
  readonly #pages = new PageStore({
    read: () => undefined,
    record: () => {
      throw new Fault("state_corrupt");
    },
  });
  /** The top page of the map. */
  readonly #top: number;
  /** Where each part hangs, and the way there. */
  readonly #places: { readonly page: number; readonly node: number; readonly prefix: Uint8Array }[] = [];
  readonly #done = new Set<number>();
  readonly #run = new LeafRun();
  readonly #made: { leaves: number[]; branches: number[] } = { leaves: [], branches: [] };
  #keys = 0;
  #nextRow = 1;
  #nextValueId = 1;

  constructor(db: Database, options: ImportOptions) {
    this.#db = db;
    this.#options = options;
    this.#top = this.#pages.branches.allocate();
    this.#hangParts(this.#top, TOP, 0, new Uint8Array(HASH_BYTES));
  }

  /** Parts that are still to come. */
  get missing(): number {
    return this.#places.length - this.#done.size;
  }

  /**
   * Writes part `index`, durable when it resolves; false, with nothing written, if these are not its entries. A part that is there already is
   * taken for granted. `onEntry` hears of each entry once it is known to be right. Throws `disk_full`, `state_write_failed`: begin anew.
   */
  async apply(index: number, bytes: Uint8Array, onEntry?: (entry: PartEntry) => void): Promise<boolean> {
    const place = this.#places[index];
    const part = this.#options.parts[index];
    invariant(place !== undefined && part !== undefined, "import: there is no such part");
    if (this.#done.has(index)) return true;
    const entries = entriesOfPart(bytes);
    if (entries === undefined || !this.#fillRun(entries, place.prefix, part.depth)) return false;
    const { branches } = this.#pages;
    const batch = new WriteBatch();
    const before = this.#nextRow;
    this.#hang(batch, place.page, place.node, part.depth, 0, entries.length);
    const expected = allocate(HASH_BYTES);
    expected.bytes.set(part.hash);
    const isRight = sameHash(expected, 0, branches.hashes, branches.hashAt(place.page, place.node));
    // Rows name the pages from now on: no part is read again.
    this.#forgetMade();
    if (!isRight) {
      this.#nextRow = before;
      return false;
    }
    for (const [i, { row, rawKey }] of entries.entries()) {
      batch.put(valueKey(this.#nextValueId + i), row);
      batch.put(rawKeyKey(rawKey), new Uint8Array(0));
    }
    await batch.write(this.#db);
    this.#nextValueId += entries.length;
    this.#keys += entries.length;
    this.#done.add(index);
    if (onEntry !== undefined) for (const entry of entries) onEntry(entry);
    return true;
  }

  /**
   * Makes the state of it, with `extra` in the same synced batch: from now on `openState` opens the database. All parts must be there.
   * Throws `disk_full`, `state_write_failed`.
   */
  async finish(extra: readonly BatchOperation[] = []): Promise<void> {
    invariant(this.missing === 0, "import: a part is missing");
    const { height, root } = this.#options;
    const batch = new WriteBatch();
    const { branches } = this.#pages;
    const isEmpty = branches.kind(this.#top, TOP) === EMPTY;
    const rootRow = isEmpty ? 0 : this.#writeAbove(batch, this.#top);
    const at = branches.hashAt(this.#top, TOP);
    invariant(
      Buffer.compare(branches.hashes.bytes.subarray(at, at + HASH_BYTES), root) === 0,
      "import: the parts make another root",
    );
    const counters = { height, version: 1, keys: this.#keys, nextRow: this.#nextRow, nextValueId: this.#nextValueId };
    batch.put(headerKey(1), encodeHeader({ version: 1, height, root, rootRow, windowStart: 2 }));
    batch.put(META_KEY, encodeMeta({ ...counters, oldestVersion: 1, oldestRecord: 2 }));
    batch.delete(IMPORT_KEY);
    batch.join(extra);
    await batch.write(this.#db);
  }

  /** Makes the pages above the cut, and notes where each part will hang. */
  #hangParts(page: number, node: number, depth: number, prefix: Uint8Array): void {
    const { branches } = this.#pages;
    const next = this.#options.parts[this.#places.length] as PartPlace;
    if (next.depth === depth) this.#places.push({ page, node, prefix: Uint8Array.from(prefix) });
    else if (node >= BOTTOM) {
      const id = branches.allocate();
      this.#hangParts(id, TOP, depth, prefix);
      branches.setBranch(page, node, id, 0);
    } else {
      branches.setInner(page, node);
      setBit(prefix, depth, 0);
      this.#hangParts(page, 2 * node, depth + 1, prefix);
      setBit(prefix, depth, 1);
      this.#hangParts(page, 2 * node + 1, depth + 1, prefix);
      setBit(prefix, depth, 0);
    }
  }

  /** The entries as leaves; false unless they are in order and below the node. */
  #fillRun(entries: readonly PartEntry[], prefix: Uint8Array, depth: number): boolean {
    this.#run.reset(entries.length);
    const { memory } = this.#run;
    for (const [i, { rawKey, value }] of entries.entries()) {
      const at = i * LEAF_BYTES;
      writeDigest(digest(rawKey), memory, at);
      if (depth > 0 && sharedBits(memory.bytes, at, prefix, 0) < depth) return false;
      if (i > 0 && compareKeys(memory.bytes, at - LEAF_BYTES, memory.bytes, at) >= 0) return false;
      hashLeaf(memory, at, value, memory, at + HASH_AT);
      memory.setValueId(at, this.#nextValueId + i);
    }
    this.#run.length = entries.length;
    return true;
  }

  /** Hangs leaves [from, to) of the run at a node, in as many pages as they need, each with its row in `batch`. */
  #hang(batch: WriteBatch, page: number, node: number, depth: number, from: number, to: number): void {
    const { branches, leaves } = this.#pages;
    if (from === to) branches.setEmpty(page, node);
    else if (to - from <= LEAF_CAPACITY) {
      const id = leaves.allocate();
      this.#made.leaves.push(id);
      leaves.fill(id, this.#run, from, to);
      leaves.hash(id, depth, branches.hashes, branches.hashAt(page, node));
      branches.setLeaves(page, node, NOT_LOADED, to - from, this.#put(batch, leaves.encode(id)), 0);
    } else if (node >= BOTTOM) {
      const id = branches.allocate();
      this.#made.branches.push(id);
      this.#hang(batch, id, TOP, depth, from, to);
      branches.setBranch(page, node, id, this.#put(batch, branches.encode(id)));
      branches.setChild(page, node, NOT_LOADED);
    } else {
      branches.setInner(page, node);
      const middle = this.#run.splitAt(from, to, depth);
      this.#hang(batch, page, 2 * node, depth + 1, from, middle);
      this.#hang(batch, page, 2 * node + 1, depth + 1, middle, to);
      branches.rehash(page, node);
    }
  }

  /** Hashes and writes a page above the cut and those below it; returns its row. */
  #writeAbove(batch: WriteBatch, page: number): number {
    const { branches } = this.#pages;
    const visit = (node: number): void => {
      const kind = branches.kind(page, node);
      const child = kind === BRANCH ? branches.child(page, node) : NOT_LOADED;
      if (child !== NOT_LOADED) branches.setBranch(page, node, child, this.#writeAbove(batch, child));
      if (kind !== INNER) return;
      visit(2 * node);
      visit(2 * node + 1);
      branches.rehash(page, node);
    };
    visit(TOP);
    return this.#put(batch, branches.encode(page));
  }

  #put(batch: WriteBatch, bytes: Uint8Array): number {
    const row = this.#nextRow++;
    batch.put(pageKey(row), bytes);
    return row;
  }

  #forgetMade(): void {
    for (const id of this.#made.leaves) this.#pages.leaves.release(id);
    for (const id of this.#made.branches) this.#pages.branches.release(id);
    this.#made.leaves = [];
    this.#made.branches = [];
  }
}
