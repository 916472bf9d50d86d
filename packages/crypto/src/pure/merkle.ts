/**
 * Merkle trees as in Certificate Transparency: leaves and nodes are hashed apart, any number of leaves is fine. CometBFT hashes headers,
 * commits and parts with the same tree; record batches, share commitments and the audit log use it too.
 * Source: RFC 6962 section 2.1; RFC 9162 section 2.1.3.2 (verification).
 */
import { type Bytes, equal, invariant } from "@xinglin/primitives";
import { type Sha256, sha256 } from "./sha256.ts";

const HASH_BYTES = 32;

/** The hash of a leaf's bytes: SHA-256(0x00, leaf). */
export function leafHash(leaf: Bytes, hash: Sha256 = sha256): Bytes {
  const preimage = new Uint8Array(1 + leaf.length);
  preimage.set(leaf, 1);
  return hash(preimage);
}

/** The hash of an inner node: SHA-256(0x01, left, right). */
export function nodeHash(left: Bytes, right: Bytes, hash: Sha256 = sha256): Bytes {
  const preimage = new Uint8Array(1 + 2 * HASH_BYTES);
  preimage[0] = 1;
  preimage.set(left, 1);
  preimage.set(right, 1 + HASH_BYTES);
  return hash(preimage);
}

/** The root over the bytes of `leaves`, in order. Of none: SHA-256 of nothing. */
export const root = (leaves: readonly Bytes[], hash: Sha256 = sha256): Bytes => {
  const hashes = leaves.map((leaf) => leafHash(leaf, hash));
  return rootOfHashes(hashes, hash);
};

/** The root over leaves that `leafHash` has hashed already. */
export function rootOfHashes(leafHashes: readonly Bytes[], hash: Sha256 = sha256): Bytes {
  let level = leafHashes;
  while (level.length > 1) level = above(level, hash);
  return level[0] ?? hash(new Uint8Array(0));
}

/** A tree whose every level is kept, to take many paths from it. Memory: two hashes a leaf. */
export interface Tree {
  readonly root: Bytes;
  readonly size: number;
  /** The path of leaf `index`, from its sibling upwards; throws a `Bug` outside the tree. */
  path(index: number): Bytes[];
}

/** Builds the tree over leaf hashes once; each path then costs only its length. */
export function treeOfHashes(leafHashes: readonly Bytes[], hash: Sha256 = sha256): Tree {
  const levels: (readonly Bytes[])[] = [leafHashes];
  for (let level = leafHashes; level.length > 1; ) {
    level = above(level, hash);
    levels.push(level);
  }
  const path = (index: number): Bytes[] => {
    invariant(Number.isSafeInteger(index) && index >= 0 && index < leafHashes.length, "merkle: index outside the tree");
    const out: Bytes[] = [];
    levels.forEach((level, depth) => {
      // The last node of an odd level has no sibling: it moves up as it is.
      const sibling = level[Math.floor(index / 2 ** depth) ^ 1];
      if (sibling !== undefined && level.length > 1) out.push(sibling);
    });
    return out;
  };
  return { root: levels.at(-1)?.[0] ?? hash(new Uint8Array(0)), size: leafHashes.length, path };
}

/** The path that proves leaf `index` of `leaves`, from its sibling upwards. Cost: the whole tree; for many paths use `treeOfHashes`. */
export const inclusionProof = (leaves: readonly Bytes[], index: number, hash: Sha256 = sha256): Bytes[] =>
  treeOfHashes(
    leaves.map((leaf) => leafHash(leaf, hash)),
    hash,
  ).path(index);

/**
 * Whether `leaf` stands at `index` of the tree of `size` leaves with this root. False for any other length of path. A root does not bind
 * its size, so take both from one authenticated place.
 */
export function verifyInclusion(
  leaf: Bytes,
  index: number,
  size: number,
  path: readonly Bytes[],
  expected: Bytes,
  hash: Sha256 = sha256,
): boolean {
  return verifyInclusionOfHash(leafHash(leaf, hash), index, size, path, expected, hash);
}

/** As `verifyInclusion`, of a leaf that is hashed already. */
export function verifyInclusionOfHash(
  leaf: Bytes,
  index: number,
  size: number,
  path: readonly Bytes[],
  expected: Bytes,
  hash: Sha256 = sha256,
): boolean {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) return false;
  // Numbers reach 2^53, so halving is done by division: shifts cut at 32 bits.
  let at = index;
  let last = size - 1;
  let node = leaf;
  for (const sibling of path) {
    if (last === 0 || sibling.length !== HASH_BYTES) return false;
    if (at % 2 === 1 || at === last) {
      node = nodeHash(sibling, node, hash);
      while (at % 2 === 0 && at !== 0) {
        at /= 2;
        last = Math.floor(last / 2);
      }
    } else node = nodeHash(node, sibling, hash);
    at = Math.floor(at / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && equal(node, expected);
}

/** One level up: pairs are hashed, an odd last node moves up as it is. */
function above(level: readonly Bytes[], hash: Sha256): Bytes[] {
  const out: Bytes[] = new Array(Math.ceil(level.length / 2));
  for (let i = 0; i < out.length; i++) {
    const left = level[2 * i] as Bytes;
    const right = level[2 * i + 1];
    out[i] = right === undefined ? left : nodeHash(left, right, hash);
  }
  return out;
}
