/**
 * Whether what somebody puts into another member's object is what the chain's root names. Repair needs no key, so anyone may do it; without
 * this check anyone could also spoil what was right.
 * Source: docs/internals/archive.md, "At another member's".
 */
import { Fault, fromHex } from "@xinglin/primitives";
import { columnOf, pieceBytesOf } from "../layout.ts";
import { isManifest } from "../manifest.ts";
import { decodeTable, type PieceTable } from "../piece-table.ts";
import type { ObjectReference } from "../reference.ts";
import type { DocumentName, StoredPack } from "../store/store.ts";
import { MAX_DOCUMENT_BYTES } from "./wire.ts";

/** What the chain knows of an object. */
export interface Anchor extends Pick<ObjectReference, "root" | "manifest" | "profile"> {
  readonly member: string;
}
/**
 * Looks an object up on the chain, among what `member` anchored if that is given, else what came first; `undefined` if nothing names it. Anybody may name
 * any id, so whoever holds an object of a known member asks for that member's.
 */
export type FindAnchor = (objectId: string, member?: string) => Promise<Anchor | undefined>;

/** Every check throws `store_proof_wrong`. */
export class RepairProof {
  readonly #find: (object: string) => Promise<Anchor | undefined>;
  /** The table of the object that is being repaired: it is asked for at each of its pieces. */
  #newest: { readonly object: string; readonly table: PieceTable } | undefined;

  /** `ownerOf` tells whose object a store holds, if it knows. */
  constructor(find: FindAnchor, ownerOf: (object: string) => string | undefined) {
    this.#find = (object) => find(object, ownerOf(object));
  }

  async anchorOf(object: string): Promise<Anchor | undefined> {
    return await this.#find(object);
  }

  /** The anchored table or manifest. */
  async requireDocument(object: string, name: DocumentName, bytes: Uint8Array): Promise<void> {
    const anchor = await this.#find(object);
    if (anchor === undefined) throw new Fault("store_proof_wrong");
    if (name === "table") this.#newest = { object, table: tableOf(bytes, anchor, object) };
    else if (!isManifest(bytes, anchor)) throw new Fault("store_proof_wrong");
  }

  /** The piece that belongs at this position of the pack. */
  async requirePiece(pack: StoredPack, object: string, at: number, bytes: Uint8Array): Promise<void> {
    const table = await this.#tableOf(pack, object);
    const { layout } = table;
    const stripe = at / pieceBytesOf(layout);
    const fits = Number.isInteger(stripe) && stripe < layout.stripes && bytes.length === pieceBytesOf(layout);
    if (!fits || !table.matches(stripe, columnOf(layout, stripe, pack.slot), bytes)) throw new Fault("store_proof_wrong");
  }

  /** A length that cuts off nothing of the pack. */
  async requireLength(pack: StoredPack, object: string, length: number): Promise<void> {
    const { layout } = await this.#tableOf(pack, object);
    if (length < layout.stripes * pieceBytesOf(layout)) throw new Fault("store_proof_wrong");
  }

  async #tableOf(pack: StoredPack, object: string): Promise<PieceTable> {
    if (this.#newest?.object === object) return this.#newest.table;
    const anchor = await this.#find(object);
    const bytes = anchor === undefined ? undefined : await pack.readDocument("table", MAX_DOCUMENT_BYTES);
    if (anchor === undefined || bytes === undefined) throw new Fault("store_proof_wrong");
    const table = tableOf(bytes, anchor, object);
    this.#newest = { object, table };
    return table;
  }
}

function tableOf(bytes: Uint8Array, anchor: Anchor, object: string): PieceTable {
  try {
    return decodeTable(bytes, anchor, fromHex(object));
  } catch (cause) {
    throw new Fault("store_proof_wrong", {}, { cause });
  }
}
