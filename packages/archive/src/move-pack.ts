/**
 * Moving an object's pack from a store that drains to another one, without the content key. A pack says itself which columns it holds, and readers
 * ask every store for it, so nothing has to be written down of where it went.
 * Source: docs/internals/archive.md, "Leaving".
 */
import { Fault } from "@xinglin/primitives";
import { columnsByDomain, DOMAIN_KINDS } from "./durability/holders.ts";
import type { StoreFacts } from "./durability/placement-rank.ts";
import { type CodeParameters, columnOf, packBytesOf, pieceBytesOf } from "./layout.ts";
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
  /** Takes no place where a member, building, power supply or city would come to hold more columns than may be lost, or more of those too many. */
  readonly keepApart?: boolean;
}

/** An object's pack on a store, as its table describes it. */
export interface HeldPack {
  readonly slot: number;
  readonly bytes: number;
}

/** The pack of an object on a store; undefined if there is none, or none with a table. Faults: those of the store. */
export async function heldPack(store: Store, objectId: Uint8Array): Promise<HeldPack | undefined> {
  const pack = await store.open(objectId);
  if (pack === undefined) return undefined;
  try {
    const bytes = await pack.readDocument("table", MAX_TABLE_BYTES);
    if (bytes === undefined) return undefined;
    return { slot: pack.slot, bytes: packBytesOf(parseTable(bytes).layout) + bytes.length };
  } finally {
    await pack.close();
  }
}

/**
 * Copies the pack of an object to one of `writable` and, once that one has it on disk, removes it here. Killed in between, it is on both; the
 * next call removes it here. `readable` are all stores that may hold packs of it. Faults: `stores_too_few` (no store with room is left for it),
 * `archive_unrecoverable` (the pack has no table: repair the object first), those of the stores.
 */
export async function movePack(
  objectId: Uint8Array,
  from: Store,
  { readable, writable, facts, keepApart = false }: MovePlaces,
): Promise<PackMove> {
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
    const { layout } = table;
    const most = tooMany([...kept, from], layout.code);
    const free = writable.filter(
      (store) => store.id !== from.id && (!keepApart || tooMany([...kept, store], layout.code) <= most),
    );
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

/** Columns that domains hold above those that may be lost, over all of them. */
const tooMany = (stores: readonly Store[], { m }: CodeParameters): number =>
  DOMAIN_KINDS.flatMap((kind) => [...columnsByDomain(stores, kind).values()]).reduce(
    (sum, { length }) => sum + Math.max(0, length - m),
    0,
  );

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
