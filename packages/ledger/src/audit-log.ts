/**
 * The append-only log of everything that was decided: entries by sequence number, and for each epoch a Merkle tree over them.
 *
 * Of a tree the database keeps the leaf hashes in tiles of 256 and the root of every complete subtree of 256 leaves or more, as it
 * falls out of appending; what lies below is hashed again when a proof is asked for. So an entry costs 32 bytes beside its own, and
 * a proof at most two tiles and one read a level. The leaf hashes of the tile that is being filled stay in memory.
 * Source: design.md, "Audit log"; RFC 6962 section 2.1; C2SP tlog-tiles (the shape of tiles).
 */
import { type Change, keys, type StateReader } from "@xinglin/contracts";
import { nodeSha256 } from "@xinglin/crypto/node";
import { merkle } from "@xinglin/crypto/pure";
import { type Bytes, cbor, invariant, Recent } from "@xinglin/primitives";
import type { BatchOperation } from "@xinglin/state";
import { type Joined, joinedLeaf, readJoined, TILE_LEAVES, TILE_LEVEL } from "./joined.ts";
import { close, decodeClosedLog, decodeLogHead, grown, type LogHead } from "./log-head.ts";
import { storageKeys } from "./storage-keys.ts";

/** Tiles that are kept after a proof needed them: 8 KiB each. */
const CACHED_TILES = 64;

/** Reads of what this log wrote to the database. */
export type ReadStored = (key: Bytes) => Bytes | undefined;

/** Where an entry stands. */
export interface LogPlace {
  readonly epoch: number;
  readonly index: number;
  /** Sequence number of the epoch's first entry. */
  readonly first: number;
}

/** A block's entries, appended but not yet committed. */
export interface Appended {
  readonly head: LogHead;
  /** Places of the entries, in order. */
  readonly places: readonly LogPlace[];
  readonly changes: readonly Change[];
  readonly stored: readonly BatchOperation[];
  readonly openTile: readonly Bytes[];
  readonly closedFirsts: readonly number[];
}

export class AuditLog {
  readonly #read: ReadStored;
  readonly #joined: Joined | undefined;
  #head: LogHead;
  /** Leaf hashes of the open epoch behind its last full tile. */
  #openTile: readonly Bytes[] = [];
  /** First sequence number of each epoch, the open one last. */
  readonly #firsts: number[];
  readonly #tiles = new Recent<string, readonly Bytes[]>(CACHED_TILES);

  /** The log as the committed state and the database hold it. Cost: one read a closed epoch, and of at most 255 entries. */
  constructor(state: StateReader, read: ReadStored) {
    this.#read = read;
    this.#joined = readJoined(read);
    this.#head = decodeLogHead(state.get(keys.log));
    this.#firsts = [];
    for (let epoch = 0; epoch < this.#head.epoch; epoch++) {
      const closed = state.get(keys.closedLog(epoch));
      invariant(closed !== undefined, "log: a closed epoch is missing from the state");
      this.#firsts.push(decodeClosedLog(closed).first);
    }
    this.#firsts.push(this.#head.first);
    const { first, size } = this.#head;
    const open = size % TILE_LEAVES;
    this.#openTile = this.#leavesOfEntries(first + size - open, open);
  }

  /** Entries over all epochs. */
  get length(): number {
    return this.#head.first + this.#head.size;
  }

  /** Sequence number of the oldest entry that is here: above 0 on a node that joined by a snapshot. */
  get oldest(): number {
    return this.#joined?.sequence ?? 0;
  }

  /** Leaf hashes of the open epoch behind its last full tile. */
  get openLeaves(): readonly Bytes[] {
    return this.#openTile;
  }

  /** The bytes of an entry, if there is one at `sequence`. */
  entry(sequence: number): Bytes | undefined {
    return sequence < this.length ? this.#read(storageKeys.entry(sequence)) : undefined;
  }

  /** Epoch and index of an entry. */
  place(sequence: number): LogPlace {
    let epoch = this.#firsts.length - 1;
    while (epoch > 0 && (this.#firsts[epoch] as number) > sequence) epoch--;
    const first = this.#firsts[epoch] as number;
    return { epoch, index: sequence - first, first };
  }

  /** The log with these entries behind it; nothing is kept until `adopt`. An epoch closes when it has `epochEntries`. */
  append(entries: readonly Bytes[], epochEntries: number): Appended {
    const places: LogPlace[] = [];
    const changes: Change[] = [];
    const stored: BatchOperation[] = [];
    const closedFirsts: number[] = [];
    let head = this.#head;
    let size = head.size;
    let nodes = [...head.frontier];
    let tile = [...this.#openTile];
    for (const [i, entry] of entries.entries()) {
      if (size >= epochEntries) {
        const closed = close(grown(head, { size, nodes }));
        changes.push(closed.change);
        closedFirsts.push(closed.next.first);
        head = closed.next;
        size = 0;
        nodes = [];
        tile = [];
      }
      places.push({ epoch: head.epoch, index: size, first: head.first });
      stored.push({ type: "put", key: storageKeys.entry(this.length + i), value: entry });
      let node = merkle.leafHash(entry, nodeSha256);
      tile.push(node);
      size++;
      for (let level = 1; size % 2 ** level === 0; level++) {
        node = merkle.nodeHash(nodes.pop() as Bytes, node, nodeSha256);
        const value = node;
        if (level >= TILE_LEVEL)
          stored.push({ type: "put", key: storageKeys.logNode(head.epoch, level, size / 2 ** level - 1), value });
      }
      nodes.push(node);
      if (tile.length === TILE_LEAVES) {
        const key = storageKeys.logTile(head.epoch, size / TILE_LEAVES - 1);
        stored.push({ type: "put", key, value: Buffer.concat(tile) });
        tile = [];
      }
    }
    head = grown(head, { size, nodes });
    if (entries.length > 0) changes.push({ key: keys.log, value: cbor.encode(head) });
    return { head, places, changes, stored, openTile: tile, closedFirsts };
  }

  /** Goes on from `appended`, which is committed now. */
  adopt(appended: Appended): void {
    this.#head = appended.head;
    this.#openTile = appended.openTile;
    this.#firsts.push(...appended.closedFirsts);
  }

  /** The path of entry `index` of `epoch` (whose first entry is `first`) under the root over `size` entries of it. */
  path(place: LogPlace, size: number): Bytes[] {
    const { epoch, index, first } = place;
    invariant(index < size, "log: the entry is not under this root");
    const tree = { epoch, first };
    const path: Bytes[] = [];
    // From the whole tree down to the leaf, each step notes the half that the leaf is not in.
    for (let from = 0, to = size; to - from > 1; ) {
      const middle = from + largestPowerBelow(to - from);
      const left = index < middle;
      path.push(left ? this.#rangeHash(tree, middle, to) : this.#rangeHash(tree, from, middle));
      if (left) to = middle;
      else from = middle;
    }
    return path.reverse();
  }

  /** The hash over the leaves `from`..`to` of a tree, where `from` is a multiple of the largest power of two within the range. */
  #rangeHash(tree: Tree, from: number, to: number): Bytes {
    const size = to - from;
    if (Number.isInteger(Math.log2(size))) return this.#node(tree, Math.log2(size), from / size);
    const middle = from + largestPowerBelow(size);
    return merkle.nodeHash(this.#rangeHash(tree, from, middle), this.#rangeHash(tree, middle, to), nodeSha256);
  }

  /** The root of a complete subtree of 2^level leaves. */
  #node(tree: Tree, level: number, index: number): Bytes {
    if (level < TILE_LEVEL) {
      const from = index * 2 ** level;
      const tile = this.#tile(tree, Math.floor(from / TILE_LEAVES));
      return merkle.rootOfHashes(tile.slice(from % TILE_LEAVES, (from % TILE_LEAVES) + 2 ** level), nodeSha256);
    }
    const stored = this.#read(storageKeys.logNode(tree.epoch, level, index));
    invariant(stored !== undefined, "log: a complete subtree is missing");
    return stored;
  }

  /** Leaf hashes of one tile: stored if it is full, else hashed from the entries. */
  #tile(tree: Tree, number: number): readonly Bytes[] {
    const isOpen = tree.epoch === this.#head.epoch && number === Math.floor(this.#head.size / TILE_LEAVES);
    if (isOpen) return this.#openTile;
    const name = `${tree.epoch}/${number}`;
    const known = this.#tiles.get(name);
    if (known !== undefined) return known;
    const stored = this.#read(storageKeys.logTile(tree.epoch, number));
    const leaves = stored === undefined ? this.#lastTile(tree, number) : split(stored);
    this.#tiles.set(name, leaves);
    return leaves;
  }

  /** The tile at the end of a closed epoch, which never became full. */
  #lastTile(tree: Tree, number: number): readonly Bytes[] {
    const from = tree.first + number * TILE_LEAVES;
    const end = this.#firsts[tree.epoch + 1];
    invariant(end !== undefined && from < end && end - from < TILE_LEAVES, "log: a full tile is missing");
    return this.#leavesOfEntries(from, end - from);
  }

  #leavesOfEntries(from: number, count: number): Bytes[] {
    return Array.from({ length: count }, (_, i) => {
      const known = this.#joined && joinedLeaf(this.#joined, from + i);
      if (known !== undefined) return known;
      const entry = this.#read(storageKeys.entry(from + i));
      invariant(entry !== undefined, "log: an entry is missing");
      return merkle.leafHash(entry, nodeSha256);
    });
  }
}

interface Tree {
  readonly epoch: number;
  readonly first: number;
}

/** The largest power of two that is less than `size`, which is at least 2. */
const largestPowerBelow = (size: number): number => 2 ** (Math.ceil(Math.log2(size)) - 1);

function split(stored: Bytes): Bytes[] {
  const leaves: Bytes[] = [];
  for (let at = 0; at < stored.length; at += 32) leaves.push(stored.subarray(at, at + 32));
  return leaves;
}
