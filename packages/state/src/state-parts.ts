/**
 * How a whole version of the map is cut into parts that can be sent one by one and checked one by one.
 *
 * A part is all entries below one node of the tree. The parts in order are the leaves of the tree's upper end, the *cut*, so their depths
 * alone say where each belongs, and folding their hashes gives the root. Who knows the root can check the cut before the first part,
 * and each part by itself. Where the cut runs follows from the content alone: a node is a part if the entries below it take at most
 * `PART_BYTES`, or if there is at most one; so all nodes cut a version the same way.
 * Source: design.md, "Ledger" (State); ICS-23 SmtSpec (hashes of nodes).
 */
import { MAX_KEY_BYTES } from "./contract.ts";
import {
  allocate,
  copyHash,
  digest,
  HASH_BYTES,
  INNER_DOMAIN,
  LEFT,
  type Memory,
  makeFrame,
  RIGHT,
  splitAt,
  writeDigest,
} from "./memory.ts";

/** A part has at most so many bytes, unless it is a single entry. */
export const PART_BYTES: number = 1024 * 1024;

/** Where a part belongs and what its entries must hash to. */
export interface PartPlace {
  /** Depth of its node in the tree, 0 to 256. */
  readonly depth: number;
  /** Hash of the node; zeros if nothing is below it. */
  readonly hash: Uint8Array;
}

/** A part with its entries, a run of `writeEntry`. */
export interface StatePart extends PartPlace {
  readonly bytes: Uint8Array;
}

/** An entry of a part: a value's row as the database holds it, and the raw key and value in it. Views into the part. */
export interface PartEntry {
  readonly row: Uint8Array;
  readonly rawKey: Uint8Array;
  readonly value: Uint8Array;
}

const MAX_DEPTH = 8 * HASH_BYTES;
const PLACE_BYTES = 2 + HASH_BYTES;
/** Before each entry: the length of its row. */
export const ENTRY_PREFIX_BYTES = 4;

/** The cut in bytes: depth (two bytes, big-endian) and hash of each part, in order. */
export function encodeCut(parts: readonly PartPlace[]): Uint8Array {
  const bytes = Buffer.allocUnsafe(parts.length * PLACE_BYTES);
  for (const [i, { depth, hash }] of parts.entries()) {
    bytes.writeUInt16BE(depth, i * PLACE_BYTES);
    bytes.set(hash, i * PLACE_BYTES + 2);
  }
  return bytes;
}

/** The parts of a cut; undefined if the bytes are none. Whether they fit together is for `rootOfCut` to say. */
export function decodeCut(bytes: Uint8Array): PartPlace[] | undefined {
  if (bytes.length % PLACE_BYTES !== 0) return undefined;
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length / PLACE_BYTES }, (_, i) => {
    const at = i * PLACE_BYTES;
    return { depth: view.readUInt16BE(at), hash: Uint8Array.from(bytes.subarray(at + 2, at + PLACE_BYTES)) };
  });
}

const frames = Array.from({ length: MAX_DEPTH }, () => makeFrame(INNER_DOMAIN));

/** The root of the map that these are the parts of; undefined if they don't cover a tree exactly once. */
export function rootOfCut(parts: readonly PartPlace[]): Uint8Array | undefined {
  const root = allocate(HASH_BYTES);
  return foldCut(parts, 0, 0, root, 0) === parts.length ? Uint8Array.from(root.bytes) : undefined;
}

/** Writes the hash of the node at `depth` that begins with part `next`; returns the part behind it, or -1 if they don't fit. */
function foldCut(parts: readonly PartPlace[], next: number, depth: number, out: Memory, outAt: number): number {
  const part = parts[next];
  if (part === undefined || part.depth < depth || part.depth > MAX_DEPTH) return -1;
  if (part.depth === depth) {
    out.bytes.set(part.hash, outAt);
    return next + 1;
  }
  const frame = frames[depth] as (typeof frames)[number];
  const middle = foldCut(parts, next, depth + 1, frame.memory, LEFT);
  if (middle < 0) return -1;
  const end = foldCut(parts, middle, depth + 1, frame.memory, RIGHT);
  if (end >= 0) writeDigest(digest(frame.input), out, outAt);
  return end;
}

/** The entries of a part; undefined if the bytes are none. Nothing is checked against a hash here. */
export function entriesOfPart(bytes: Uint8Array): PartEntry[] | undefined {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const entries: PartEntry[] = [];
  for (let at = 0; at < view.length; ) {
    if (at + ENTRY_PREFIX_BYTES >= view.length) return undefined;
    const from = at + ENTRY_PREFIX_BYTES;
    const end = from + view.readUInt32BE(at);
    const keyBytes = view[from] as number;
    const valueAt = from + 1 + keyBytes;
    if (keyBytes === 0 || keyBytes > MAX_KEY_BYTES || valueAt >= end || end > view.length) return undefined;
    entries.push({
      row: bytes.subarray(from, end),
      rawKey: bytes.subarray(from + 1, valueAt),
      value: bytes.subarray(valueAt, end),
    });
    at = end;
  }
  return entries;
}

/** Bytes that a value's row takes in a part. */
export const entryBytes = (row: Uint8Array): number => ENTRY_PREFIX_BYTES + row.length;

/** Writes a value's row as an entry of a part; returns its end. */
export function writeEntry(row: Uint8Array, to: Buffer, at: number): number {
  to.writeUInt32BE(row.length, at);
  to.set(row, at + ENTRY_PREFIX_BYTES);
  return at + ENTRY_PREFIX_BYTES + row.length;
}

/** Hash of the node at `depth` above sorted leaves [lo, hi), whose keys and hashes lie `HASH_BYTES` apart. */
export function hashOfLeaves(
  keys: Memory,
  hashes: Memory,
  lo: number,
  hi: number,
  depth: number,
  out: Memory,
  outAt: number,
): void {
  if (hi === lo) out.bytes.fill(0, outAt, outAt + HASH_BYTES);
  else if (hi - lo === 1) copyHash(hashes, lo * HASH_BYTES, out, outAt);
  else {
    const middle = splitLeaves(keys, lo, hi, depth);
    const frame = frames[depth] as (typeof frames)[number];
    hashOfLeaves(keys, hashes, lo, middle, depth + 1, frame.memory, LEFT);
    hashOfLeaves(keys, hashes, middle, hi, depth + 1, frame.memory, RIGHT);
    writeDigest(digest(frame.input), out, outAt);
  }
}

/** First of the sorted leaves [lo, hi) whose key has bit `depth` set. */
export const splitLeaves = (keys: Memory, lo: number, hi: number, depth: number): number =>
  splitAt(keys.bytes, 0, HASH_BYTES, lo, hi, depth);
