/**
 * Moving an object's pack from a store that drains to another one, without the content key. A pack says itself which columns it holds, and readers
 * ask every store for it, so nothing has to be written down of where it went.
 * Source: docs/internals/archive.md, "Leaving".
 */
import { Fault } from "@xinglin/primitives";
import type { StoreFacts } from "./durability/placement-rank.ts";
import { columnOf, packBytesOf, pieceBytesOf } from "./layout.ts";
import { MAX_MANIFEST_BYTES } from "./manifest.ts";
import { MAX_TABLE_BYTES, type PieceTable, parseTable } from "./piece-table.ts";
import { stageOwner } from "./store/owner.ts";
import type { Store, StoredPack } from "./store/store.ts";
import { chooseReplacements } from "./work/choose-stores.ts";

/** What became of a pack. */
export interface PackMove {
  /** The store that has it now; undefined if there was nothing to move. */
  readonly to: string | undefined;
  /** Pieces that were missing or wrong and were left for a repair. */
  readonly wrongPieces: number;
}

/** Where a pack may be and go. */
export interface MovePlaces {
  readonly readable: readonly Store[];
  readonly writable: readonly Store[];
  /** What is known of stores beside their room, by store id: see `placeObject`. */
  readonly facts?: Readonly<Record<string, StoreFacts>>;
}

/**
 * Copies the pack of an object to one of `writable` and, once that one has it on disk, removes it here. Killed in between, it is on both; the
 * next call removes it here. `readable` are all stores that may hold packs of it. Faults: `stores_too_few` (no store with room is left for it),
 * `archive_unrecoverable` (the pack has no table: repair the object first), those of the stores.
 */
export async function movePack(objectId: Uint8Array, from: Store, { readable, writable, facts }: MovePlaces): Promise<PackMove> {
  const pack = await from.open(objectId);
  if (pack === undefined) return { to: undefined, wrongPieces: 0 };
  try {
    const bytes = await pack.readDocument("table", MAX_TABLE_BYTES);
    if (bytes === undefined) throw new Fault("archive_unrecoverable", { missing: "table", holders: 1 });
    const table = parseTable(bytes);
    const others = await holdersOf(
      objectId,
      readable.filter(({ id }) => id !== from.id),
    );
    const already = others.find(({ slot }) => slot === pack.slot);
    if (already !== undefined) {
      await from.remove(objectId);
      return { to: already.store.id, wrongPieces: 0 };
    }
    const kept = others.map(({ store }) => store);
    const free = writable.filter(({ id }) => id !== from.id);
    const { layout } = table;
    const bytesPerStore = packBytesOf(layout) + bytes.length;
    const [target] = await chooseReplacements(free, kept, 1, { code: layout.code, objectId, bytesPerStore, facts });
    if (target === undefined) throw new Fault("stores_too_few", { needed: 1, stores: 0 });
    const wrongPieces = await copyPack(pack, target, objectId, table, bytes);
    await from.remove(objectId);
    return { to: target.id, wrongPieces };
  } finally {
    await pack.close();
  }
}

async function holdersOf(
  objectId: Uint8Array,
  stores: readonly Store[],
): Promise<{ readonly store: Store; readonly slot: number }[]> {
  const found = await Promise.all(
    stores.map(async (store) => {
      const pack = await store.open(objectId).catch(() => undefined);
      if (pack === undefined) return [];
      await pack.close();
      return [{ store, slot: pack.slot }];
    }),
  );
  return found.flat();
}

async function copyPack(
  pack: StoredPack,
  target: Store,
  objectId: Uint8Array,
  table: PieceTable,
  tableBytes: Uint8Array,
): Promise<number> {
  const { layout } = table;
  const stage = await target.stage(objectId, pack.slot, "repair", stageOwner);
  try {
    const piece = new Uint8Array(pieceBytesOf(layout));
    let wrong = 0;
    for (let stripe = 0; stripe < layout.stripes; stripe++) {
      const isWhole = await pack.read(stripe * piece.length, piece);
      // A wrong one keeps its place: positions follow from the stripe, and a repair overwrites it.
      if (!isWhole || !table.matches(stripe, columnOf(layout, stripe, pack.slot), piece)) wrong++;
      await stage.write(stripe * piece.length, piece);
    }
    await stage.writeDocument("table", tableBytes);
    const manifest = await pack.readDocument("manifest", MAX_MANIFEST_BYTES);
    if (manifest !== undefined) await stage.writeDocument("manifest", manifest);
    await stage.settle();
    await stage.publish();
    return wrong;
  } catch (cause) {
    await stage.discard().catch(() => undefined);
    throw cause;
  }
}
