/** A published pack in an IPFS node: pieces are read one by one by their hash, and repaired by putting the right block in the place of the wrong one. */
import { equal, Fault } from "@xinglin/primitives";
import type { CID } from "multiformats/cid";
import { sha256 } from "../digest.ts";
import type { IpfsBlocks } from "./ipfs-blocks.ts";
import { digestOf, isNode, rawLink } from "./ipfs-cid.ts";
import { refusalFault } from "./ipfs-fault.ts";
import type { StoreNames } from "./ipfs-names.ts";
import { buildTree, digestsOf, type Piece, placesOf, type TreeDocuments } from "./ipfs-pieces.ts";
import { Replacement } from "./ipfs-replace.ts";
import { decodeList, decodeRoot, LIST_LINKS, MAX_BLOCK_BYTES, partsOf, type TreeRoot } from "./ipfs-tree.ts";
import type { DocumentName, StoredPack } from "./store.ts";

/** What a stored pack works with. */
export interface PackContext {
  readonly store: string;
  readonly blocks: IpfsBlocks;
  readonly names: StoreNames;
  /** How long the node may ask its peers for a piece that it has lost; it does not unless told. */
  readonly exchangeMs: number | undefined;
  /** Gives disk back; may come later. */
  sweep(): Promise<void>;
}

/** A node that was slow or gone is not asked again for so long: every piece would wait for it anew. */
const REST_MS = 5_000;

/** A pack, open. */
export class IpfsStoredPack implements StoredPack {
  readonly slot: number;
  readonly #context: PackContext;
  readonly #objectId: Uint8Array;
  #root: CID;
  #tree: TreeRoot;
  readonly #replacement: Replacement;
  readonly #places: { position: number; bytes: number }[];
  /** Digests of each list; null of one that is lost. */
  readonly #lists: (Uint8Array[] | null | undefined)[] = [];
  /** The pack as it shall be, once something was rewritten. */
  #changed: Piece[] | undefined;
  #documents: TreeDocuments;
  #trouble: { readonly fault: unknown; readonly until: number } | undefined;

  /** The pack below `root`, or `undefined` if that is lost or not what its name says. */
  static async open(objectId: Uint8Array, root: CID, context: PackContext): Promise<IpfsStoredPack | undefined> {
    const bytes = await context.blocks.get(root, 2 * MAX_BLOCK_BYTES);
    if (bytes === undefined || !equal(sha256(bytes), digestOf(root))) return undefined;
    let tree: TreeRoot;
    try {
      tree = decodeRoot(bytes);
    } catch {
      return undefined;
    }
    return equal(tree.object, objectId) ? new IpfsStoredPack(objectId, root, tree, context) : undefined;
  }

  private constructor(objectId: Uint8Array, root: CID, tree: TreeRoot, context: PackContext) {
    this.slot = tree.slot;
    this.#objectId = objectId;
    this.#root = root;
    this.#tree = tree;
    this.#context = context;
    this.#replacement = new Replacement(context, objectId);
    this.#places = placesOf(tree);
    this.#documents = documentsOf(tree);
  }

  async read(position: number, into: Uint8Array, signal?: AbortSignal): Promise<boolean> {
    if (this.#trouble !== undefined && performance.now() < this.#trouble.until) throw this.#trouble.fault;
    try {
      return await this.#readRange(position, into, signal);
    } catch (cause) {
      const fault = refusalFault(this.#context.store, cause, "reading");
      if (fault instanceof Fault && (fault.code === "store_slow" || fault.code === "store_absent"))
        this.#trouble = { fault, until: performance.now() + REST_MS };
      throw fault;
    }
  }

  async readDocument(name: DocumentName, maxBytes: number): Promise<Uint8Array | undefined> {
    const document = this.#documents[name];
    if (document === undefined || document.bytes > maxBytes) return undefined;
    const bytes = new Uint8Array(document.bytes);
    const parts = [...partsOf(bytes)];
    if (parts.length !== document.blocks.length) return undefined;
    try {
      for (const [i, link] of document.blocks.entries())
        if (!(await this.#context.blocks.read(link, parts[i]!))) return undefined;
    } catch (cause) {
      throw refusalFault(this.#context.store, cause, "reading");
    }
    return bytes;
  }

  async rewrite(position: number, bytes: Uint8Array): Promise<void> {
    await this.#writing(async () => {
      const pieces = await this.#allPieces();
      const [first, last] = [this.#indexAt(pieces, position), this.#indexAt(pieces, position + bytes.length - 1)];
      if (first === undefined || last === undefined)
        throw new Fault("store_unwritable", { store: this.#context.store, errno: "gap" });
      const before = await this.#partOf(pieces[first]!, 0, position - pieces[first]!.position);
      const after = await this.#partOf(pieces[last]!, position + bytes.length - pieces[last]!.position, pieces[last]!.bytes);
      const fresh: Piece[] = [];
      let at = position - before.length;
      for (const part of [before, ...partsOf(bytes), after]) {
        if (part.length === 0) continue;
        const digest = sha256(part);
        await this.#put(rawLink(digest), part);
        fresh.push({ position: at, bytes: part.length, digest });
        at += part.length;
      }
      pieces.splice(first, last - first + 1, ...fresh);
    });
  }

  async rewriteDocument(name: DocumentName, bytes: Uint8Array): Promise<void> {
    await this.#writing(async () => {
      const document = { bytes: bytes.length, blocks: [] as CID[] };
      for (const part of partsOf(bytes)) {
        const link = rawLink(sha256(part));
        await this.#put(link, part);
        document.blocks.push(link);
      }
      this.#documents = { ...this.#documents, [name]: document };
    });
  }

  async settle(length: number): Promise<void> {
    await this.#writing(async () => {
      const pieces = await this.#allPieces();
      while (pieces.length > 0 && pieces.at(-1)!.position >= length) pieces.pop();
      const last = pieces.at(-1);
      if (last !== undefined && last.position + last.bytes > length) {
        const kept = await this.#partOf(last, 0, length - last.position);
        const digest = sha256(kept);
        await this.#put(rawLink(digest), kept);
        pieces.splice(-1, 1, { position: last.position, bytes: kept.length, digest });
      }
      if (pieces.some(({ digest }) => digest === undefined))
        throw new Fault("store_unwritable", { store: this.#context.store, errno: "list_lost" });
      const tree = buildTree(this.#objectId, this.slot, pieces, this.#documents);
      for (const { link, bytes } of tree) await this.#put(link, bytes);
      await this.#keep(tree.at(-1)!.link);
    });
  }

  async close(): Promise<void> {}

  /** Pins the tree; one that is not the old one takes its place. */
  async #keep(root: CID): Promise<void> {
    const { blocks, names } = this.#context;
    const before = this.#root;
    if (!root.equals(before) || (await blocks.pinName(root, "recursive")) === undefined)
      await blocks.pin(root, "recursive", names.root(this.#objectId));
    if (!root.equals(before)) {
      await blocks.pin(names.objectMarker(this.#objectId).link, "recursive", names.object(this.#objectId, root));
      await blocks.unpin(before, "recursive");
      this.#root = root;
    }
    await this.#replacement.settle();
    if (!root.equals(before)) await this.#context.sweep();
  }

  async #put(link: CID, bytes: Uint8Array): Promise<void> {
    await this.#replacement.put(link, bytes, this.#root, () => this.#links());
  }

  /** All blocks of the pack that are known. */
  *#links(): Generator<CID> {
    yield this.#root;
    yield* this.#tree.pieces;
    for (const { digest } of this.#changed ?? []) if (digest !== undefined) yield rawLink(digest);
    for (const document of [...Object.values(documentsOf(this.#tree)), ...Object.values(this.#documents)]) yield* document.blocks;
  }

  async #readRange(position: number, into: Uint8Array, signal: AbortSignal | undefined): Promise<boolean> {
    let done = 0;
    for (let i = this.#indexAt(this.#places, position); done < into.length; i = i === undefined ? undefined : i + 1) {
      const place = i === undefined ? undefined : this.#places[i];
      if (place === undefined) return false;
      const digest = await this.#digestOf(i!);
      if (digest === undefined) return false;
      const from = position + done - place.position;
      const wanted = Math.min(place.bytes - from, into.length - done);
      const whole = wanted === place.bytes;
      const target = whole ? into.subarray(done, done + wanted) : new Uint8Array(place.bytes);
      const { blocks, exchangeMs } = this.#context;
      if (!(await blocks.read(rawLink(digest), target, { exchangeMs, signal }))) return false;
      if (!whole) into.set(target.subarray(from, from + wanted), done);
      done += wanted;
    }
    return true;
  }

  /** A part of a piece, whatever its bytes are. */
  async #partOf(piece: Piece, from: number, to: number): Promise<Uint8Array> {
    if (from >= to) return new Uint8Array();
    const bytes = new Uint8Array(piece.bytes);
    if (piece.digest === undefined || !(await this.#context.blocks.read(rawLink(piece.digest), bytes)))
      throw new Fault("store_unwritable", { store: this.#context.store, errno: "block_missing" });
    return bytes.subarray(from, to);
  }

  /** The piece that holds the byte at `position`. */
  #indexAt(pieces: readonly { position: number; bytes: number }[], position: number): number | undefined {
    let [low, high] = [0, pieces.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const { position: start, bytes } = pieces[middle]!;
      if (position < start) high = middle;
      else if (position >= start + bytes) low = middle + 1;
      else return middle;
    }
    return undefined;
  }

  async #allPieces(): Promise<Piece[]> {
    if (this.#changed !== undefined) return this.#changed;
    const pieces: Piece[] = [];
    for (const [i, place] of this.#places.entries()) pieces.push({ ...place, digest: await this.#digestOf(i) });
    this.#changed = pieces;
    return pieces;
  }

  async #digestOf(index: number): Promise<Uint8Array | undefined> {
    const links = this.#tree.pieces;
    const first = links[0];
    if (first === undefined) return undefined;
    if (!isNode(first)) return digestOf(links[index]!);
    const list = Math.floor(index / LIST_LINKS);
    this.#lists[list] ??= await this.#list(links[list]!);
    return this.#lists[list]?.[index % LIST_LINKS];
  }

  async #list(link: CID): Promise<Uint8Array[] | null> {
    const bytes = await this.#context.blocks.get(link, MAX_BLOCK_BYTES);
    if (bytes === undefined || !equal(sha256(bytes), digestOf(link))) return null;
    try {
      return digestsOf(decodeList(bytes));
    } catch {
      return null;
    }
  }

  async #writing<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      throw refusalFault(this.#context.store, cause, "writing");
    }
  }
}

const documentsOf = ({ table, manifest }: TreeRoot): TreeDocuments => ({
  ...(table === undefined ? {} : { table }),
  ...(manifest === undefined ? {} : { manifest }),
});
