/**
 * What a node keeps of the log before the snapshot by which it joined the chain: enough to append and to prove what comes after.
 * Source: design.md, "Audit log"; RFC 6962 section 2.1.
 */
import { type Bytes, cbor, type Infer, schema } from "@xinglin/primitives";
import type { BatchOperation } from "@xinglin/state";
import type { LogHead } from "./log-head.ts";
import { storageKeys } from "./storage-keys.ts";

const HASH_BYTES = 32;
/** A tile holds 2^8 leaf hashes; roots of complete subtrees are kept from this level on. */
export const TILE_LEVEL = 8;
export const TILE_LEAVES: number = 1 << TILE_LEVEL;

const joinedShape = schema.object({
  /** Height of the snapshot: blocks, results and light blocks up to it are not here. */
  height: schema.uint(),
  /** Entries before it, which are not here. */
  sequence: schema.uint(),
  /** Leaf hashes of the entries behind the last full tile of the epoch that was open. */
  leaves: schema.bytes(0, HASH_BYTES * (TILE_LEAVES - 1)),
});
export type Joined = Infer<typeof joinedShape>;

/** How this node joined; undefined if it has the whole chain. */
export function readJoined(read: (key: Bytes) => Bytes | undefined): Joined | undefined {
  const bytes = read(storageKeys.joined);
  return bytes === undefined ? undefined : joinedShape.parse(cbor.decodeTrusted(bytes));
}

/** The rows from which a node goes on with a log of this head. `leaves` are the leaf hashes of its open tile. */
export function joiningRows(height: number, head: LogHead, leaves: Bytes): BatchOperation[] {
  const joined: Joined = { height, sequence: head.first + head.size, leaves };
  const rows: BatchOperation[] = [{ type: "put", key: storageKeys.joined, value: cbor.encode(joined) }];
  let before = 0;
  for (const [i, level] of levelsOf(head.size).entries()) {
    const node = head.frontier[i] as Bytes;
    if (level >= TILE_LEVEL) {
      rows.push({ type: "put", key: storageKeys.logNode(head.epoch, level, before / 2 ** level), value: node });
    }
    before += 2 ** level;
  }
  return rows;
}

/** The rows that go when what was taken in is given up. */
export const LEAVING_ROWS: readonly BatchOperation[] = [
  { type: "del", key: storageKeys.joined },
  { type: "del", key: storageKeys.retained },
];

/** Levels of the complete subtrees that make up a tree of `size` leaves, the largest first. */
export function levelsOf(size: number): number[] {
  const levels: number[] = [];
  for (let level = 52; level >= 0; level--) if (Math.floor(size / 2 ** level) % 2 === 1) levels.push(level);
  return levels;
}

/** The hash of the leaf of entry `sequence`, if it is among those that are kept. */
export function joinedLeaf({ sequence: end, leaves }: Joined, sequence: number): Bytes | undefined {
  const at = leaves.length - HASH_BYTES * (end - sequence);
  return sequence < end && at >= 0 ? leaves.slice(at, at + HASH_BYTES) : undefined;
}
