/** A sparse Merkle tree by its definition, for tests: slow, obvious, and able to prove presence and absence. */
import { type Bytes, compare, concat } from "@xinglin/primitives";
import type { ExistenceProof, InnerOp } from "../../src/pure/ics23.ts";
import { sha256 } from "../../src/pure/sha256.ts";

interface Leaf {
  readonly key: Bytes;
  readonly value: Bytes;
  readonly treeKey: Bytes;
}
export interface TestTree {
  readonly root: Bytes;
  /** In the order of the tree. */
  readonly leaves: readonly Leaf[];
}

const EMPTY = new Uint8Array(32);
const bitOf = (leaf: Leaf, depth: number): number => ((leaf.treeKey[depth >> 3] as number) >> (7 - (depth & 7))) & 1;

function hashOf(leaves: readonly Leaf[], depth: number): Bytes {
  const [only] = leaves;
  if (only === undefined) return EMPTY;
  if (leaves.length === 1) return sha256(concat(Uint8Array.of(0), only.treeKey, sha256(only.value)));
  const side = (bit: number): Bytes =>
    hashOf(
      leaves.filter((leaf) => bitOf(leaf, depth) === bit),
      depth + 1,
    );
  return sha256(concat(Uint8Array.of(1), side(0), side(1)));
}

export function buildTree(entries: readonly (readonly [Bytes, Bytes])[]): TestTree {
  const leaves = entries.map(([key, value]) => ({ key, value, treeKey: sha256(key) }));
  leaves.sort((a, b) => compare(a.treeKey, b.treeKey));
  return { root: hashOf(leaves, 0), leaves };
}

function prove(leaves: readonly Leaf[], leaf: Leaf, depth: number): InnerOp[] {
  if (leaves.length === 1) return [];
  const bit = bitOf(leaf, depth);
  const own = leaves.filter((other) => bitOf(other, depth) === bit);
  const sibling = hashOf(
    leaves.filter((other) => bitOf(other, depth) !== bit),
    depth + 1,
  );
  const op =
    bit === 0
      ? { prefix: Uint8Array.of(1), suffix: sibling }
      : { prefix: concat(Uint8Array.of(1), sibling), suffix: new Uint8Array(0) };
  return [...prove(own, leaf, depth + 1), op];
}

export function presence(tree: TestTree, key: Bytes): { exist: ExistenceProof } {
  const leaf = tree.leaves.find((other) => compare(other.key, key) === 0);
  if (leaf === undefined) throw new Error("test: the key is absent");
  return { exist: { key: leaf.key, value: leaf.value, path: prove(tree.leaves, leaf, 0) } };
}

export function absence(tree: TestTree, key: Bytes): { nonexist: { key: Bytes; left?: ExistenceProof; right?: ExistenceProof } } {
  const treeKey = sha256(key);
  const left = tree.leaves.findLast((leaf) => compare(leaf.treeKey, treeKey) < 0);
  const right = tree.leaves.find((leaf) => compare(leaf.treeKey, treeKey) > 0);
  return {
    nonexist: {
      key,
      ...(left === undefined ? {} : { left: presence(tree, left.key).exist }),
      ...(right === undefined ? {} : { right: presence(tree, right.key).exist }),
    },
  };
}
