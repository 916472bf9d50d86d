/**
 * Branch pages: four levels of the binary tree each, as a heap of 31 nodes (1 is the top, 16 to 31 the bottom), in flat arrays
 * that grow by doubling. A leaf page may hang at any node, a further branch page below a bottom node.
 */
import {
  allocate,
  copyHash,
  digest,
  grow,
  HASH_BYTES,
  INNER_DOMAIN,
  LEFT,
  type Memory,
  makeFrame,
  RIGHT,
  writeDigest,
  zeroHash,
} from "./memory.ts";

/** What hangs at a node. */
export const EMPTY = 0;
/** Two child nodes in the same page. */
export const INNER = 1;
/** A leaf page. */
export const LEAVES = 2;
/** A branch page whose top is this node; bottom nodes only. */
export const BRANCH = 3;

const LEVELS = 5;
export const TOP = 1;
/** First of the bottom nodes. */
export const BOTTOM: number = 1 << LEVELS;
const NODES = 2 * BOTTOM;
export const NOT_LOADED = -1;

/** Memory of one page: hash, kind, leaf count, child, row, version a node. */
export const BRANCH_PAGE_BYTES = NODES * (HASH_BYTES + 1 + 1 + 4 + 8 + 4);

/** A stored slot: node, kind or leaf count, hash, row, version. */
const SLOT_BYTES = 1 + 1 + HASH_BYTES + 6 + 4;

const frame = makeFrame(INNER_DOMAIN);

export class BranchPages {
  used = 0;
  #capacity = 64;
  #hashes: Memory = allocate(64 * NODES * HASH_BYTES);
  #kinds = new Uint8Array(64 * NODES);
  #counts = new Uint8Array(64 * NODES);
  #children = new Int32Array(64 * NODES);
  #rows = new Float64Array(64 * NODES);
  #pending = new Uint32Array(64 * NODES);
  #hot = new Uint8Array(64);
  readonly #free: number[] = [];
  #next = 0;

  /** A new page, empty at its top. */
  allocate(): number {
    const id = this.#free.pop() ?? this.#next++;
    if (id === this.#capacity) this.#widen();
    this.#kinds.fill(EMPTY, id * NODES, (id + 1) * NODES);
    this.#children.fill(NOT_LOADED, id * NODES, (id + 1) * NODES);
    this.#hot[id] = 1;
    zeroHash(this.#hashes, (id * NODES + TOP) * HASH_BYTES);
    this.used++;
    return id;
  }

  release(id: number): void {
    this.#free.push(id);
    this.used--;
  }

  copy(id: number): number {
    const to = this.allocate();
    const first = id * NODES;
    this.#hashes.words.copyWithin(to * NODES * 8, first * 8, (first + NODES) * 8);
    for (const part of [this.#kinds, this.#counts, this.#children, this.#rows, this.#pending]) {
      part.copyWithin(to * NODES, first, first + NODES);
    }
    return to;
  }

  warm(id: number): void {
    this.#hot[id] = 1;
  }

  cool(id: number): boolean {
    const was = this.#hot[id] === 1;
    this.#hot[id] = 0;
    return was;
  }

  kind(id: number, node: number): number {
    return this.#kinds[id * NODES + node] as number;
  }

  /** Leaves in the leaf page at a node; 0 at an empty node. Undefined elsewhere. */
  leafCount(id: number, node: number): number {
    return this.kind(id, node) === EMPTY ? 0 : (this.#counts[id * NODES + node] as number);
  }

  /** Id of the page at a node, or `NOT_LOADED`. */
  child(id: number, node: number): number {
    return this.#children[id * NODES + node] as number;
  }

  setChild(id: number, node: number, child: number): void {
    this.#children[id * NODES + node] = child;
  }

  /** Row that holds the page at a node; 0 if it was never written. */
  row(id: number, node: number): number {
    return this.#rows[id * NODES + node] as number;
  }

  setRow(id: number, node: number, row: number): void {
    this.#rows[id * NODES + node] = row;
  }

  /** Version of the first change that the row of a leaf page lacks; 0 if it lacks none. */
  pending(id: number, node: number): number {
    return this.#pending[id * NODES + node] as number;
  }

  /** The hashes of all pages; that of a node is at `hashAt`. */
  get hashes(): Memory {
    return this.#hashes;
  }

  hashAt(id: number, node: number): number {
    return (id * NODES + node) * HASH_BYTES;
  }

  setEmpty(id: number, node: number): void {
    this.#kinds[id * NODES + node] = EMPTY;
    this.#children[id * NODES + node] = NOT_LOADED;
    zeroHash(this.#hashes, this.hashAt(id, node));
  }

  /** Hangs a leaf page of `count` leaves at a node; its hash is for the caller to write. */
  setLeaves(id: number, node: number, child: number, count: number, row: number, pending: number): void {
    const slot = id * NODES + node;
    this.#kinds[slot] = LEAVES;
    this.#counts[slot] = count;
    this.#children[slot] = child;
    this.#rows[slot] = row;
    this.#pending[slot] = pending;
  }

  setInner(id: number, node: number): void {
    this.#kinds[id * NODES + node] = INNER;
    this.#children[id * NODES + node] = NOT_LOADED;
  }

  /** Hangs the branch page `child` at a bottom node, under the hash of its top. */
  setBranch(id: number, node: number, child: number, row: number): void {
    const slot = id * NODES + node;
    this.#kinds[slot] = BRANCH;
    this.#children[slot] = child;
    this.#rows[slot] = row;
    copyHash(this.#hashes, this.hashAt(child, TOP), this.#hashes, slot * HASH_BYTES);
  }

  /** Moves what hangs at `from` of page `source` to a node of another page. */
  hoist(id: number, node: number, source: number, from: number): void {
    const to = id * NODES + node;
    const at = source * NODES + from;
    for (const part of [this.#kinds, this.#counts, this.#children, this.#rows, this.#pending]) part[to] = part[at] as number;
    copyHash(this.#hashes, at * HASH_BYTES, this.#hashes, to * HASH_BYTES);
  }

  /** Hashes an inner node from its children. A single leaf rises to its shortest prefix, so it is never below an inner node alone. */
  rehash(id: number, node: number): void {
    copyHash(this.#hashes, this.hashAt(id, 2 * node), frame.memory, LEFT);
    copyHash(this.#hashes, this.hashAt(id, 2 * node + 1), frame.memory, RIGHT);
    writeDigest(digest(frame.input), this.#hashes, this.hashAt(id, node));
  }

  encode(id: number): Uint8Array {
    const row = Buffer.allocUnsafe(BOTTOM * SLOT_BYTES);
    return row.subarray(0, this.#encodeNode(id, TOP, row, 0));
  }

  #encodeNode(id: number, node: number, row: Buffer, at: number): number {
    const kind = this.kind(id, node);
    if (kind === EMPTY) return at;
    if (kind === INNER) return this.#encodeNode(id, 2 * node + 1, row, this.#encodeNode(id, 2 * node, row, at));
    row[at] = node;
    row[at + 1] = kind === LEAVES ? this.leafCount(id, node) : 0;
    const hashAt = this.hashAt(id, node);
    this.#hashes.bytes.copy(row, at + 2, hashAt, hashAt + HASH_BYTES);
    row.writeUIntBE(this.row(id, node), at + 34, 6);
    return row.writeUInt32BE(kind === LEAVES ? this.pending(id, node) : 0, at + 40);
  }

  /** Fills a new page from its bytes and hashes its inner nodes; false if they are not a page. */
  decode(id: number, bytes: Uint8Array): boolean {
    if (bytes.length % SLOT_BYTES !== 0) return false;
    const row = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = 0; at < row.length; at += SLOT_BYTES) {
      const node = row[at] as number;
      const count = row[at + 1] as number;
      if (node < TOP || node >= NODES || (count === 0 && node < BOTTOM)) return false;
      const slot = id * NODES + node;
      this.#kinds[slot] = count === 0 ? BRANCH : LEAVES;
      this.#counts[slot] = count;
      this.#rows[slot] = row.readUIntBE(at + 34, 6);
      this.#pending[slot] = row.readUInt32BE(at + 40);
      row.copy(this.#hashes.bytes, slot * HASH_BYTES, at + 2, at + 2 + HASH_BYTES);
      for (let above = node >>> 1; above >= TOP; above >>>= 1) {
        if (this.kind(id, above) > INNER) return false;
        this.#kinds[id * NODES + above] = INNER;
      }
    }
    for (let node = NODES - 1; node >= TOP; node--) {
      if (this.kind(id, node) === EMPTY) zeroHash(this.#hashes, this.hashAt(id, node));
      else if (this.kind(id, node) === INNER) this.rehash(id, node);
    }
    return true;
  }

  #widen(): void {
    this.#capacity *= 2;
    const slots = this.#capacity * NODES;
    this.#hashes = grow(this.#hashes, slots * HASH_BYTES);
    this.#kinds = widened(this.#kinds, new Uint8Array(slots));
    this.#counts = widened(this.#counts, new Uint8Array(slots));
    this.#children = widened(this.#children, new Int32Array(slots));
    this.#rows = widened(this.#rows, new Float64Array(slots));
    this.#pending = widened(this.#pending, new Uint32Array(slots));
    this.#hot = widened(this.#hot, new Uint8Array(this.#capacity));
  }
}

function widened<T extends { set(from: ArrayLike<number>): void }>(from: T & ArrayLike<number>, to: T): T {
  to.set(from);
  return to;
}
