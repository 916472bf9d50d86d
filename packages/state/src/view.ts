/**
 * Reading one version of the tree: leaves, the way to them, and their neighbours.
 */
import { invariant } from "@xinglin/primitives";
import { BRANCH, INNER, LEAVES, NOT_LOADED, TOP } from "./branch-pages.ts";
import { bitAt, HASH_BYTES, type Memory } from "./memory.ts";
import type { PageStore, Path } from "./page-store.ts";

/** A leaf that was found, by the page that holds it. Valid until the next read. */
export interface FoundLeaf {
  readonly page: number;
  readonly index: number;
  /** Depth of the page's top. */
  readonly depth: number;
}

/** A step from a node to its parent: the sibling's hash, and whether the node is the right child. */
export interface Step {
  readonly sibling: Uint8Array;
  readonly isRight: boolean;
}

export class View {
  readonly root: number;
  readonly version: number;
  readonly #pages: PageStore;
  readonly #keep: boolean;
  readonly #borrowedLeaves: number[] = [];
  readonly #borrowedBranches: number[] = [];

  /**
   * The version under `root`. With `keep`, pages that are read stay in memory; without, `close` drops them. Pages of an old version,
   * and those read while a block is prepared, must not be kept.
   */
  constructor(pages: PageStore, root: number, version: number, keep: boolean) {
    this.#pages = pages;
    this.root = root;
    this.version = version;
    this.#keep = keep;
  }

  /** Drops what was read without being kept. */
  close(): void {
    for (const id of this.#borrowedLeaves) this.#pages.leaves.release(id);
    for (const id of this.#borrowedBranches) this.#pages.branches.release(id);
  }

  /** The leaf with the tree key at `path`, if it is present. */
  find(path: Path): FoundLeaf | undefined {
    return this.#descend(path, () => {});
  }

  /** Depth of the leaf page or empty place on the way of a tree key, and the version of the page's first unwritten change, or 0. */
  leafPageAt(path: Path): { depth: number; pending: number } {
    const { branches } = this.#pages;
    let page = this.root;
    let node = TOP;
    let depth = 0;
    for (;;) {
      const kind = branches.kind(page, node);
      if (kind === INNER) node = 2 * node + bitAt(path.bytes, path.at, depth++);
      else if (kind === BRANCH) {
        page = this.#branch(page, node);
        node = TOP;
      } else return { depth, pending: kind === LEAVES ? branches.pending(page, node) : 0 };
    }
  }

  /** The way from the leaf with this tree key, which must be present, to the root. */
  stepsFrom(path: Path): Step[] {
    const steps: Step[] = [];
    const push = (memory: Memory, at: number, depth: number): void => {
      steps.push({
        sibling: Uint8Array.from(memory.bytes.subarray(at, at + HASH_BYTES)),
        isRight: bitAt(path.bytes, path.at, depth) === 1,
      });
    };
    const found = this.#descend(path, push);
    invariant(found !== undefined, "a path is asked of a present key only");
    let depth = found.depth;
    this.#pages.leaves.siblings(found.page, found.index, depth, (memory, at) => push(memory, at, depth++));
    return steps.reverse();
  }

  /** The nearest present tree key below (-1) or above (1) an absent one. */
  neighbour(key: Uint8Array, direction: -1 | 1): Uint8Array | undefined {
    const path = Uint8Array.from(key);
    return this.#near(this.root, TOP, 0, path, key, direction, false);
  }

  #descend(path: Path, sibling: (memory: Memory, at: number, depth: number) => void): FoundLeaf | undefined {
    const { branches, leaves } = this.#pages;
    let page = this.root;
    let node = TOP;
    let depth = 0;
    for (;;) {
      const kind = branches.kind(page, node);
      if (kind === INNER) {
        node = 2 * node + bitAt(path.bytes, path.at, depth);
        sibling(branches.hashes, branches.hashAt(page, node ^ 1), depth);
        depth++;
      } else if (kind === BRANCH) {
        page = this.#branch(page, node);
        node = TOP;
      } else if (kind === LEAVES) {
        const found = this.#leaves(page, node, depth, path);
        const index = leaves.find(found, path.bytes, path.at);
        return index < 0 ? undefined : { page: found, index, depth };
      } else return undefined;
    }
  }

  /** `path` holds the way taken so far; beyond an edge all keys are on the wanted side. */
  #near(
    page: number,
    node: number,
    depth: number,
    path: Uint8Array,
    key: Uint8Array,
    direction: -1 | 1,
    beyond: boolean,
  ): Uint8Array | undefined {
    const { branches, leaves } = this.#pages;
    const kind = branches.kind(page, node);
    if (kind === BRANCH) return this.#near(this.#branch(page, node), TOP, depth, path, key, direction, beyond);
    if (kind === INNER) {
      const near = direction === 1 ? 0 : 1;
      const first = beyond ? near : bitAt(key, 0, depth);
      for (let bit = first; ; bit = 1 - near) {
        setBit(path, depth, bit);
        const found = this.#near(page, 2 * node + bit, depth + 1, path, key, direction, beyond || bit !== first);
        if (found !== undefined || bit !== near) return found;
      }
    }
    if (kind !== LEAVES) return undefined;
    const id = this.#leaves(page, node, depth, { bytes: path, at: 0 });
    const above = beyond ? (direction === 1 ? 0 : leaves.count(id)) : ~leaves.find(id, key, 0);
    const index = direction === 1 ? above : above - 1;
    if (index < 0 || index >= leaves.count(id)) return undefined;
    const { memory, at } = leaves.leafAt(id, index);
    return Uint8Array.from(memory.bytes.subarray(at, at + HASH_BYTES));
  }

  #branch(page: number, node: number): number {
    const { branches } = this.#pages;
    let id = branches.child(page, node);
    if (id === NOT_LOADED) {
      id = this.#pages.loadBranch(page, node);
      if (this.#keep) branches.setChild(page, node, id);
      else this.#borrowedBranches.push(id);
    }
    branches.warm(id);
    return id;
  }

  #leaves(page: number, node: number, depth: number, path: Path): number {
    const { branches, leaves } = this.#pages;
    let id = branches.child(page, node);
    if (id === NOT_LOADED) {
      id = this.#pages.loadLeaves(page, node, depth, path, this.version);
      if (this.#keep) branches.setChild(page, node, id);
      else this.#borrowedLeaves.push(id);
    }
    leaves.warm(id);
    return id;
  }
}

/** Sets bit `depth` of a key, most significant first. */
export function setBit(key: Uint8Array, depth: number, bit: number): void {
  const mask = 128 >>> (depth & 7);
  const byte = key[depth >>> 3] as number;
  key[depth >>> 3] = bit === 1 ? byte | mask : byte & ~mask;
}
