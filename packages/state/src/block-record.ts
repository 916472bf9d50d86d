/**
 * What one block changed: kept in memory for the newest blocks, since leaf pages on disk lag behind (see tree.ts), and on disk for
 * as long as a kept version may need it, to bring a leaf page up to date or to delete what the block replaced.
 */
import { cbor, schema } from "@xinglin/primitives";
import type { Changes, Entries } from "./changes.ts";
import { allocate, HASH_BYTES, type Memory } from "./memory.ts";

/** A version of the map: the state after a block that changed something. */
export interface VersionHeader {
  readonly version: number;
  readonly height: number;
  readonly root: Uint8Array;
  /** Row of the top branch page. */
  readonly rootRow: number;
  /** Oldest block record that a leaf page of this version may lack. */
  readonly windowStart: number;
}

const header = schema.object({
  version: schema.uint(),
  height: schema.uint(),
  root: schema.bytes(HASH_BYTES),
  rootRow: schema.uint(),
  windowStart: schema.uint(),
});
export const encodeHeader = (value: VersionHeader): Uint8Array => cbor.encode(value);
export const decodeHeader = (bytes: Uint8Array): VersionHeader => header.parse(cbor.decodeTrusted(bytes));

// Bounds the window to some hundred records when blocks are small.
const SEARCH_WEIGHT = 64 * 1024;

/** The effective changes of a version, sorted by tree key. */
export class BlockRecord implements Entries {
  readonly version: number;
  readonly length: number;
  readonly keys: Memory;
  readonly hashes: Memory;
  readonly valueIds: Float64Array;

  constructor(version: number, length: number) {
    this.version = version;
    this.length = length;
    this.keys = allocate(length * HASH_BYTES);
    this.hashes = allocate(length * HASH_BYTES);
    this.valueIds = new Float64Array(length);
  }

  /** What the record takes of the window: its memory, and a share for the search that each page load makes in it. */
  get weight(): number {
    return SEARCH_WEIGHT + this.length * (2 * HASH_BYTES + 8);
  }

  /** The range of entries whose keys share the first `depth` bits of the key at `at`. */
  range(path: Uint8Array, at: number, depth: number): [number, number] {
    return [this.#lowerBound(path, at, depth, false), this.#lowerBound(path, at, depth, true)];
  }

  /** First entry not below the prefix, or, with `past`, the first above it. */
  #lowerBound(path: Uint8Array, at: number, depth: number, past: boolean): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const order = comparePrefix(this.keys.bytes, middle * HASH_BYTES, path, at, depth);
      if (order < 0 || (past && order === 0)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function comparePrefix(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number, depth: number): number {
  const whole = depth >>> 3;
  for (let i = 0; i < whole; i++) {
    const difference = (a[aAt + i] as number) - (b[bAt + i] as number);
    if (difference !== 0) return difference;
  }
  const rest = depth & 7;
  if (rest === 0) return 0;
  const shift = 8 - rest;
  return ((a[aAt + whole] as number) >>> shift) - ((b[bAt + whole] as number) >>> shift);
}

/** What the block made stale: values it replaced (0 where the key was absent) and pages that it rewrote. */
export interface Stale {
  readonly values: Float64Array;
  readonly pages: readonly number[];
}

/** The record of a block and its row, from changes that were applied. */
export function recordOf(
  version: number,
  changes: Changes,
  stalePages: readonly number[],
): { record: BlockRecord; row: Uint8Array } {
  let length = 0;
  for (let i = 0; i < changes.length; i++) length += changes.effective[i] as number;
  const record = new BlockRecord(version, length);
  const size = length * HASH_BYTES;
  const row = Buffer.allocUnsafe(4 + 2 * size + 12 * length + 6 * stalePages.length);
  row.writeUInt32BE(length, 0);
  let to = 0;
  let at = 4 + 2 * size;
  for (let i = 0; i < changes.length; i++) {
    if (changes.effective[i] === 0) continue;
    changes.keys.bytes.copy(record.keys.bytes, to * HASH_BYTES, i * HASH_BYTES, (i + 1) * HASH_BYTES);
    changes.hashes.bytes.copy(record.hashes.bytes, to * HASH_BYTES, i * HASH_BYTES, (i + 1) * HASH_BYTES);
    record.valueIds[to++] = changes.valueIds[i] as number;
    at = row.writeUIntBE(changes.valueIds[i] as number, at, 6);
    at = row.writeUIntBE(changes.replaced[i] as number, at, 6);
  }
  record.keys.bytes.copy(row, 4);
  record.hashes.bytes.copy(row, 4 + size);
  for (const page of stalePages) at = row.writeUIntBE(page, at, 6);
  return { record, row };
}

/** The record in a row that `recordOf` wrote. */
export function decodeRecord(version: number, bytes: Uint8Array): BlockRecord {
  const row = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const record = new BlockRecord(version, row.readUInt32BE(0));
  const size = record.length * HASH_BYTES;
  record.keys.bytes.set(row.subarray(4, 4 + size));
  record.hashes.bytes.set(row.subarray(4 + size, 4 + 2 * size));
  for (let i = 0; i < record.length; i++) record.valueIds[i] = row.readUIntBE(4 + 2 * size + 12 * i, 6);
  return record;
}

/** What the block of a row that `recordOf` wrote made stale. */
export function decodeStale(bytes: Uint8Array): Stale {
  const row = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const length = row.readUInt32BE(0);
  let at = 4 + 2 * length * HASH_BYTES;
  const values = new Float64Array(length);
  for (let i = 0; i < length; i++, at += 12) values[i] = row.readUIntBE(at + 6, 6);
  const pages: number[] = [];
  for (; at < row.length; at += 6) pages.push(row.readUIntBE(at, 6));
  return { values, pages };
}

/** Memory of the newest records: pages whose first unwritten change is older than `halfway` are due when a block touches them. */
export class RecordWindow {
  readonly #records = new Map<number, BlockRecord>();
  readonly #limit: number;
  #bytes = 0;
  /** Oldest record held. */
  start: number;

  constructor(limitBytes: number, start: number) {
    this.#limit = limitBytes;
    this.start = start;
  }

  get sizeBytes(): number {
    return this.#bytes;
  }

  get(version: number): BlockRecord | undefined {
    return this.#records.get(version);
  }

  add(record: BlockRecord): void {
    this.#records.set(record.version, record);
    this.#bytes += record.weight;
  }

  /** Forgets records below `start`. */
  advance(start: number): void {
    for (; this.start < start; this.start++) {
      this.#bytes -= this.#records.get(this.start)?.weight ?? 0;
      this.#records.delete(this.start);
    }
  }

  /** Where the window has to begin so that its records take at most `share` of the limit. */
  startWithin(share: number): number {
    let bytes = this.#bytes;
    let start = this.start;
    for (; bytes > share * this.#limit && this.#records.has(start); start++) bytes -= this.#records.get(start)?.weight ?? 0;
    return start;
  }
}
