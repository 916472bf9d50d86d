/**
 * Putting a block where a damaged one of the same name lies. A node may take the name for the block and write nothing, and it removes nothing that a
 * pin keeps. Then the pack's pin is lifted, the block removed and put anew, and the pin set again; meanwhile another pin holds the rest of the
 * pack, so that a collector which runs just then takes nothing.
 * Source: boxo `blockstore` (Put of a block that is there; the cache of names before it), Kubo `block/rm`.
 */
import { cbor, equal, Fault } from "@xinglin/primitives";
import type { CID } from "multiformats/cid";
import type { IpfsBlocks } from "./ipfs-blocks.ts";
import { nodeLink } from "./ipfs-cid.ts";
import { IpfsRefusal } from "./ipfs-fault.ts";
import type { StoreNames } from "./ipfs-names.ts";
import { LIST_LINKS } from "./ipfs-tree.ts";
import { stageOwner } from "./owner.ts";

/** A node may ask its peers for what a pin misses; nobody waits for that long here. */
const AGAIN_MS = 30_000;

/** What one pin keeps: a pack's root and, as far as they are known, its raw blocks. */
export interface Kept {
  readonly objectId: Uint8Array;
  readonly root: CID;
  readonly links: readonly CID[];
}

/** What is worked on. */
export interface ReplaceContext {
  readonly store: string;
  readonly blocks: IpfsBlocks;
  readonly names: StoreNames;
}

/** Stores a block and makes sure that the node shows these bytes afterwards. Faults: `store_unwritable`. */
export async function putBlock(context: ReplaceContext, kept: Kept, link: CID, bytes: Uint8Array): Promise<void> {
  const { blocks, store } = context;
  const shown = async (): Promise<boolean> => {
    const found = new Uint8Array(bytes.length);
    return (await blocks.read(link, found)) && equal(found, bytes);
  };
  await blocks.put(link, bytes);
  if (await shown()) return;
  await withoutPin(context, kept, link, async () => {
    await blocks.remove(link);
    await blocks.put(link, bytes);
  });
  if (!(await shown())) throw new Fault("store_unwritable", { store, errno: "block_stuck" });
}

async function withoutPin({ blocks, names }: ReplaceContext, kept: Kept, damaged: CID, work: () => Promise<void>): Promise<void> {
  const { objectId, root } = kept;
  const stage = { objectId, purpose: "repair" as const, owner: stageOwner, startedMs: Date.now() };
  const marker = names.stageAnchor(stage);
  await blocks.put(marker.link, marker.bytes);
  await blocks.pin(marker.link, "direct", names.stage(stage));
  await holdRest(blocks, names, kept, damaged);
  await blocks.unpin(root, "recursive");
  await work();
  if (await pinAgain(blocks, names, objectId, root)) await releaseHolds(blocks, names, objectId);
  await blocks.unpin(marker.link, "direct");
}

/** Pins all that is there but the damaged block. What is missing is left out: no pin would take it. */
async function holdRest(blocks: IpfsBlocks, names: StoreNames, { objectId, links }: Kept, damaged: CID): Promise<void> {
  const found: CID[] = [];
  for (const link of links) if (!link.equals(damaged) && (await blocks.has(link))) found.push(link);
  const lists: CID[] = [];
  for (let at = 0; at < found.length; at += LIST_LINKS) lists.push(await putNode(blocks, found.slice(at, at + LIST_LINKS)));
  await blocks.pin(await putNode(blocks, { hold: objectId, lists }), "recursive", names.hold(objectId));
}

async function putNode(blocks: IpfsBlocks, value: unknown): Promise<CID> {
  const bytes = cbor.encode(value);
  const link = nodeLink(bytes);
  await blocks.put(link, bytes);
  return link;
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

/** Lifts the pins that held the rest of a pack, now that its root is pinned again. */
export async function releaseHolds(blocks: IpfsBlocks, names: StoreNames, objectId: Uint8Array): Promise<void> {
  for await (const { link } of blocks.pins("recursive", names.hold(objectId))) await blocks.unpin(link, "recursive");
}
