/**
 * A sparse Merkle tree straight from its definition, for tests of whatever verifies proofs: slow, obvious, not the ledger's own.
 * Source: ICS-23 SmtSpec; design.md, "State".
 */
import { ics23, sha256 } from "@xinglin/crypto/pure";
import { type Bytes, compare, concat, utf8 } from "@xinglin/primitives";

interface Leaf {
  readonly key: Bytes;
  readonly value: Bytes;
  readonly treeKey: Bytes;
}

const bitOf = (leaf: Leaf, depth: number): number => ((leaf.treeKey[depth >> 3] as number) >> (7 - (depth & 7))) & 1;

/** A fixed state that proves what it holds and what it does not. */
export class TestState {
  readonly root: Bytes;
  readonly #leaves: Leaf[];

  constructor(entries: Readonly<Record<string, Bytes>>) {
    this.#leaves = Object.entries(entries).map(([name, value]) => ({ key: utf8(name), value, treeKey: sha256(utf8(name)) }));
    this.#leaves.sort((a, b) => compare(a.treeKey, b.treeKey));
    this.root = hashOf(this.#leaves, 0);
  }

  /** The value under `key`, if any, with the bytes of its proof, or of its absence. */
  prove(key: string): { key: string; value?: Bytes; proof: Bytes } {
    const treeKey = sha256(utf8(key));
    const found = this.#leaves.find((leaf) => compare(leaf.treeKey, treeKey) === 0);
    if (found !== undefined) return { key, value: found.value, proof: ics23.encodeProof({ exist: this.#exist(found) }) };
    const left = this.#leaves.findLast((leaf) => compare(leaf.treeKey, treeKey) < 0);
    const right = this.#leaves.find((leaf) => compare(leaf.treeKey, treeKey) > 0);
    const nonexist = {
      key: utf8(key),
      ...(left === undefined ? {} : { left: this.#exist(left) }),
      ...(right === undefined ? {} : { right: this.#exist(right) }),
    };
    return { key, proof: ics23.encodeProof({ nonexist }) };
  }

  #exist(leaf: Leaf): ics23.ExistenceProof {
    return { key: leaf.key, value: leaf.value, path: pathOf(this.#leaves, leaf, 0) };
  }
}

function hashOf(leaves: readonly Leaf[], depth: number): Bytes {
  const [only] = leaves;
  if (only === undefined) return ics23.EMPTY_ROOT;
  if (leaves.length === 1) return sha256(concat(Uint8Array.of(0), only.treeKey, sha256(only.value)));
  return sha256(concat(Uint8Array.of(1), side(leaves, depth, 0), side(leaves, depth, 1)));
}

const on = (leaves: readonly Leaf[], depth: number, bit: number): Leaf[] => leaves.filter((leaf) => bitOf(leaf, depth) === bit);
const side = (leaves: readonly Leaf[], depth: number, bit: number): Bytes => hashOf(on(leaves, depth, bit), depth + 1);

function pathOf(leaves: readonly Leaf[], leaf: Leaf, depth: number): ics23.InnerOp[] {
  if (leaves.length === 1) return [];
  const bit = bitOf(leaf, depth);
  const sibling = side(leaves, depth, 1 - bit);
  const op =
    bit === 0
      ? { prefix: Uint8Array.of(1), suffix: sibling }
      : { prefix: concat(Uint8Array.of(1), sibling), suffix: new Uint8Array(0) };
  return [...pathOf(on(leaves, depth, bit), leaf, depth + 1), op];
}
