/**
 * The binary tree inside a leaf page. It is not stored: two neighbouring leaves part at one node, so the hashes of all nodes with two
 * non-empty children fit in one slot a leaf, that of the node which parts it from the leaf before. A node with one empty child is
 * hashed again when it is met, which is seldom.
 */
import {
  bitAt,
  copyHash,
  digest,
  type Frame,
  HASH_BYTES,
  INNER_DOMAIN,
  LEFT,
  type Memory,
  makeFrame,
  RIGHT,
  sharedBits,
  splitAt,
  writeDigest,
  zeroHash,
} from "./memory.ts";

/** One leaf in memory: tree key, leaf hash, hash of the node that parts it from the leaf before, value id. */
export const LEAF_BYTES = 104;
export const HASH_AT = 32;
const GAP_AT = 64;
export const VALUE_ID_AT = 96;

/** One for each depth, so that a node's children are written straight to where it is hashed. */
const frames: Frame[] = Array.from({ length: 8 * HASH_BYTES + 1 }, () => makeFrame(INNER_DOMAIN));

// The page at work. Kept here rather than passed down, since every node of every block comes through.
let memory: Memory;
let base = 0;
/** Tree keys of the rows that changed. */
let changed: Uint8Array;

const ALL = -1;

/** See `LeafPages.hash`. */
export function hashLeaves(
  page: Memory,
  pageBase: number,
  count: number,
  depth: number,
  out: Memory,
  outAt: number,
  changedKeys: Uint8Array | undefined,
  lo: number,
  hi: number,
): void {
  memory = page;
  base = pageBase;
  if (count === 0) zeroHash(out, outAt);
  else if (changedKeys === undefined) hashNode(0, count, depth, 0, ALL, out, outAt);
  else {
    changed = changedKeys;
    hashNode(0, count, depth, lo, hi, out, outAt);
  }
}

/** See `LeafPages.siblings`. */
export function siblingsOfLeaf(
  page: Memory,
  pageBase: number,
  count: number,
  index: number,
  depth: number,
  emit: (hash: Memory, at: number) => void,
): void {
  memory = page;
  base = pageBase;
  const scratch = (frames[0] as Frame).memory;
  let lo = 0;
  let hi = count;
  for (let d = depth; hi - lo > 1; d++) {
    const middle = splitAt(memory.bytes, base, LEAF_BYTES, lo, hi, d);
    const [from, to] = index < middle ? [middle, hi] : [lo, middle];
    if (from === to) zeroHash(scratch, LEFT);
    else if (to - from === 1) copyHash(memory, base + from * LEAF_BYTES + HASH_AT, scratch, LEFT);
    else unchangedNode(from, to, d + 1, scratch, LEFT);
    emit(scratch, LEFT);
    if (index < middle) hi = middle;
    else lo = middle;
  }
}

/** Hash of the non-empty subtree at `depth` that holds leaves [lo, hi); changed keys are rows [from, to), all leaves if `to` is `ALL`. */
function hashNode(lo: number, hi: number, depth: number, from: number, to: number, out: Memory, outAt: number): void {
  if (hi - lo === 1) {
    copyHash(memory, base + lo * LEAF_BYTES + HASH_AT, out, outAt);
    return;
  }
  if (from === to) {
    unchangedNode(lo, hi, depth, out, outAt);
    return;
  }
  const middle = splitAt(memory.bytes, base, LEAF_BYTES, lo, hi, depth);
  const parted = to === ALL ? ALL : splitAt(changed, 0, HASH_BYTES, from, to, depth);
  const frame = frames[depth] as Frame;
  if (middle > lo) hashNode(lo, middle, depth + 1, from, parted, frame.memory, LEFT);
  else zeroHash(frame.memory, LEFT);
  if (middle < hi) hashNode(middle, hi, depth + 1, to === ALL ? from : parted, to, frame.memory, RIGHT);
  else zeroHash(frame.memory, RIGHT);
  writeDigest(digest(frame.input), out, outAt);
  if (middle > lo && middle < hi) copyHash(out, outAt, memory, base + middle * LEAF_BYTES + GAP_AT);
}

/** Hash of a subtree of two leaves or more that did not change: that of the node where they part, lifted to `depth`. */
function unchangedNode(lo: number, hi: number, depth: number, out: Memory, outAt: number): void {
  const { bytes } = memory;
  const first = base + lo * LEAF_BYTES;
  const parting = sharedBits(bytes, first, bytes, base + (hi - 1) * LEAF_BYTES);
  const middle = splitAt(bytes, base, LEAF_BYTES, lo, hi, parting);
  copyHash(memory, base + middle * LEAF_BYTES + GAP_AT, out, outAt);
  for (let d = parting - 1; d >= depth; d--) {
    const frame = frames[d] as Frame;
    const isRight = bitAt(bytes, first, d) === 1;
    copyHash(out, outAt, frame.memory, isRight ? RIGHT : LEFT);
    zeroHash(frame.memory, isRight ? LEFT : RIGHT);
    writeDigest(digest(frame.input), out, outAt);
  }
}
