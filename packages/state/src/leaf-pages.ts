/**
 * Leaf pages: sorted runs of up to `LEAF_CAPACITY` leaves that share a prefix, in chunks of raw memory and known by integer ids, so
 * that a million keys are some hundred buffers to the collector. The binary tree inside a page is in leaf-tree.ts.
 */
import type { Changes, Entries } from "./changes.ts";
import { HASH_AT, hashLeaves, LEAF_BYTES, siblingsOfLeaf, VALUE_ID_AT } from "./leaf-tree.ts";
import { allocate, compareKeys, copyHash, grow, HASH_BYTES, type Memory, sameHash, splitAt } from "./memory.ts";

/** Most leaves of a page. Larger pages mean fewer branch pages a block and longer leaf rows; see docs/internals/state.md. */
export const LEAF_CAPACITY = 64;

/** Memory of one page. */
export const LEAF_PAGE_BYTES: number = LEAF_CAPACITY * LEAF_BYTES;
const CHUNK_PAGES = 128;

/** A leaf on disk: tree key, leaf hash, value id. */
const ROW_LEAF_BYTES = 2 * HASH_BYTES + 6;

/** Memory of leaves, whose value ids are read as numbers. */
class LeafMemory implements Memory {
  readonly bytes: Memory["bytes"];
  readonly words: Uint32Array;
  readonly valueIds: Float64Array;

  constructor(memory: Memory) {
    this.bytes = memory.bytes;
    this.words = memory.words;
    this.valueIds = new Float64Array(memory.words.buffer);
  }

  /** Names the value of the leaf at `at`. */
  setValueId(at: number, id: number): void {
    this.valueIds[(at + VALUE_ID_AT) / 8] = id;
  }
}

/** A list of leaves that outgrew a page, on its way into several. */
export class LeafRun {
  length = 0;
  memory: LeafMemory = new LeafMemory(allocate(256 * LEAF_BYTES));

  /** Empties the run and makes room for `rows` leaves. */
  reset(rows: number): void {
    this.length = 0;
    if (rows * LEAF_BYTES > this.memory.bytes.length) this.memory = new LeafMemory(grow(this.memory, rows * LEAF_BYTES));
  }

  /** First index in [lo, hi) whose key has bit `depth` set. */
  splitAt(lo: number, hi: number, depth: number): number {
    return splitAt(this.memory.bytes, 0, LEAF_BYTES, lo, hi, depth);
  }
}

export class LeafPages {
  /** Pages in use. */
  used = 0;
  readonly #chunks: LeafMemory[] = [];
  #counts = new Uint8Array(0);
  /** 1 if the page was read since the last sweep of the cache. */
  #hot = new Uint8Array(0);
  readonly #free: number[] = [];

  allocate(): number {
    if (this.#free.length === 0) this.#addChunk();
    const id = this.#free.pop() as number;
    this.#counts[id] = 0;
    this.#hot[id] = 1;
    this.used++;
    return id;
  }

  release(id: number): void {
    this.#free.push(id);
    this.used--;
  }

  copy(id: number): number {
    const to = this.allocate();
    const from = baseOf(id);
    const count = this.count(id);
    this.#chunkOf(id).bytes.copy(this.#chunkOf(to).bytes, baseOf(to), from, from + count * LEAF_BYTES);
    this.#counts[to] = count;
    return to;
  }

  count(id: number): number {
    return this.#counts[id] as number;
  }

  /** Marks a page as used. */
  warm(id: number): void {
    this.#hot[id] = 1;
  }

  /** Whether the page was used since the last call. */
  cool(id: number): boolean {
    const was = this.#hot[id] === 1;
    this.#hot[id] = 0;
    return was;
  }

  /** Index of the leaf with this tree key, or the complement of where it would stand. */
  find(id: number, keys: Uint8Array, keyAt: number): number {
    const { bytes } = this.#chunkOf(id);
    const base = baseOf(id);
    let low = 0;
    let high = this.count(id);
    while (low < high) {
      const middle = (low + high) >>> 1;
      const order = compareKeys(bytes, base + middle * LEAF_BYTES, keys, keyAt);
      if (order === 0) return middle;
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return ~low;
  }

  /** Where the leaf lies: its key at `at`, its hash `HASH_AT` further. */
  leafAt(id: number, index: number): { readonly memory: Memory; readonly at: number } {
    return { memory: this.#chunkOf(id), at: baseOf(id) + index * LEAF_BYTES };
  }

  valueIdAt(id: number, index: number): number {
    return this.#chunkOf(id).valueIds[(baseOf(id) + index * LEAF_BYTES + VALUE_ID_AT) / 8] as number;
  }

  /**
   * Applies rows [lo, hi) of a block in place and notes each outcome in `changes`; `nextValueId` names the values that are written.
   * The page must have room for all of them. Returns how many changed something.
   */
  apply(id: number, changes: Changes, lo: number, hi: number, nextValueId: () => number): number {
    let effective = 0;
    for (let i = lo; i < hi; i++) {
      if (changes.isTouch(i)) continue;
      const index = this.find(id, changes.keys.bytes, i * HASH_BYTES);
      if (!this.#changesLeaf(id, index, changes, i)) continue;
      if (index >= 0) changes.replaced[i] = this.valueIdAt(id, index);
      if (changes.isPut(i)) {
        changes.valueIds[i] = nextValueId();
        this.#put(id, index, changes, i);
      } else this.#shift(id, index + 1, index);
      changes.effective[i] = 1;
      effective++;
    }
    return effective;
  }

  /** Makes `run` the leaves of the page with rows [lo, hi) of a block applied, noting outcomes as `apply` does. */
  merge(id: number, run: LeafRun, changes: Changes, lo: number, hi: number, nextValueId: () => number): number {
    let effective = 0;
    let next = 0;
    for (let i = lo; i < hi; i++) {
      if (changes.isTouch(i)) continue;
      const found = this.find(id, changes.keys.bytes, i * HASH_BYTES);
      if (!this.#changesLeaf(id, found, changes, i)) continue;
      const index = found < 0 ? ~found : found;
      this.#appendTo(run, id, next, index);
      next = index;
      if (found >= 0) {
        changes.replaced[i] = this.valueIdAt(id, index);
        next++;
      }
      if (changes.isPut(i)) {
        changes.valueIds[i] = nextValueId();
        writeLeaf(run.memory, run.length++ * LEAF_BYTES, changes, i);
      }
      changes.effective[i] = 1;
      effective++;
    }
    this.#appendTo(run, id, next, this.count(id));
    return effective;
  }

  /** Applies entries [lo, hi) of a recorded block again. */
  replay(id: number, entries: Entries, lo: number, hi: number): void {
    for (let i = lo; i < hi; i++) {
      const index = this.find(id, entries.keys.bytes, i * HASH_BYTES);
      if (entries.valueIds[i] !== 0) this.#put(id, index, entries, i);
      else if (index >= 0) this.#shift(id, index + 1, index);
    }
  }

  /** Adds the leaves of a page to the end of `run`. */
  drain(id: number, run: LeafRun): void {
    this.#appendTo(run, id, 0, this.count(id));
  }

  /** Makes leaves [lo, hi) of `run` the page's content. */
  fill(id: number, run: LeafRun, lo: number, hi: number): void {
    run.memory.bytes.copy(this.#chunkOf(id).bytes, baseOf(id), lo * LEAF_BYTES, hi * LEAF_BYTES);
    this.#counts[id] = hi - lo;
  }

  /**
   * Writes the hash of the page's subtree, whose root is at `depth`, to `out`. With `changes`, only what lies above their rows
   * [lo, hi) is hashed anew; without, all of it.
   */
  hash(id: number, depth: number, out: Memory, outAt: number, changes?: Entries, lo = 0, hi = 0): void {
    hashLeaves(this.#chunkOf(id), baseOf(id), this.count(id), depth, out, outAt, changes?.keys.bytes, lo, hi);
  }

  /** Hashes of the siblings on the way from the page's root at `depth` down to leaf `index`. */
  siblings(id: number, index: number, depth: number, emit: (hash: Memory, at: number) => void): void {
    siblingsOfLeaf(this.#chunkOf(id), baseOf(id), this.count(id), index, depth, emit);
  }

  /** Bytes of the page for the disk. */
  encode(id: number): Uint8Array {
    const count = this.count(id);
    const { bytes } = this.#chunkOf(id);
    const row = Buffer.allocUnsafe(count * ROW_LEAF_BYTES);
    for (let i = 0; i < count; i++) {
      const at = baseOf(id) + i * LEAF_BYTES;
      bytes.copy(row, i * ROW_LEAF_BYTES, at, at + 2 * HASH_BYTES);
      row.writeUIntBE(this.valueIdAt(id, i), i * ROW_LEAF_BYTES + 2 * HASH_BYTES, 6);
    }
    return row;
  }

  /** Fills the page from its bytes; false if they are not a page. The hashes are for the caller to check. */
  decode(id: number, stored: Uint8Array): boolean {
    const count = stored.length / ROW_LEAF_BYTES;
    if (!Number.isInteger(count) || count > LEAF_CAPACITY) return false;
    const row = Buffer.from(stored.buffer, stored.byteOffset, stored.length);
    const { bytes, valueIds } = this.#chunkOf(id);
    for (let i = 0; i < count; i++) {
      const at = baseOf(id) + i * LEAF_BYTES;
      const from = i * ROW_LEAF_BYTES;
      row.copy(bytes, at, from, from + 2 * HASH_BYTES);
      valueIds[(at + VALUE_ID_AT) / 8] = row.readUIntBE(from + 2 * HASH_BYTES, 6);
    }
    this.#counts[id] = count;
    return true;
  }

  #addChunk(): void {
    const first = this.#chunks.length * CHUNK_PAGES;
    this.#chunks.push(new LeafMemory(allocate(CHUNK_PAGES * LEAF_PAGE_BYTES)));
    for (let id = first + CHUNK_PAGES - 1; id >= first; id--) this.#free.push(id);
    if (first + CHUNK_PAGES <= this.#counts.length) return;
    const counts = new Uint8Array(2 * (first + CHUNK_PAGES));
    counts.set(this.#counts);
    this.#counts = counts;
    const hot = new Uint8Array(counts.length);
    hot.set(this.#hot);
    this.#hot = hot;
  }

  #chunkOf(id: number): LeafMemory {
    return this.#chunks[(id / CHUNK_PAGES) | 0] as LeafMemory;
  }

  /** Whether row `i` of a block does anything to the leaf that was, or was not, found for its key. */
  #changesLeaf(id: number, found: number, changes: Changes, i: number): boolean {
    if (!changes.isPut(i)) return found >= 0;
    const hashAt = baseOf(id) + found * LEAF_BYTES + HASH_AT;
    return found < 0 || !sameHash(this.#chunkOf(id), hashAt, changes.hashes, i * HASH_BYTES);
  }

  /** Sets the leaf at `index`, or inserts one at its complement. */
  #put(id: number, index: number, from: Entries, row: number): void {
    const at = index < 0 ? ~index : index;
    if (index < 0) this.#shift(id, at, at + 1);
    writeLeaf(this.#chunkOf(id), baseOf(id) + at * LEAF_BYTES, from, row);
  }

  /** Moves the leaves from `from` on to `to`, one place up or down. */
  #shift(id: number, from: number, to: number): void {
    const base = baseOf(id);
    const count = this.count(id);
    this.#chunkOf(id).bytes.copyWithin(base + to * LEAF_BYTES, base + from * LEAF_BYTES, base + count * LEAF_BYTES);
    this.#counts[id] = count + to - from;
  }

  #appendTo(run: LeafRun, id: number, lo: number, hi: number): void {
    if (lo >= hi) return;
    const base = baseOf(id);
    this.#chunkOf(id).bytes.copy(run.memory.bytes, run.length * LEAF_BYTES, base + lo * LEAF_BYTES, base + hi * LEAF_BYTES);
    run.length += hi - lo;
  }
}

const baseOf = (id: number): number => (id % CHUNK_PAGES) * LEAF_PAGE_BYTES;

function writeLeaf(to: LeafMemory, at: number, from: Entries, row: number): void {
  copyHash(from.keys, row * HASH_BYTES, to, at);
  copyHash(from.hashes, row * HASH_BYTES, to, at + HASH_AT);
  to.valueIds[(at + VALUE_ID_AT) / 8] = from.valueIds[row] as number;
}
