/** The commitment by its definition, slow and direct: what the engine must agree with. */
import { createHash } from "node:crypto";

const sha256 = (...parts: Uint8Array[]): Buffer => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};

interface Leaf {
  readonly key: Buffer;
  readonly hash: Buffer;
}

function rootOf(leaves: readonly Leaf[], depth: number): Buffer {
  const [first] = leaves;
  if (first === undefined) return Buffer.alloc(32);
  if (leaves.length === 1) return first.hash;
  const isRight = (leaf: Leaf): boolean => (((leaf.key[depth >> 3] as number) >> (7 - (depth & 7))) & 1) === 1;
  const left = leaves.filter((leaf) => !isRight(leaf));
  return sha256(Uint8Array.of(1), rootOf(left, depth + 1), rootOf(leaves.filter(isRight), depth + 1));
}

/** Root of a map under the ICS-23 sparse Merkle spec. */
export function referenceRoot(map: ReadonlyMap<string, Uint8Array>): string {
  const leaves = [...map].map(([raw, value]) => {
    const key = sha256(Buffer.from(raw));
    return { key, hash: sha256(Uint8Array.of(0), key, sha256(value)) };
  });
  return rootOf(leaves, 0).toString("hex");
}
