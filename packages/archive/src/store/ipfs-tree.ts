/**
 * What one pack looks like in IPFS: a root that names its slot, its pieces in order and its documents. Pieces are raw blocks, so a piece's
 * identifier is the hash in the piece table; the root is the one thing that a node keeps by a pin, and everything hangs below it.
 *
 *     root   { version, object, slot, sizes: [[count, bytes]…], pieces: [link…], table?, manifest? }
 *     list   [link…]                    of at most `LIST_LINKS` pieces; the root names the lists if there are more than `ROOT_LINKS` pieces
 *     table  { bytes, blocks: [link…] }
 *
 * Source: the "The engine" (one small root a study and member, pinned); IPLD DAG-CBOR.
 */
import { cbor, Fault, type Infer, type Schema, schema } from "@xinglin/primitives";
import { CID } from "multiformats/cid";
import { OBJECT_ID_BYTES } from "../reference.ts";
import { isNode, isOwnLink, isRaw } from "./ipfs-cid.ts";

/** Up to here the root names pieces itself, which saves a block for all but large packs. */
export const ROOT_LINKS = 256;
export const LIST_LINKS = 1_024;
/** A block larger than 2 MiB is not exchanged by IPFS nodes; all of ours stay well below. */
export const MAX_BLOCK_BYTES = 1_048_576;

const MAX_PIECES = 4_000_000;
const MAX_SIZES = 65_536;
const MAX_DOCUMENT_BLOCKS = 4_096;

const link: Schema<CID> = {
  parse: (value, path = "") => {
    const found = CID.asCID(value);
    if (found === null || !isOwnLink(found)) throw new Fault("malformed", { element: path, expected: "link" });
    return found;
  },
};
const document = schema.object({ bytes: schema.uint(), blocks: schema.list(link, MAX_DOCUMENT_BLOCKS) });
/** A document beside a pack, cut into raw blocks of `MAX_BLOCK_BYTES`. */
export type TreeDocument = Infer<typeof document>;

const root = schema.object({
  version: schema.uint(1, 1),
  object: schema.bytes(OBJECT_ID_BYTES),
  slot: schema.uint(95),
  /** Runs of pieces of one size: how many, and of how many bytes. */
  sizes: schema.list(schema.list(schema.uint(MAX_PIECES, 1), 2, 2), MAX_SIZES),
  pieces: schema.list(link, MAX_PIECES / LIST_LINKS),
  table: schema.optional(document),
  manifest: schema.optional(document),
});
/** The root of a pack. */
export type TreeRoot = Infer<typeof root>;
const list = schema.list(link, LIST_LINKS, 1);

export const encodeRoot = (value: TreeRoot): Uint8Array => cbor.encode(value);
export const encodeList = (links: readonly CID[]): Uint8Array => cbor.encode(links);

/** The root of these bytes. Faults: `malformed`. */
export function decodeRoot(bytes: Uint8Array): TreeRoot {
  const value = root.parse(cbor.decode(bytes, 2 * MAX_BLOCK_BYTES));
  const pieces = value.sizes.reduce((sum, [count]) => sum + count!, 0);
  const lists = value.pieces.every(isNode);
  const fits = lists ? Math.ceil(pieces / LIST_LINKS) === value.pieces.length : pieces === value.pieces.length;
  if (!fits || (!lists && !value.pieces.every(isRaw)))
    throw new Fault("malformed", { element: "/pieces", expected: "one link a piece" });
  return value;
}

/** The links of a list. Faults: `malformed`. */
export function decodeList(bytes: Uint8Array): readonly CID[] {
  const links = list.parse(cbor.decode(bytes, 2 * MAX_BLOCK_BYTES));
  if (!links.every(isRaw)) throw new Fault("malformed", { element: "/", expected: "links of pieces" });
  return links;
}

/** Runs of equal sizes. */
export function sizesOf(bytes: readonly number[]): number[][] {
  const runs: number[][] = [];
  for (const size of bytes) {
    const last = runs.at(-1);
    if (last?.[1] === size) last[0]!++;
    else runs.push([1, size]);
  }
  return runs;
}

/** Cuts a document, or a piece too large for a block, into parts. */
export function* partsOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += MAX_BLOCK_BYTES) yield bytes.subarray(at, at + MAX_BLOCK_BYTES);
}
