/**
 * Pages in memory and their way back from disk. Whatever is read is checked against the hash above it, so nothing that is not under
 * the root leaves this file. Only pages of committed versions are dropped: each can be read again.
 */
import { Fault } from "@xinglin/primitives";
import type { BlockRecord } from "./block-record.ts";
import { BOTTOM, BRANCH, BRANCH_PAGE_BYTES, BranchPages, INNER, LEAVES, NOT_LOADED, TOP } from "./branch-pages.ts";
import { LEAF_PAGE_BYTES, LeafPages } from "./leaf-pages.ts";
import { allocate, sameHash } from "./memory.ts";
import { pageKey } from "./rows.ts";

/** Where rows are read: the database, and the records of blocks. */
export interface RowReader {
  read(key: Uint8Array): Uint8Array | undefined;
  /** Throws `state_corrupt` if it is gone. */
  record(version: number): BlockRecord;
}

/** A place in the tree: the first `depth` bits of the key at `at`. */
export interface Path {
  readonly bytes: Uint8Array;
  readonly at: number;
}

const computed = allocate(32);

export class PageStore {
  readonly leaves: LeafPages = new LeafPages();
  readonly branches: BranchPages = new BranchPages();
  pagesRead = 0;
  pagesEvicted = 0;
  readonly #rows: RowReader;
  /** First 32 bits of the path up to which the cache was swept. */
  #hand = 0;

  constructor(rows: RowReader) {
    this.#rows = rows;
  }

  get sizeBytes(): number {
    return this.leaves.used * LEAF_PAGE_BYTES + this.branches.used * BRANCH_PAGE_BYTES;
  }

  /** Reads the branch page in `row`. The caller checks its top hash. */
  readBranch(row: number): number {
    const id = this.branches.allocate();
    const bytes = this.#rows.read(pageKey(row));
    this.pagesRead++;
    if (bytes !== undefined && this.branches.decode(id, bytes)) return id;
    this.branches.release(id);
    throw corrupt(row);
  }

  /** Reads the branch page that hangs at a node. */
  loadBranch(page: number, node: number): number {
    const { branches } = this;
    const row = branches.row(page, node);
    const id = this.readBranch(row);
    if (sameHash(branches.hashes, branches.hashAt(id, TOP), branches.hashes, branches.hashAt(page, node))) return id;
    branches.release(id);
    throw corrupt(row);
  }

  /** Reads the leaf page that hangs at a node of `version`: its row, brought up to date by the records since its first missing change. */
  loadLeaves(page: number, node: number, depth: number, path: Path, version: number): number {
    const { branches, leaves } = this;
    const row = branches.row(page, node);
    const id = leaves.allocate();
    try {
      if (row !== 0) {
        const bytes = this.#rows.read(pageKey(row));
        if (bytes === undefined || !leaves.decode(id, bytes)) throw corrupt(row);
      }
      const pending = branches.pending(page, node);
      for (let v = pending === 0 ? version + 1 : pending; v <= version; v++) {
        const record = this.#rows.record(v);
        const [lo, hi] = record.range(path.bytes, path.at, depth);
        leaves.replay(id, record, lo, hi);
      }
      leaves.hash(id, depth, computed, 0);
      const isSame = sameHash(computed, 0, branches.hashes, branches.hashAt(page, node));
      // The count is under no hash, and the room for further leaves is judged by it.
      if (!isSame || leaves.count(id) !== branches.leafCount(page, node)) throw corrupt(row);
    } catch (error) {
      leaves.release(id);
      throw error;
    }
    this.pagesRead++;
    return id;
  }

  /** Drops pages below `root` that were not used since the last sweep until memory is within `limit` bytes. */
  evict(root: number, limit: number): void {
    // The first lap may find every page in use and only mark it, the second then drops; the third covers what lies before the hand.
    for (let lap = 0; lap < 3 && this.sizeBytes > limit; lap++) {
      const from = this.#hand;
      this.#hand = 0;
      this.#sweep(root, TOP, 0, 0, from, limit);
    }
  }

  /** Sweeps the subtree of a node; whether pages are left below it. `prefix` is its path as a 32-bit number. */
  #sweep(page: number, node: number, depth: number, prefix: number, from: number, limit: number): boolean {
    const { branches, leaves } = this;
    const end = prefix + 2 ** Math.max(32 - depth, 0);
    if (this.sizeBytes <= limit) {
      if (this.#hand === 0) this.#hand = prefix;
      return true;
    }
    if (end <= from) return true;
    const kind = branches.kind(page, node);
    if (kind === INNER) {
      const middle = prefix + 2 ** Math.max(31 - depth, 0);
      const left = this.#sweep(page, 2 * node, depth + 1, prefix, from, limit);
      const right = this.#sweep(page, 2 * node + 1, depth + 1, middle, from, limit);
      return left || right;
    }
    if (kind !== LEAVES && kind !== BRANCH) return false;
    const child = branches.child(page, node);
    if (child === NOT_LOADED) return false;
    if (kind === BRANCH && this.#sweep(child, TOP, depth, prefix, from, limit)) return true;
    if (kind === BRANCH ? branches.cool(child) : leaves.cool(child)) return true;
    branches.setChild(page, node, NOT_LOADED);
    if (kind === BRANCH) branches.release(child);
    else leaves.release(child);
    this.pagesEvicted++;
    return false;
  }

  /** Drops every page below `page` that is in memory, and `page` itself. */
  releaseTree(page: number): void {
    const { branches, leaves } = this;
    const visit = (node: number): void => {
      const kind = branches.kind(page, node);
      const child = branches.child(page, node);
      if (kind === INNER) {
        visit(2 * node);
        visit(2 * node + 1);
      } else if (kind === LEAVES && child !== NOT_LOADED) leaves.release(child);
      else if (kind === BRANCH && node >= BOTTOM && child !== NOT_LOADED) this.releaseTree(child);
    };
    visit(TOP);
    branches.release(page);
  }
}

export const corrupt = (row: number): Fault => new Fault("state_corrupt", { row });
