/**
 * One block's changes on their way into the tree: pages that change are copied, so that the committed tree stays as it is until the
 * block is durable, and a block that is not decided costs nothing but its copies.
 *
 * Branch pages are written by each block that changes them. Leaf pages lag behind: a changed one is written only when its first
 * unwritten change is older than half the window of block records, or its shape changes; until then it can be read again from its
 * last row and the records. So a leaf page that several blocks touch is written once.
 */
import { BOTTOM, BRANCH, EMPTY, INNER, LEAVES, NOT_LOADED, TOP } from "./branch-pages.ts";
import type { Changes } from "./changes.ts";
import { LEAF_CAPACITY, LeafRun } from "./leaf-pages.ts";
import { HASH_BYTES, splitAt } from "./memory.ts";
import type { PageStore } from "./page-store.ts";
import { PageTurnover } from "./page-turnover.ts";

/** Sibling leaf pages with at most this many leaves become one. Half a page, so that a boundary is not crossed back and forth. */
const MERGE_AT = LEAF_CAPACITY / 2;

export interface Counters {
  nextRow: number;
  nextValueId: number;
}

/** A page to be written, by its row. */
export type PageWrite = { readonly leaves: number } | { readonly branch: number };

const run = new LeafRun();
const sibling = new Uint8Array(HASH_BYTES);

export class BlockApplication {
  readonly version: number;
  readonly changes: Changes;
  readonly counters: Counters;
  /** The new top page; the committed one if `effective` is false. */
  root: number;
  rootRow: number;
  effective = false;
  readonly writes: Map<number, PageWrite> = new Map();
  readonly stalePages: number[] = [];
  readonly #pages: PageStore;
  readonly #dueBefore: number;
  readonly #firstRow: number;
  readonly #turnover: PageTurnover;

  /** Applies `changes` to the tree under `root`. Leaf pages whose first unwritten change is older than version `dueBefore` are due. */
  constructor(
    pages: PageStore,
    base: { root: number; rootRow: number; version: number } & Counters,
    changes: Changes,
    dueBefore: number,
  ) {
    this.#pages = pages;
    this.#turnover = new PageTurnover(pages);
    this.#dueBefore = dueBefore;
    this.changes = changes;
    this.version = base.version + 1;
    this.counters = { nextRow: base.nextRow, nextValueId: base.nextValueId };
    this.#firstRow = base.nextRow;
    this.root = base.root;
    this.rootRow = base.rootRow;
    if (changes.length === 0) return;
    try {
      this.#applyRoot();
    } catch (error) {
      this.abandon();
      throw error;
    }
  }

  /** Gives up the pages that the block replaced, once it is durable. */
  settle(): void {
    this.#turnover.settle();
  }

  /** Gives up the pages that the block made. */
  abandon(): void {
    this.#turnover.abandon();
  }

  #applyRoot(): void {
    const old = this.root;
    const copy = this.#turnover.make("branches", this.#pages.branches.copy(old));
    this.#apply(copy, TOP, 0, 0, this.changes.length);
    // Touches alone are not worth a version.
    this.effective = this.changes.effective.includes(1);
    if (!this.effective) {
      this.abandon();
      return;
    }
    this.#turnover.replace("branches", old);
    this.#retire(this.rootRow);
    this.root = copy;
    this.rootRow = this.#write({ branch: copy });
  }

  /** Applies rows [lo, hi), of which there is one at least, to the subtree of a node; whether it changed. */
  #apply(page: number, node: number, depth: number, lo: number, hi: number): boolean {
    const kind = this.#pages.branches.kind(page, node);
    if (kind === INNER) return this.#applyInner(page, node, depth, lo, hi);
    if (kind === BRANCH) return this.#applyBranch(page, node, depth, lo, hi);
    let onlyTouches = true;
    for (let i = lo; i < hi && onlyTouches; i++) onlyTouches = this.changes.isTouch(i);
    if (onlyTouches) return this.#touch(page, node, depth, lo);
    if (this.#pages.branches.leafCount(page, node) + hi - lo > LEAF_CAPACITY) return this.#spill(page, node, depth, lo, hi);
    return this.#applyLeaves(page, node, depth, lo, hi);
  }

  #applyInner(page: number, node: number, depth: number, lo: number, hi: number): boolean {
    const { branches } = this.#pages;
    const middle = splitAt(this.changes.keys.bytes, 0, HASH_BYTES, lo, hi, depth);
    const left = middle > lo && this.#apply(page, 2 * node, depth + 1, lo, middle);
    const right = middle < hi && this.#apply(page, 2 * node + 1, depth + 1, middle, hi);
    if (!left && !right) return false;
    if (!this.#mergeChildren(page, node, depth, lo, hi)) branches.rehash(page, node);
    return true;
  }

  #applyBranch(page: number, node: number, depth: number, lo: number, hi: number): boolean {
    const { branches } = this.#pages;
    const old = branches.child(page, node);
    const row = branches.row(page, node);
    const id = this.#turnover.make("branches", old === NOT_LOADED ? this.#pages.loadBranch(page, node) : branches.copy(old));
    if (!this.#apply(id, TOP, depth, lo, hi)) {
      this.#turnover.drop("branches", id);
      return false;
    }
    if (old !== NOT_LOADED) this.#turnover.replace("branches", old);
    this.#retire(row);
    if (branches.kind(id, TOP) === INNER) {
      branches.setBranch(page, node, id, this.#write({ branch: id }));
    } else {
      branches.hoist(page, node, id, TOP);
      this.#turnover.drop("branches", id);
    }
    return true;
  }

  #applyLeaves(page: number, node: number, depth: number, lo: number, hi: number): boolean {
    const { branches, leaves } = this.#pages;
    const isEmpty = branches.kind(page, node) === EMPTY;
    const old = isEmpty ? NOT_LOADED : branches.child(page, node);
    const id = this.#turnover.make(
      "leaves",
      isEmpty ? leaves.allocate() : old === NOT_LOADED ? this.#load(page, node, depth, lo) : leaves.copy(old),
    );
    if (leaves.apply(id, this.changes, lo, hi, this.#nextValueId) === 0) {
      this.#turnover.drop("leaves", id);
      return this.#touch(page, node, depth, lo);
    }
    if (old !== NOT_LOADED) this.#turnover.replace("leaves", old);
    let row = isEmpty ? 0 : branches.row(page, node);
    let pending = isEmpty ? 0 : branches.pending(page, node);
    if (leaves.count(id) === 0) {
      this.#retire(row);
      this.#turnover.drop("leaves", id);
      branches.setEmpty(page, node);
      return true;
    }
    if (this.#isDue(pending)) {
      this.#retire(row);
      row = this.#write({ leaves: id });
      pending = 0;
    } else if (pending === 0) pending = this.version;
    branches.setLeaves(page, node, id, leaves.count(id), row, pending);
    leaves.hash(id, depth, branches.hashes, branches.hashAt(page, node), this.changes, lo, hi);
    return true;
  }

  /** Writes a leaf page that the block does not change, if it is due. */
  #touch(page: number, node: number, depth: number, lo: number): boolean {
    const { branches } = this.#pages;
    if (branches.kind(page, node) !== LEAVES || !this.#isDue(branches.pending(page, node))) return false;
    let id = branches.child(page, node);
    if (id === NOT_LOADED) id = this.#turnover.make("leaves", this.#load(page, node, depth, lo));
    this.#retire(branches.row(page, node));
    branches.setLeaves(page, node, id, branches.leafCount(page, node), this.#write({ leaves: id }), 0);
    return true;
  }

  /** Applies more rows than the page has room for, through a run that is then cut into pages. */
  #spill(page: number, node: number, depth: number, lo: number, hi: number): boolean {
    const { branches, leaves } = this.#pages;
    const isEmpty = branches.kind(page, node) === EMPTY;
    const old = isEmpty ? NOT_LOADED : branches.child(page, node);
    const source = isEmpty ? leaves.allocate() : old === NOT_LOADED ? this.#load(page, node, depth, lo) : old;
    run.reset(leaves.count(source) + hi - lo);
    const effective = leaves.merge(source, run, this.changes, lo, hi, this.#nextValueId) > 0;
    if (old === NOT_LOADED) leaves.release(source);
    else if (effective) this.#turnover.replace("leaves", old);
    if (!effective) return this.#touch(page, node, depth, lo);
    if (!isEmpty) this.#retire(branches.row(page, node));
    this.#place(page, node, depth, 0, run.length, lo, hi);
    return true;
  }

  /** Hangs leaves [from, to) of the run at a node, in as many pages as they need; rows [lo, hi) are the changes among them. */
  #place(page: number, node: number, depth: number, from: number, to: number, lo: number, hi: number): void {
    const { branches, leaves } = this.#pages;
    if (from === to) branches.setEmpty(page, node);
    else if (to - from <= LEAF_CAPACITY) {
      const id = this.#turnover.make("leaves", leaves.allocate());
      leaves.fill(id, run, from, to);
      branches.setLeaves(page, node, id, to - from, this.#write({ leaves: id }), 0);
      leaves.hash(id, depth, branches.hashes, branches.hashAt(page, node), this.changes, lo, hi);
    } else if (node >= BOTTOM) {
      const id = this.#turnover.make("branches", branches.allocate());
      this.#place(id, TOP, depth, from, to, lo, hi);
      branches.setBranch(page, node, id, this.#write({ branch: id }));
    } else {
      branches.setInner(page, node);
      const middle = run.splitAt(from, to, depth);
      const parted = splitAt(this.changes.keys.bytes, 0, HASH_BYTES, lo, hi, depth);
      this.#place(page, 2 * node, depth + 1, from, middle, lo, parted);
      this.#place(page, 2 * node + 1, depth + 1, middle, to, parted, hi);
      branches.rehash(page, node);
    }
  }

  /** Joins the children of an inner node into one leaf page if they hold few leaves. */
  #mergeChildren(page: number, node: number, depth: number, lo: number, hi: number): boolean {
    const { branches, leaves } = this.#pages;
    const children = [2 * node, 2 * node + 1];
    let total = 0;
    for (const child of children) {
      const kind = branches.kind(page, child);
      if (kind !== EMPTY && kind !== LEAVES) return false;
      total += branches.leafCount(page, child);
    }
    if (total > MERGE_AT) return false;
    run.reset(total);
    children.forEach((child, bit) => {
      if (branches.kind(page, child) === EMPTY) return;
      const loaded = branches.child(page, child);
      const id = loaded === NOT_LOADED ? this.#loadSibling(page, child, depth, lo, bit) : loaded;
      leaves.drain(id, run);
      this.#retire(branches.row(page, child));
      if (loaded === NOT_LOADED) leaves.release(id);
      else this.#turnover.replace("leaves", id);
    });
    this.#place(page, node, depth, 0, total, lo, hi);
    return true;
  }

  #load(page: number, node: number, depth: number, row: number): number {
    const path = { bytes: this.changes.keys.bytes, at: row * HASH_BYTES };
    return this.#pages.loadLeaves(page, node, depth, path, this.version - 1);
  }

  /** Loads the leaf page on side `bit` of a node at `depth` on the path of a change. */
  #loadSibling(page: number, node: number, depth: number, row: number, bit: number): number {
    sibling.set(this.changes.keys.bytes.subarray(row * HASH_BYTES, (row + 1) * HASH_BYTES));
    const mask = 128 >>> (depth & 7);
    const byte = sibling[depth >>> 3] as number;
    sibling[depth >>> 3] = bit === 1 ? byte | mask : byte & ~mask;
    return this.#pages.loadLeaves(page, node, depth + 1, { bytes: sibling, at: 0 }, this.version - 1);
  }

  #isDue(pending: number): boolean {
    return pending !== 0 && pending < this.#dueBefore;
  }

  readonly #nextValueId = (): number => this.counters.nextValueId++;

  #write(page: PageWrite): number {
    const row = this.counters.nextRow++;
    this.writes.set(row, page);
    return row;
  }

  /** Notes that a row is no longer part of the newest version; one that this very block meant to write is simply not written. */
  #retire(row: number): void {
    if (row >= this.#firstRow) this.writes.delete(row);
    else if (row !== 0) this.stalePages.push(row);
  }
}
