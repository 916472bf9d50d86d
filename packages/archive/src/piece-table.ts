/**
 * The public description of an object's pieces: their hashes, the code and who holds what. Its root is anchored, so anyone can audit
 * and repair without the key. It says nothing of the content but its size, rounded to stripes.
 * Source: design.md, "Archive"; RFC 6962 section 2.1.
 */
import { merkle } from "@xinglin/crypto/pure";
import { cbor, equal, Fault, type Infer, invariant, schema } from "@xinglin/primitives";
import { DIGEST_BYTES } from "./digest.ts";
import { CHUNK_BYTES, codeParameters, columnsOf, type Layout, MAX_STRIPES, MIN_CHUNK_BYTES } from "./layout.ts";
import { type Profile, profileMark, profileOf } from "./profile/profile.ts";
import { OBJECT_ID_BYTES, type ObjectReference } from "./reference.ts";

/** A store's name in tables and reports: short, public, given by the member. */
export const storeId = schema.text(64, /^[a-z0-9][a-z0-9-]*$/);

const header = schema.object({
  version: schema.uint(1, 1),
  objectId: schema.bytes(OBJECT_ID_BYTES),
  code: codeParameters,
  chunkBytes: schema.uint(CHUNK_BYTES, MIN_CHUNK_BYTES),
  stripes: schema.uint(MAX_STRIPES, 1),
  /** Store of each slot; slot (column + stripe) mod (k + m) holds a column. */
  placement: schema.list(storeId, 96, 1),
  profile: profileMark,
});
/** All of the table but the hashes: leaf 0 of the tree. */
export type TableHeader = Infer<typeof header>;

const document = schema.object({ header, leaves: schema.bytes(0, MAX_STRIPES * 96 * DIGEST_BYTES) });
/** Headers and 14 hashes for each of the most stripes. */
export const MAX_TABLE_BYTES = 800_000_000;

/** One piece proved against the root: what a possession audit hands out. Leaf 0 of the tree is the header. */
export interface PieceProof {
  readonly stripe: number;
  readonly column: number;
  /** Hashes from the leaf's sibling upwards. */
  readonly path: readonly Uint8Array[];
}

/** The piece table of one object. `leaves` holds the digest of each piece, by stripe, then column. */
export class PieceTable {
  readonly header: TableHeader;
  readonly leaves: Uint8Array;
  readonly profile: Profile;
  #root: Uint8Array | undefined;
  #tree: merkle.Tree | undefined;

  constructor(tableHeader: TableHeader, leaves: Uint8Array) {
    invariant(leaves.length === tableHeader.stripes * columnsOf(tableHeader) * DIGEST_BYTES, "one leaf a piece");
    this.header = tableHeader;
    this.leaves = leaves;
    this.profile = profileOf(tableHeader);
  }

  get layout(): Layout {
    return this.header;
  }

  /** Digest of the piece at `column` of `stripe`. */
  leaf(stripe: number, column: number): Uint8Array {
    const at = (stripe * columnsOf(this.header) + column) * DIGEST_BYTES;
    return this.leaves.subarray(at, at + DIGEST_BYTES);
  }

  /** Whether these bytes are that piece. Cost: one hash of them. */
  matches(stripe: number, column: number, piece: Uint8Array): boolean {
    const digest = this.profile.digest(piece);
    const at = (stripe * columnsOf(this.header) + column) * DIGEST_BYTES;
    for (let i = 0; i < DIGEST_BYTES; i++) if (this.leaves[at + i] !== digest[i]) return false;
    return true;
  }

  /** The anchored root. Cost: two hashes a piece, once. */
  get root(): Uint8Array {
    this.#root ??= this.#computeRoot();
    return this.#root;
  }

  /** The path that proves one piece. */
  prove(stripe: number, column: number): PieceProof {
    this.#tree ??= merkle.treeOfHashes([...this.#leafHashes()], this.profile.digest);
    return { stripe, column, path: this.#tree.path(1 + stripe * columnsOf(this.header) + column) };
  }

  encode(): Uint8Array {
    return cbor.encode({ header: this.header, leaves: this.leaves });
  }

  *#leafHashes(): Generator<Uint8Array> {
    const { digest } = this.profile;
    yield merkle.leafHash(cbor.encode(this.header), digest);
    for (let at = 0; at < this.leaves.length; at += DIGEST_BYTES)
      yield merkle.leafHash(this.leaves.subarray(at, at + DIGEST_BYTES), digest);
  }

  /** Level by level in one array: a tree of objects would take tens of megabytes for a large study. */
  #computeRoot(): Uint8Array {
    const { digest } = this.profile;
    let count = 0;
    const level = new Uint8Array(this.leaves.length + DIGEST_BYTES);
    const node = (i: number): Uint8Array => level.subarray(i * DIGEST_BYTES, (i + 1) * DIGEST_BYTES);
    for (const hash of this.#leafHashes()) node(count++).set(hash);
    for (; count > 1; count = Math.ceil(count / 2))
      for (let i = 0; 2 * i < count; i++)
        node(i).set(2 * i + 1 < count ? merkle.nodeHash(node(2 * i), node(2 * i + 1), digest) : node(2 * i));
    return node(0).slice();
  }
}

/**
 * The table of canonical bytes, if it is the one that the reference names and describes `objectId`. Faults: `malformed` (not a table),
 * `manifest_mismatch` (a table of other pieces, or of another profile).
 */
export function decodeTable(
  bytes: Uint8Array,
  { root, profile }: Pick<ObjectReference, "root" | "profile">,
  objectId: Uint8Array,
): PieceTable {
  const table = parseTable(bytes);
  // Before the root is computed: which function it is of is the reference's to say, not the table's.
  if (table.header.profile !== profile) throw new Fault("manifest_mismatch", { part: "profile" });
  if (!equal(table.root, root)) throw new Fault("manifest_mismatch", { part: "table_root" });
  if (!equal(table.header.objectId, objectId)) throw new Fault("manifest_mismatch", { part: "object_id" });
  return table;
}

/** The table of these bytes, whatever it describes. Faults: `malformed`. */
export function parseTable(bytes: Uint8Array): PieceTable {
  const { header: tableHeader, leaves } = document.parse(cbor.decode(bytes, MAX_TABLE_BYTES));
  const columns = columnsOf(tableHeader);
  const fits = leaves.length === tableHeader.stripes * columns * DIGEST_BYTES && tableHeader.placement.length === columns;
  if (!fits || tableHeader.chunkBytes % 16 !== 0)
    throw new Fault("malformed", { element: "/leaves", expected: "one leaf a piece" });
  return new PieceTable(tableHeader, leaves);
}

/** Whether `piece` is the piece that `proof` names, of the object whose anchored root, profile and number of stripes are given. */
export function verifyPiece(
  piece: Uint8Array,
  proof: PieceProof,
  root: Uint8Array,
  layout: Pick<Layout, "code" | "stripes"> & Pick<ObjectReference, "profile">,
): boolean {
  const { digest } = profileOf(layout);
  const columns = columnsOf(layout);
  if (proof.column >= columns || proof.stripe >= layout.stripes) return false;
  const index = 1 + proof.stripe * columns + proof.column;
  return merkle.verifyInclusion(digest(piece), index, 1 + layout.stripes * columns, proof.path, root, digest);
}
