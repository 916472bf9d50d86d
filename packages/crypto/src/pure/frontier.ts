/**
 * The right edge of an append-only Merkle tree: enough to append and to know the root, at 32 bytes for each bit of the size.
 * Its root is that of `merkle.root` over the same leaves.
 * Source: RFC 6962 section 2.1; design.md, "Audit log".
 */
import { type Bytes, invariant } from "@xinglin/primitives";
import { nodeHash } from "./merkle.ts";
import { type Sha256, sha256 } from "./sha256.ts";

/** `nodes` are the roots of the complete subtrees that make up the tree, largest (leftmost) first: one for each 1 bit of `size`. */
export interface Frontier {
  readonly size: number;
  readonly nodes: readonly Bytes[];
}

/** The frontier of a tree without leaves. */
export const EMPTY_FRONTIER: Frontier = { size: 0, nodes: [] };

/** The frontier with one more leaf, given as its `leafHash`. The old frontier stays as it was. */
export function append(frontier: Frontier, leafHash: Bytes, hash: Sha256 = sha256): Frontier {
  invariant(isFrontier(frontier), "frontier: nodes do not fit the size");
  const nodes = [...frontier.nodes];
  let node = leafHash;
  for (let rest = frontier.size; rest % 2 === 1; rest = (rest - 1) / 2) node = nodeHash(nodes.pop() as Bytes, node, hash);
  nodes.push(node);
  return { size: frontier.size + 1, nodes };
}

/** The root of the tree that the frontier belongs to. */
export function rootOf(frontier: Frontier, hash: Sha256 = sha256): Bytes {
  invariant(isFrontier(frontier), "frontier: nodes do not fit the size");
  if (frontier.nodes.length === 0) return hash(new Uint8Array(0));
  return frontier.nodes.reduceRight((right, left) => nodeHash(left, right, hash));
}

/** Whether the number of nodes fits the size, for frontiers that were read from storage. */
export function isFrontier(frontier: Frontier): boolean {
  if (!Number.isSafeInteger(frontier.size) || frontier.size < 0) return false;
  let ones = 0;
  for (let rest = frontier.size; rest > 0; rest = Math.floor(rest / 2)) ones += rest % 2;
  return ones === frontier.nodes.length && frontier.nodes.every((node) => node.length === 32);
}
