/**
 * ICS-23 proofs of presence and absence under the standard's own SmtSpec: tree key = SHA-256(raw key), leaf = H(0x00, H(key), H(value)),
 * inner = H(0x01, left, right), an empty subtree is 32 zero bytes. Proofs carry raw keys.
 *
 * Stricter than the reference: inner operations have exactly the two shapes above, a leaf's path follows the bits of its tree key, and
 * bytes have one form. Wider in one case: an empty tree (root of zeros) proves every absence, without neighbours.
 * Source: ICS-23 (github.com/cosmos/ics23), SmtSpec; design.md, "State".
 */
import { type Bytes, compare, concat, equal, Fault } from "@xinglin/primitives";
import { bytesField, decodeCanonical, intField, messageField, nested, type Reader } from "./protobuf.ts";
import { sha256 } from "./sha256.ts";

/** A step from a node to its parent: `prefix`, node, `suffix` are hashed. */
export interface InnerOp {
  readonly prefix: Bytes;
  readonly suffix: Bytes;
}

/** A leaf and its way to the root. The leaf operation is fixed by the SmtSpec, so it is not repeated here. */
export interface ExistenceProof {
  readonly key: Bytes;
  readonly value: Bytes;
  readonly path: readonly InnerOp[];
}

/** An absence is shown by the neighbours between which the key would stand; only at the edges of the tree one may be missing. */
export interface NonExistenceProof {
  readonly key: Bytes;
  readonly left?: ExistenceProof;
  readonly right?: ExistenceProof;
}

/** A proof of presence or of absence. */
export type CommitmentProof = { readonly exist: ExistenceProof } | { readonly nonexist: NonExistenceProof };

/** The root of a tree without leaves, and the hash of an empty subtree. */
export const EMPTY_ROOT: Bytes = new Uint8Array(32);

const HASH_BYTES = 32;
const MAX_DEPTH = 256;
const SHA256_OP = 1;
const INNER_PREFIX = 1;

/** Whether `proof` shows that the tree with this root holds `value` under `key`. */
export function verifyMembership(root: Bytes, proof: CommitmentProof, key: Bytes, value: Bytes): boolean {
  if (!("exist" in proof)) return false;
  return equal(proof.exist.key, key) && equal(proof.exist.value, value) && leadsTo(root, proof.exist);
}

/** Whether `proof` shows that the tree with this root holds nothing under `key`. */
export function verifyNonMembership(root: Bytes, proof: CommitmentProof, key: Bytes): boolean {
  if (!("nonexist" in proof) || key.length === 0 || !equal(proof.nonexist.key, key)) return false;
  const { left, right } = proof.nonexist;
  const at = sha256(key);
  if (left !== undefined && !(leadsTo(root, left) && compare(sha256(left.key), at) < 0)) return false;
  if (right !== undefined && !(leadsTo(root, right) && compare(at, sha256(right.key)) < 0)) return false;
  if (left !== undefined && right !== undefined) return adjacent(left.path, right.path);
  if (left !== undefined) return left.path.every(isRightEdge);
  if (right !== undefined) return right.path.every(isLeftEdge);
  return equal(root, EMPTY_ROOT);
}

/** The root that an existence proof leads to, or undefined if the proof does not follow the spec. */
export function rootOfExistence(proof: ExistenceProof): Bytes | undefined {
  const { key, value, path } = proof;
  if (key.length === 0 || value.length === 0 || path.length > MAX_DEPTH) return undefined;
  const treeKey = sha256(key);
  let node = sha256(concat(Uint8Array.of(0), treeKey, sha256(value)));
  for (let i = 0; i < path.length; i++) {
    const op = path[i] as InnerOp;
    if (!isLeftChild(op) && !isRightChild(op)) return undefined;
    const depth = path.length - 1 - i;
    const bit = ((treeKey[depth >> 3] as number) >> (7 - (depth & 7))) & 1;
    if (bit !== Number(isRightChild(op))) return undefined;
    node = sha256(concat(op.prefix, node, op.suffix));
  }
  return node;
}

function leadsTo(root: Bytes, proof: ExistenceProof): boolean {
  const reached = rootOfExistence(proof);
  return reached !== undefined && equal(reached, root);
}

// The node is a left child if its sibling stands in the suffix, a right child if the sibling stands in the prefix.
const isLeftChild = (op: InnerOp): boolean =>
  op.prefix.length === 1 && op.prefix[0] === INNER_PREFIX && op.suffix.length === HASH_BYTES;
const isRightChild = (op: InnerOp): boolean =>
  op.prefix.length === 1 + HASH_BYTES && op.prefix[0] === INNER_PREFIX && op.suffix.length === 0;

// On an edge every step goes one way, except where the sibling on the far side is empty.
const isLeftEdge = (op: InnerOp): boolean => isLeftChild(op) || equal(op.prefix.subarray(1), EMPTY_ROOT);
const isRightEdge = (op: InnerOp): boolean => isRightChild(op) || equal(op.suffix, EMPTY_ROOT);

/** Whether nothing stands between two leaves: they part as left and right child of one node, and below it hug the gap. */
function adjacent(left: readonly InnerOp[], right: readonly InnerOp[]): boolean {
  let l = left.length - 1;
  let r = right.length - 1;
  const same = (a: InnerOp, b: InnerOp): boolean => equal(a.prefix, b.prefix) && equal(a.suffix, b.suffix);
  while (l >= 0 && r >= 0 && same(left[l] as InnerOp, right[r] as InnerOp)) {
    l--;
    r--;
  }
  if (l < 0 || r < 0) return false;
  if (!isLeftChild(left[l] as InnerOp) || !isRightChild(right[r] as InnerOp)) return false;
  return left.slice(0, l).every(isRightEdge) && right.slice(0, r).every(isLeftEdge);
}

/** Protobuf bytes (`cosmos.ics23.v1.CommitmentProof`), accepted by the reference verifiers. */
export function encodeProof(proof: CommitmentProof): Bytes {
  if ("exist" in proof) return messageField(1, encodeExistence(proof.exist));
  const { key, left, right } = proof.nonexist;
  const parts = [bytesField(1, key)];
  if (left !== undefined) parts.push(messageField(2, encodeExistence(left)));
  if (right !== undefined) parts.push(messageField(3, encodeExistence(right)));
  return messageField(2, concat(...parts));
}

/** The proof in these bytes. Throws `Fault("malformed")` on anything that `encodeProof` would not write, other leaf operations included. */
export const decodeProof = (bytes: Bytes): CommitmentProof => decodeCanonical(bytes, readProof, encodeProof);

// LeafOp { hash, prehash_key, prehash_value: SHA256; length: NO_PREFIX (0, left out); prefix: 0x00 }
const LEAF_OP = concat(intField(1, SHA256_OP), intField(2, SHA256_OP), intField(3, SHA256_OP), bytesField(5, Uint8Array.of(0)));

const encodeExistence = (proof: ExistenceProof): Bytes =>
  concat(
    bytesField(1, proof.key),
    bytesField(2, proof.value),
    messageField(3, LEAF_OP),
    ...proof.path.map((op) =>
      messageField(4, concat(intField(1, SHA256_OP), bytesField(2, op.prefix), bytesField(3, op.suffix))),
    ),
  );

function readProof(reader: Reader): CommitmentProof {
  const exist = reader.message(1);
  if (exist !== undefined) return { exist: nested(exist, readExistence) };
  return {
    nonexist: nested(reader.message(2), (inner) => {
      const key = inner.bytes(1);
      const left = inner.message(2);
      const right = inner.message(3);
      return {
        key,
        ...(left === undefined ? {} : { left: nested(left, readExistence) }),
        ...(right === undefined ? {} : { right: nested(right, readExistence) }),
      };
    }),
  };
}

function readExistence(reader: Reader): ExistenceProof {
  const key = reader.bytes(1);
  const value = reader.bytes(2);
  if (!equal(reader.bytes(3), LEAF_OP)) throw new Fault("malformed", { reason: "ics23_leaf_op" });
  const path = reader.list(4, MAX_DEPTH).map((bytes) => nested(bytes, readInner));
  return { key, value, path };
}

function readInner(reader: Reader): InnerOp {
  if (reader.int(1) !== SHA256_OP) throw new Fault("malformed", { reason: "ics23_inner_op" });
  return { prefix: reader.bytes(2), suffix: reader.bytes(3) };
}
