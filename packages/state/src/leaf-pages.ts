/**
 * Leaf pages: sorted runs of up to `LEAF_CAPACITY` leaves that share a prefix, in chunks of raw memory and known by integer ids, so
 * that a million keys are some hundred buffers to the collector.
 *
 * The binary tree inside a page is not stored. Two neighbouring leaves part at one node, so the hashes of all nodes with two
 * non-empty children fit in one slot a gap; a node with one empty child is hashed again when it is met, which is seldom.
 */
import type { Changes, Entries, LeafRun } from "./changes.ts";
import {
  allocate,
  bitAt,
  compareKeys,
  copyHash,
  digest,
  type Frame,
  HASH_BYTES,
  INNER_DOMAIN,
  LEFT,
  type Memory,
  makeFrame,
  RIGHT,
  sameHash,
  sharedBits,
  splitAt,
  writeDigest,
  zeroHash,
} from "./memory.ts";

/** Most leaves of a page. Larger pages mean fewer branch pages a block and longer leaf rows; 64 was the best of 32, 64 and 128. */
export const LEAF_CAPACITY = 128;

const KEYS = 0;
const HASHES = LEAF_CAPACITY * HASH_BYTES;
/** Slot i holds the hash of the node that parts leaf i - 1 from leaf i. */
const GAPS = 2 * HASHES;
const VALUE_IDS = 3 * HASHES;
/** Memory of one page. */
export const LEAF_PAGE_BYTES = VALUE_IDS + LEAF_CAPACITY * 8;
const CHUNK_PAGES = 128;

interface Chunk extends Memory {
  readonly valueIds: Float64Array;
}

const frames: Frame[] = Array.from({ length: 8 * HASH_BYTES + 1 }, () => makeFrame(INNER_DOMAIN));

export class LeafPages {
  /** Pages in use. */
  used = 0;
  readonly #chunks: Chunk[] = [];
  #counts = new Uint8Array(0);
  /** 1 if the page was read since the last sweep of the cache. */
  #hot = new Uint8Array(0);
  readonly #free: number[] = [];

  // The page that is being hashed.
  #memory!: Chunk;
  #base = 0;
  #changes: Memory | undefined;

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
    const from = this.#baseOf(id);
    this.#chunkOf(to).bytes.set(this.#chunkOf(id).bytes.subarray(from, from + LEAF_PAGE_BYTES), this.#baseOf(to));
    this.#counts[to] = this.#counts[id] as number;
    return to;
  }

  count(id: number): number {
    return this.#counts[id] as number;
  }

  /** Marks a page as used; says whether it was since the last `cool`. */
  warm(id: number): void {
    this.#hot[id] = 1;
  }

  cool(id: number): boolean {
    const was = this.#hot[id] === 1;
    this.#hot[id] = 0;
    return was;
  }

  /** Index of the leaf with this tree key, or the complement of where it would stand. */
  find(id: number, keys: Uint8Array, keyAt: number): number {
    const { bytes } = this.#chunkOf(id);
    const base = this.#baseOf(id) + KEYS;
    let low = 0;
    let high = this.count(id);
    while (low < high) {
      const middle = (low + high) >>> 1;
      const order = compareKeys(bytes, base + middle * HASH_BYTES, keys, keyAt);
      if (order === 0) return middle;
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return ~low;
  }

  keyAt(id: number, index: number): { readonly memory: Memory; readonly at: number } {
    return { memory: this.#chunkOf(id), at: this.#baseOf(id) + KEYS + index * HASH_BYTES };
  }

  hashAt(id: number, index: number): { readonly memory: Memory; readonly at: number } {
    return { memory: this.#chunkOf(id), at: this.#baseOf(id) + HASHES + index * HASH_BYTES };
  }

  valueIdAt(id: number, index: number): number {
    return this.#chunkOf(id).valueIds[this.#valueBase(id) + index] as number;
  }

  /**
   * Applies rows [lo, hi) of a block in place and notes each outcome in `changes`; `nextValueId` names the values that are written.
   * The page must have room for all of them. Returns how many changed something.
   */
  apply(id: number, changes: Changes, lo: number, hi: number, nextValueId: () => number): number {
    const chunk = this.#chunkOf(id);
    let effective = 0;
    for (let i = lo; i < hi; i++) {
      if (changes.isTouch(i)) continue;
      const index = this.find(id, changes.keys.bytes, i * HASH_BYTES);
      if (!changes.isPut(i) && index < 0) continue;
      if (index >= 0) {
        if (changes.isPut(i) && sameHash(chunk, this.#baseOf(id) + HASHES + index * HASH_BYTES, changes.hashes, i * HASH_BYTES))
          continue;
        changes.replaced[i] = this.valueIdAt(id, index);
      }
      if (changes.isPut(i)) {
        changes.valueIds[i] = nextValueId();
        this.#put(id, index, changes, i);
      } else this.#remove(id, index);
      changes.effective[i] = 1;
      effective++;
    }
    return effective;
  }

  /** Applies entries [lo, hi) of a recorded block again. */
  replay(id: number, entries: Entries, lo: number, hi: number): void {
    for (let i = lo; i < hi; i++) {
      const index = this.find(id, entries.keys.bytes, i * HASH_BYTES);
      if (entries.valueIds[i] !== 0) this.#put(id, index, entries, i);
      else if (index >= 0) this.#remove(id, index);
    }
  }

  /** Adds the leaves of a page, and the hashes between them, to the end of `run`. */
  drain(id: number, run: LeafRun): void {
    this.#appendTo(run, id, 0, this.count(id));
  }

  /** Makes `run` the leaves of the page with rows [lo, hi) of a block applied, noting outcomes as `apply` does. */
  merge(id: number, run: LeafRun, changes: Changes, lo: number, hi: number, nextValueId: () => number): number {
    let effective = 0;
    let next = 0;
    for (let i = lo; i < hi; i++) {
      if (changes.isTouch(i)) continue;
      const found = this.find(id, changes.keys.bytes, i * HASH_BYTES);
      const index = found < 0 ? ~found : found;
      if (!changes.isPut(i) && found < 0) continue;
      const { memory, at } = this.hashAt(id, index);
      if (found >= 0 && changes.isPut(i) && sameHash(memory, at, changes.hashes, i * HASH_BYTES)) continue;
      this.#appendTo(run, id, next, index);
      next = index;
      if (found >= 0) {
        changes.replaced[i] = this.valueIdAt(id, index);
        next++;
      }
      if (changes.isPut(i)) {
        const row = run.length++;
        changes.valueIds[i] = nextValueId();
        copyHash(changes.keys, i * HASH_BYTES, run.keys, row * HASH_BYTES);
        copyHash(changes.hashes, i * HASH_BYTES, run.hashes, row * HASH_BYTES);
        run.valueIds[row] = changes.valueIds[i] as number;
      }
      changes.effective[i] = 1;
      effective++;
    }
    this.#appendTo(run, id, next, this.count(id));
    return effective;
  }

  /** Makes leaves [lo, hi) of `run` the page's content. */
  fill(id: number, run: LeafRun, lo: number, hi: number): void {
    const { bytes, valueIds } = this.#chunkOf(id);
    const base = this.#baseOf(id);
    const from = lo * HASH_BYTES;
    const to = hi * HASH_BYTES;
    bytes.set(run.keys.bytes.subarray(from, to), base + KEYS);
    bytes.set(run.hashes.bytes.subarray(from, to), base + HASHES);
    bytes.set(run.gaps.bytes.subarray(from, to), base + GAPS);
    valueIds.set(run.valueIds.subarray(lo, hi), this.#valueBase(id));
    this.#counts[id] = hi - lo;
  }

  /**
   * Writes the hash of the page's subtree, whose root is at `depth`, to `out`. With `changes`, only what lies above rows [lo, hi)
   * is hashed anew; without, all of it.
   */
  hash(id: number, depth: number, out: Memory, outAt: number, changes?: Entries, lo = 0, hi = 0): void {
    this.#open(id);
    this.#changes = changes?.keys;
    const count = this.count(id);
    if (count === 0) zeroHash(out, outAt);
    else this.#node(0, count, depth, lo, changes === undefined ? -1 : hi, out, outAt);
  }

  /** Hashes of the siblings on the way from the page's root at `depth` down to leaf `index`, as (depth of the node, hash). */
  siblings(id: number, index: number, depth: number, emit: (hash: Memory, at: number) => void): void {
    this.#open(id);
    const { memory } = frames[0] as Frame;
    let lo = 0;
    let hi = this.count(id);
    for (let d = depth; hi - lo > 1; d++) {
      const middle = this.#split(lo, hi, d);
      const [from, to] = index < middle ? [middle, hi] : [lo, middle];
      if (from === to) zeroHash(memory, LEFT);
      else if (to - from === 1) copyHash(this.#memory, this.#base + HASHES + from * HASH_BYTES, memory, LEFT);
      else this.#unchanged(from, to, d + 1, memory, LEFT);
      emit(memory, LEFT);
      if (index < middle) hi = middle;
      else lo = middle;
    }
  }

  /** Bytes of the page for the disk: keys, hashes, then 6-byte value ids. */
  encode(id: number): Uint8Array {
    const count = this.count(id);
    const size = count * HASH_BYTES;
    const { bytes } = this.#chunkOf(id);
    const base = this.#baseOf(id);
    const row = Buffer.allocUnsafe(2 * size + 6 * count);
    bytes.copy(row, 0, base + KEYS, base + KEYS + size);
    bytes.copy(row, size, base + HASHES, base + HASHES + size);
    for (let i = 0; i < count; i++) row.writeUIntBE(this.valueIdAt(id, i), 2 * size + 6 * i, 6);
    return row;
  }

  /** Fills the page from its bytes; false if they are not a page. The hashes are for the caller to check. */
  decode(id: number, row: Uint8Array): boolean {
    const count = row.length / (2 * HASH_BYTES + 6);
    if (!Number.isInteger(count) || count > LEAF_CAPACITY) return false;
    const size = count * HASH_BYTES;
    const { bytes, valueIds } = this.#chunkOf(id);
    const base = this.#baseOf(id);
    bytes.set(row.subarray(0, size), base + KEYS);
    bytes.set(row.subarray(size, 2 * size), base + HASHES);
    const ids = Buffer.from(row.buffer, row.byteOffset + 2 * size, 6 * count);
    for (let i = 0; i < count; i++) valueIds[this.#valueBase(id) + i] = ids.readUIntBE(6 * i, 6);
    this.#counts[id] = count;
    return true;
  }

  #addChunk(): void {
    const chunk = allocate(CHUNK_PAGES * LEAF_PAGE_BYTES);
    const first = this.#chunks.length * CHUNK_PAGES;
    this.#chunks.push({ ...chunk, valueIds: new Float64Array(chunk.words.buffer) });
    for (let id = first + CHUNK_PAGES - 1; id >= first; id--) this.#free.push(id);
    if (first + CHUNK_PAGES <= this.#counts.length) return;
    const wider = 2 * (first + CHUNK_PAGES);
    const counts = new Uint8Array(wider);
    counts.set(this.#counts);
    this.#counts = counts;
    const hot = new Uint8Array(wider);
    hot.set(this.#hot);
    this.#hot = hot;
  }

  #chunkOf(id: number): Chunk {
    return this.#chunks[(id / CHUNK_PAGES) | 0] as Chunk;
  }

  #baseOf(id: number): number {
    return (id % CHUNK_PAGES) * LEAF_PAGE_BYTES;
  }

  #valueBase(id: number): number {
    return (this.#baseOf(id) + VALUE_IDS) / 8;
  }

  #open(id: number): void {
    this.#memory = this.#chunkOf(id);
    this.#base = this.#baseOf(id);
  }

  /** Sets the leaf at `index`, or inserts one at its complement. */
  #put(id: number, index: number, from: Entries, row: number): void {
    const at = index < 0 ? ~index : index;
    if (index < 0) this.#shift(id, at, at + 1);
    const chunk = this.#chunkOf(id);
    const base = this.#baseOf(id);
    copyHash(from.keys, row * HASH_BYTES, chunk, base + KEYS + at * HASH_BYTES);
    copyHash(from.hashes, row * HASH_BYTES, chunk, base + HASHES + at * HASH_BYTES);
    chunk.valueIds[this.#valueBase(id) + at] = from.valueIds[row] as number;
  }

  #remove(id: number, index: number): void {
    this.#shift(id, index + 1, index);
  }

  /** Moves the leaves from `from` on to `to`, one place up or down. */
  #shift(id: number, from: number, to: number): void {
    const { bytes, valueIds } = this.#chunkOf(id);
    const base = this.#baseOf(id);
    const count = this.count(id);
    for (const part of [KEYS, HASHES, GAPS]) {
      bytes.copyWithin(base + part + to * HASH_BYTES, base + part + from * HASH_BYTES, base + part + count * HASH_BYTES);
    }
    const first = this.#valueBase(id);
    valueIds.copyWithin(first + to, first + from, first + count);
    this.#counts[id] = count + to - from;
  }

  #appendTo(run: LeafRun, id: number, lo: number, hi: number): void {
    if (lo >= hi) return;
    const { bytes, valueIds } = this.#chunkOf(id);
    const base = this.#baseOf(id);
    const at = run.length * HASH_BYTES;
    run.keys.bytes.set(bytes.subarray(base + KEYS + lo * HASH_BYTES, base + KEYS + hi * HASH_BYTES), at);
    run.hashes.bytes.set(bytes.subarray(base + HASHES + lo * HASH_BYTES, base + HASHES + hi * HASH_BYTES), at);
    run.gaps.bytes.set(bytes.subarray(base + GAPS + lo * HASH_BYTES, base + GAPS + hi * HASH_BYTES), at);
    const first = this.#valueBase(id);
    run.valueIds.set(valueIds.subarray(first + lo, first + hi), run.length);
    run.length += hi - lo;
  }

  #split(lo: number, hi: number, depth: number): number {
    return splitAt(this.#memory.bytes, this.#base + KEYS, lo, hi, depth);
  }

  /** Hash of the non-empty subtree at `depth` that holds leaves [lo, hi); changed keys are rows [from, to), all if `to` is -1. */
  #node(lo: number, hi: number, depth: number, from: number, to: number, out: Memory, outAt: number): void {
    if (hi - lo === 1) {
      copyHash(this.#memory, this.#base + HASHES + lo * HASH_BYTES, out, outAt);
      return;
    }
    if (from === to) {
      this.#unchanged(lo, hi, depth, out, outAt);
      return;
    }
    const middle = this.#split(lo, hi, depth);
    const parted = to === -1 ? -1 : splitAt((this.#changes as Memory).bytes, 0, from, to, depth);
    const frame = frames[depth] as Frame;
    if (middle > lo) this.#node(lo, middle, depth + 1, from, parted, frame.memory, LEFT);
    else zeroHash(frame.memory, LEFT);
    if (middle < hi) this.#node(middle, hi, depth + 1, to === -1 ? from : parted, to, frame.memory, RIGHT);
    else zeroHash(frame.memory, RIGHT);
    const hash = digest(frame.input);
    if (middle > lo && middle < hi) writeDigest(hash, this.#memory, this.#base + GAPS + middle * HASH_BYTES);
    writeDigest(hash, out, outAt);
  }

  /** Hash of a subtree of two leaves or more whose gaps are up to date: that of the node where they part, lifted to `depth`. */
  #unchanged(lo: number, hi: number, depth: number, out: Memory, outAt: number): void {
    const { bytes } = this.#memory;
    const first = this.#base + KEYS + lo * HASH_BYTES;
    const parting = sharedBits(bytes, first, bytes, this.#base + KEYS + (hi - 1) * HASH_BYTES);
    copyHash(this.#memory, this.#base + GAPS + this.#split(lo, hi, parting) * HASH_BYTES, out, outAt);
    for (let d = parting - 1; d >= depth; d--) {
      const { memory, input } = frames[d] as Frame;
      const right = bitAt(bytes, first, d) === 1;
      copyHash(out, outAt, memory, right ? RIGHT : LEFT);
      zeroHash(memory, right ? LEFT : RIGHT);
      writeDigest(digest(input), out, outAt);
    }
  }
}
