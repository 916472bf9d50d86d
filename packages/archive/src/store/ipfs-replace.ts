/**
 * Putting a block where a damaged one of the same name lies. A node may take the name for the block and write nothing, and it removes nothing that a
 * pin keeps. Then the pack's pin is lifted, the block removed and put anew, and the pin set again when the repair is settled. Until then another pin
 * holds what is right, block by block, so that a collector which runs just then takes nothing; and a stage's marker says that it is so.
 * Source: boxo `blockstore` (Put of a block that is there; the cache of names before it), Kubo `block/rm`.
 */
import { cbor, equal, Fault } from "@xinglin/primitives";
import type { CID } from "multiformats/cid";
import type { IpfsBlocks } from "./ipfs-blocks.ts";
import { digestOf, nodeLink, rawLink } from "./ipfs-cid.ts";
import { IpfsRefusal } from "./ipfs-fault.ts";
import type { Marker, StoreNames } from "./ipfs-names.ts";
import { awaitCollections } from "./ipfs-sweep.ts";
import { LIST_LINKS } from "./ipfs-tree.ts";
import { stageOwner } from "./owner.ts";

/** A node may ask its peers for what a pin misses; nobody waits for that long here. */
const AGAIN_MS = 30_000;

/** What is worked on. */
export interface ReplaceContext {
  readonly store: string;
  readonly blocks: IpfsBlocks;
  readonly names: StoreNames;
}

/** Blocks of one pack on their way back to what they should be. End it with `settle`. */
export class Replacement {
  readonly #context: ReplaceContext;
  readonly #objectId: Uint8Array;
  #marker: Marker | undefined;

  constructor(context: ReplaceContext, objectId: Uint8Array) {
    this.#context = context;
    this.#objectId = objectId;
  }

  /**
   * Stores a block and makes sure that the node shows these bytes afterwards. `root` is the pack's, `links` all blocks of it that are known.
   * Faults: `store_unwritable`.
   */
  async put(link: CID, bytes: Uint8Array, root: CID, links: () => Iterable<CID>): Promise<void> {
    const { blocks, store } = this.#context;
    const shown = async (): Promise<boolean> => {
      const found = new Uint8Array(bytes.length);
      return (await blocks.read(link, found)) && equal(found, bytes);
    };
    await blocks.put(link, bytes);
    if (await shown()) return;
    await this.#mark();
    await this.#hold(link, links());
    await blocks.unpin(root, "recursive");
    await blocks.remove(link);
    await blocks.put(link, bytes);
    if (!(await shown())) throw new Fault("store_unwritable", { store, errno: "block_stuck" });
  }

  /** To be called when the pack's root is pinned again. */
  async settle(): Promise<void> {
    const { blocks, names } = this.#context;
    if (this.#marker === undefined) return;
    await releaseHolds(blocks, names, this.#objectId);
    await blocks.unpin(this.#marker.link, "direct");
    this.#marker = undefined;
  }

  async #mark(): Promise<void> {
    if (this.#marker !== undefined) return;
    const { blocks, names } = this.#context;
    const stage = { objectId: this.#objectId, purpose: "repair" as const, owner: stageOwner, startedMs: Date.now() };
    const marker = names.stageMarker(stage);
    await blocks.keep(marker.link, marker.bytes, "direct", names.stage(stage));
    this.#marker = marker;
    await awaitCollections(blocks);
  }

  /** Pins all that is there but the damaged block, each for itself: a pin over the pack would keep what is damaged, and takes nothing that is missing. */
  async #hold(damaged: CID, links: Iterable<CID>): Promise<void> {
    const { blocks, names } = this.#context;
    const found: CID[] = [];
    for (const link of links) {
      const single = rawLink(digestOf(link)); // as raw bytes even a node has nothing below it
      if (!equal(digestOf(link), digestOf(damaged)) && (await blocks.has(single))) found.push(single);
    }
    const lists: CID[] = [];
    for (let at = 0; at < found.length; at += LIST_LINKS) lists.push(await this.#putNode(found.slice(at, at + LIST_LINKS)));
    const hold = await this.#putNode({ hold: this.#objectId, lists });
    await blocks.pin(hold, "recursive", names.hold(this.#objectId));
    await releaseHolds(blocks, names, this.#objectId, hold);
  }

  async #putNode(value: unknown): Promise<CID> {
    const bytes = cbor.encode(value);
    const link = nodeLink(bytes);
    await this.#context.blocks.put(link, bytes);
    return link;
  }
}

/** Pins a root whose pin was lifted; false while something below it is missing, and then what holds the rest has to stay. */
export async function pinAgain(blocks: IpfsBlocks, names: StoreNames, objectId: Uint8Array, root: CID): Promise<boolean> {
  try {
    await blocks.pin(root, "recursive", names.root(objectId), AGAIN_MS);
    return true;
  } catch (cause) {
    if (cause instanceof IpfsRefusal) return false;
    throw cause;
  }
}

/** Lifts the pins that held the rest of a pack, but one. */
export async function releaseHolds(blocks: IpfsBlocks, names: StoreNames, objectId: Uint8Array, kept?: CID): Promise<void> {
  for await (const { link } of blocks.pins("recursive", names.hold(objectId)))
    if (kept?.equals(link) !== true) await blocks.unpin(link, "recursive");
}
