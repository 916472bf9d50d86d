/** The pieces of a pack in order: where each begins, how long it is, and its identifier, in a few bytes a piece. */
import { invariant } from "@xinglin/primitives";
import type { CID } from "multiformats/cid";
import { DIGEST_BYTES } from "../digest.ts";
import { digestOf, nodeLink, rawLink } from "./ipfs-cid.ts";
import { encodeList, encodeRoot, LIST_LINKS, ROOT_LINKS, sizesOf, type TreeDocument, type TreeRoot } from "./ipfs-tree.ts";

/** One piece of a pack. `digest` is missing of one whose list was lost. */
export interface Piece {
  readonly position: number;
  readonly bytes: number;
  readonly digest: Uint8Array | undefined;
}

/** A node of the tree with its bytes. */
export interface TreeBlock {
  readonly link: CID;
  readonly bytes: Uint8Array;
}

/** Pieces that were written, in any order. */
export class PieceList {
  readonly #pieces: { position: number; bytes: number }[] = [];
  #digests = new Uint8Array(64 * DIGEST_BYTES);

  add(position: number, bytes: number, digest: Uint8Array): void {
    const at = this.#pieces.length * DIGEST_BYTES;
    if (at === this.#digests.length) {
      const larger = new Uint8Array(2 * this.#digests.length);
      larger.set(this.#digests);
      this.#digests = larger;
    }
    this.#digests.set(digest, at);
    this.#pieces.push({ position, bytes });
  }

  /** In order of their position; `undefined` if they leave a gap or overlap. */
  inOrder(): Piece[] | undefined {
    const pieces = this.#pieces.map(({ position, bytes }, i) => {
      return { position, bytes, digest: this.#digests.subarray(i * DIGEST_BYTES, (i + 1) * DIGEST_BYTES) };
    });
    pieces.sort((a, b) => a.position - b.position);
    let end = 0;
    for (const { position, bytes } of pieces) {
      if (position !== end) return undefined;
      end += bytes;
    }
    return pieces;
  }
}

/** The documents beside a pack. */
export type TreeDocuments = Partial<Record<"table" | "manifest", TreeDocument>>;

/** The tree over these pieces: lists first, the root last. */
export function buildTree(objectId: Uint8Array, slot: number, pieces: readonly Piece[], documents: TreeDocuments): TreeBlock[] {
  const links = pieces.map(({ digest }) => {
    invariant(digest !== undefined, "every piece of a new tree is known");
    return rawLink(digest);
  });
  const blocks: TreeBlock[] = [];
  const block = (bytes: Uint8Array): CID => {
    const link = nodeLink(bytes);
    blocks.push({ link, bytes });
    return link;
  };
  const below: CID[] = [];
  if (links.length <= ROOT_LINKS) below.push(...links);
  else for (let at = 0; at < links.length; at += LIST_LINKS) below.push(block(encodeList(links.slice(at, at + LIST_LINKS))));
  const sizes = sizesOf(pieces.map(({ bytes }) => bytes));
  block(encodeRoot({ version: 1, object: objectId, slot, sizes, pieces: below, ...documents }));
  return blocks;
}

/** Positions and sizes of a root's pieces, without their identifiers. */
export function placesOf(root: TreeRoot): { position: number; bytes: number }[] {
  const places: { position: number; bytes: number }[] = [];
  let position = 0;
  for (const [count, bytes] of root.sizes)
    for (let i = 0; i < count!; i++, position += bytes!) places.push({ position, bytes: bytes! });
  return places;
}

/** Digests of links, one after another. */
export const digestsOf = (links: readonly CID[]): Uint8Array[] => links.map(digestOf);
