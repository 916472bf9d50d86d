/**
 * The changes of one block in tree order, as flat arrays: what the tree applies, and what it then knows of each change.
 */
import { Fault } from "@xinglin/primitives";
import { MAX_KEY_BYTES, type StateChange } from "./contract.ts";
import {
  allocate,
  compareKeys,
  copyHash,
  digest,
  HASH_BYTES,
  LEAF_DOMAIN,
  LEFT,
  type Memory,
  makeFrame,
  RIGHT,
  writeDigest,
} from "./memory.ts";

/** A sorted run of entries that leaf pages apply: a put has a value id, a deletion has none (0). */
export interface Entries {
  readonly length: number;
  /** Tree keys, 32 bytes each. */
  readonly keys: Memory;
  /** Leaf hashes, 32 bytes each; zeros for a deletion. */
  readonly hashes: Memory;
  readonly valueIds: Float64Array;
}

const PUT = 1;
const DELETE = 0;
/** Not a change: the leaf page of this key is due to be written. */
const TOUCH = 2;

const frame = makeFrame(LEAF_DOMAIN);

/** Leaf hash of the tree key at `keyAt` with `value`. */
export function hashLeaf(keys: Memory, keyAt: number, value: Uint8Array, out: Memory, outAt: number): void {
  copyHash(keys, keyAt, frame.memory, LEFT);
  writeDigest(digest(value), frame.memory, RIGHT);
  writeDigest(digest(frame.input), out, outAt);
}

/** Throws `state_key_invalid` unless `key` is 1 to `MAX_KEY_BYTES` bytes of well-formed text. */
export function checkKey(key: string): void {
  // Three bytes a UTF-16 unit at most, so that short keys need no second look.
  const bytes = key.length * 3 <= MAX_KEY_BYTES ? key.length : Buffer.byteLength(key);
  if (bytes === 0 || bytes > MAX_KEY_BYTES || !key.isWellFormed())
    throw new Fault("state_key_invalid", { bytes, most: MAX_KEY_BYTES });
}

/** Changes of a block sorted by tree key, with room for touches, and per change the outcome that applying it found. */
export class Changes implements Entries {
  readonly length: number;
  readonly keys: Memory;
  readonly hashes: Memory;
  /** Set while applying, in order: ids of values written; 0 for deletions. */
  readonly valueIds: Float64Array;
  /** Id of the value that a change replaced; 0 if the key was absent. */
  readonly replaced: Float64Array;
  /** 1 for a change that changed something. */
  readonly effective: Uint8Array;
  readonly #kinds: Uint8Array;
  readonly #sources: (StateChange | undefined)[];

  private constructor(rows: number) {
    this.length = rows;
    this.keys = allocate(rows * HASH_BYTES);
    this.hashes = allocate(rows * HASH_BYTES);
    this.valueIds = new Float64Array(rows);
    this.replaced = new Float64Array(rows);
    this.effective = new Uint8Array(rows);
    this.#kinds = new Uint8Array(rows);
    this.#sources = new Array(rows);
  }

  /** Sorts `list`, last write of a key first kept, together with the tree keys of `touches` (32 bytes each). */
  static from(list: readonly StateChange[], touches: Uint8Array): Changes {
    const last = new Map<string, StateChange>();
    for (const change of list) {
      checkKey(change.key);
      if (change.value?.length === 0) throw new Fault("state_value_empty");
      last.set(change.key, change);
    }
    const distinct = [...last.values()];
    const rows = distinct.length + touches.length / HASH_BYTES;
    const unsorted = allocate(rows * HASH_BYTES);
    distinct.forEach((change, i) => {
      writeDigest(digest(change.key), unsorted, i * HASH_BYTES);
    });
    unsorted.bytes.set(touches, distinct.length * HASH_BYTES);
    const changes = new Changes(rows);
    sortedOrder(unsorted, rows).forEach((from, to) => {
      changes.#fill(to, unsorted, from, distinct[from]);
    });
    return changes;
  }

  #fill(to: number, keys: Memory, from: number, change: StateChange | undefined): void {
    const at = to * HASH_BYTES;
    copyHash(keys, from * HASH_BYTES, this.keys, at);
    this.#sources[to] = change;
    if (change === undefined) this.#kinds[to] = TOUCH;
    else if (change.value === null) this.#kinds[to] = DELETE;
    else {
      this.#kinds[to] = PUT;
      hashLeaf(this.keys, at, change.value, this.hashes, at);
    }
  }

  isPut(i: number): boolean {
    return this.#kinds[i] === PUT;
  }

  isTouch(i: number): boolean {
    return this.#kinds[i] === TOUCH;
  }

  /** The caller's change behind row `i`, which must not be a touch. */
  source(i: number): StateChange {
    return this.#sources[i] as StateChange;
  }
}

/** Order of tree keys by their first 32 bits in one numeric sort; equal prefixes, which are rare, are settled by the whole key. */
function sortedOrder(keys: Memory, rows: number): number[] {
  const ranks = new Float64Array(rows);
  const INDEX_RANGE = 2 ** 21;
  if (rows > INDEX_RANGE) throw new Fault("state_block_too_large", { changes: rows, most: INDEX_RANGE });
  for (let i = 0; i < rows; i++) ranks[i] = keys.bytes.readUInt32BE(i * HASH_BYTES) * INDEX_RANGE + i;
  ranks.sort();
  const order = Array.from(ranks, (rank) => rank % INDEX_RANGE);
  for (let i = 1; i < rows; i++) {
    for (let j = i; j > 0 && compareKeys(keys.bytes, order[j - 1]! * HASH_BYTES, keys.bytes, order[j]! * HASH_BYTES) > 0; j--) {
      [order[j - 1], order[j]] = [order[j]!, order[j - 1]!];
    }
  }
  return order;
}
