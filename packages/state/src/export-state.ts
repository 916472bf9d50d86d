/**
 * Reads the newest committed version of the map from end to end, as parts, while later blocks go on being committed.
 *
 * It reads a snapshot of the database with pages of its own, so neither the committing state nor pruning and it know of each other. Values
 * are read off the main thread a page at a time, so the event loop is never kept for longer than a page takes. What is read is checked
 * against the hash above it: a damaged database gives `state_corrupt`, not a wrong part.
 */
import { Fault } from "@xinglin/primitives";
import { type BlockRecord, decodeHeader, decodeRecord, type VersionHeader } from "./block-record.ts";
import { BRANCH, EMPTY, INNER, TOP } from "./branch-pages.ts";
import { type Database, readMeta } from "./database.ts";
import { HASH_AT } from "./leaf-tree.ts";
import { allocate, copyHash, HASH_BYTES, type Memory, sameHash } from "./memory.ts";
import { corrupt, PageStore } from "./page-store.ts";
import { blockKey, headerKey, valueKey } from "./rows.ts";
import { entryBytes, hashOfLeaves, PART_BYTES, type StatePart, splitLeaves, writeEntry } from "./state-parts.ts";
import { readValue } from "./values.ts";
import { setBit } from "./view.ts";

/** Below one node, in pieces: nodes that may yet be joined with their neighbour into a larger part. */
interface Piece {
  readonly depth: number;
  readonly hash: Uint8Array;
  readonly pieces: readonly Uint8Array[];
  readonly bytes: number;
}

/** Leaves of one page with their value rows. */
interface Leaves {
  readonly keys: Memory;
  readonly hashes: Memory;
  readonly rows: readonly Uint8Array[];
}

type DatabaseSnapshot = ReturnType<Database["snapshot"]>;

/** One version of the map, held as it is until `close`. */
export class StateExport {
  /** Height and root of the version. */
  readonly height: number;
  readonly root: Uint8Array;
  readonly keys: number;
  readonly #db: Database;
  readonly #snapshot: DatabaseSnapshot;
  readonly #header: VersionHeader | undefined;
  readonly #partBytes: number;
  readonly #records = new Map<number, BlockRecord>();
  readonly #pages: PageStore;
  /** The way to the node at work. */
  readonly #path = new Uint8Array(HASH_BYTES);
  /** Pieces in key order that are not told yet. The last ones may still be joined. */
  #open: Piece[] = [];

  /** Holds the version that is committed now. `partBytes` is for tests: other nodes cut at `PART_BYTES`. Throws `state_format_unknown`. */
  constructor(db: Database, partBytes: number = PART_BYTES) {
    this.#db = db;
    this.#partBytes = partBytes;
    this.#snapshot = db.snapshot();
    const meta = readMeta(db, this.#snapshot);
    const header = meta.version === 0 ? undefined : this.#read(headerKey(meta.version));
    this.#header = header && decodeHeader(header);
    this.height = meta.height;
    this.keys = meta.keys;
    this.root = this.#header?.root ?? new Uint8Array(HASH_BYTES);
    this.#pages = new PageStore({ read: (key) => this.#read(key), record: (version) => this.#record(version) });
  }

  /**
   * Tells all parts in key order, one at a time. Stops with the reason of `signal`. Throws `state_corrupt`, and what the database throws when
   * it is closed meanwhile.
   */
  async run(onPart: (part: StatePart) => Promise<void>, signal?: AbortSignal): Promise<void> {
    const tell = async (): Promise<void> => {
      for (const { depth, hash, pieces } of this.#open.splice(0)) await onPart({ depth, hash, bytes: Buffer.concat(pieces) });
    };
    const header = this.#header;
    if (header === undefined || header.rootRow === 0) this.#open = [{ depth: 0, hash: this.root, pieces: [], bytes: 0 }];
    else {
      for (let version = header.windowStart; version <= header.version; version++) {
        this.#record(version);
        await new Promise(setImmediate);
      }
      const top = this.#readTop(header);
      try {
        await this.#walk(top, TOP, 0, tell, signal);
      } finally {
        this.#pages.branches.release(top);
      }
    }
    await tell();
  }

  /** Lets go of the version. */
  close(): Promise<void> {
    return this.#snapshot.close();
  }

  /** Puts what is below a node on `#open`; whether that is one piece, else all of it was told. */
  async #walk(page: number, node: number, depth: number, tell: () => Promise<void>, signal?: AbortSignal): Promise<boolean> {
    const { branches, leaves } = this.#pages;
    const kind = branches.kind(page, node);
    if (kind === EMPTY) {
      this.#open.push({ depth, hash: new Uint8Array(HASH_BYTES), pieces: [], bytes: 0 });
      return true;
    }
    if (kind === BRANCH) {
      const child = this.#pages.loadBranch(page, node);
      try {
        return await this.#walk(child, TOP, depth, tell, signal);
      } finally {
        branches.release(child);
      }
    }
    if (kind === INNER) {
      setBit(this.#path, depth, 0);
      const left = await this.#walk(page, 2 * node, depth + 1, tell, signal);
      setBit(this.#path, depth, 1);
      const right = await this.#walk(page, 2 * node + 1, depth + 1, tell, signal);
      setBit(this.#path, depth, 0);
      if (left && right && this.#join(depth, this.#hashAt(page, node))) return true;
      await tell();
      return false;
    }
    signal?.throwIfAborted();
    const id = this.#pages.loadLeaves(page, node, depth, { bytes: this.#path, at: 0 }, (this.#header as VersionHeader).version);
    let found: Leaves;
    try {
      found = await this.#readLeaves(id);
    } finally {
      leaves.release(id);
    }
    if (this.#pushLeaves(found, 0, found.rows.length, depth, this.#hashAt(page, node))) return true;
    await tell();
    return false;
  }

  /** Makes the last two pieces, the halves of a node, one, if it is not too large. */
  #join(depth: number, hash: Uint8Array): boolean {
    const [left, right] = this.#open.slice(-2) as [Piece, Piece];
    const bytes = left.bytes + right.bytes;
    if (bytes > this.#partBytes) return false;
    this.#open.splice(-2, 2, { depth, hash, pieces: [...left.pieces, ...right.pieces], bytes });
    return true;
  }

  /** Puts leaves [lo, hi) of a page on `#open`; whether they are one piece. `known` is the hash above them, if it is known. */
  #pushLeaves(found: Leaves, lo: number, hi: number, depth: number, known?: Uint8Array): boolean {
    const rows = found.rows.slice(lo, hi);
    const bytes = rows.reduce((sum, row) => sum + entryBytes(row), 0);
    if (bytes > this.#partBytes && rows.length > 1) {
      const middle = splitLeaves(found.keys, lo, hi, depth);
      this.#pushLeaves(found, lo, middle, depth + 1);
      this.#pushLeaves(found, middle, hi, depth + 1);
      return false;
    }
    const piece = Buffer.allocUnsafeSlow(bytes);
    let at = 0;
    for (const row of rows) at = writeEntry(row, piece, at);
    this.#open.push({ depth, hash: known ?? hashAbove(found, lo, hi, depth), pieces: [piece], bytes });
    return true;
  }

  async #readLeaves(id: number): Promise<Leaves> {
    const { leaves } = this.#pages;
    const count = leaves.count(id);
    const keys = allocate(count * HASH_BYTES);
    const hashes = allocate(count * HASH_BYTES);
    const ids = Array.from({ length: count }, (_, i) => leaves.valueIdAt(id, i));
    for (let i = 0; i < count; i++) {
      const { memory, at } = leaves.leafAt(id, i);
      copyHash(memory, at, keys, i * HASH_BYTES);
      copyHash(memory, at + HASH_AT, hashes, i * HASH_BYTES);
    }
    const rows = await this.#db.getMany(ids.map(valueKey), { snapshot: this.#snapshot, fillCache: false });
    for (const [i, valueId] of ids.entries()) {
      const { memory, at } = leaves.leafAt(id, i);
      readValue(() => rows[i], valueId, memory, at);
    }
    return { keys, hashes, rows: rows as Uint8Array[] };
  }

  #hashAt(page: number, node: number): Uint8Array {
    const at = this.#pages.branches.hashAt(page, node);
    return Uint8Array.from(this.#pages.branches.hashes.bytes.subarray(at, at + HASH_BYTES));
  }

  #readTop({ rootRow, root }: VersionHeader): number {
    const id = this.#pages.readBranch(rootRow);
    const { branches } = this.#pages;
    const expected = allocate(HASH_BYTES);
    expected.bytes.set(root);
    if (sameHash(expected, 0, branches.hashes, branches.hashAt(id, TOP))) return id;
    branches.release(id);
    throw corrupt(rootRow);
  }

  #read(key: Uint8Array): Uint8Array | undefined {
    return this.#db.getSync(key, { snapshot: this.#snapshot });
  }

  #record(version: number): BlockRecord {
    const held = this.#records.get(version);
    if (held !== undefined) return held;
    const row = this.#read(blockKey(version));
    if (row === undefined) throw new Fault("state_corrupt", { version });
    const record = decodeRecord(version, row);
    this.#records.set(version, record);
    return record;
  }
}

function hashAbove({ keys, hashes }: Leaves, lo: number, hi: number, depth: number): Uint8Array {
  const hash = allocate(HASH_BYTES);
  hashOfLeaves(keys, hashes, lo, hi, depth, hash, 0);
  return Uint8Array.from(hash.bytes);
}
