/** Finding an object on the stores that are there: its packs, its piece table, its sealed manifest. Nothing found is trusted unchecked. */
import { setTimeout } from "node:timers/promises";
import { Fault } from "@xinglin/primitives";
import { slotOf } from "../layout.ts";
import { isManifest, MAX_MANIFEST_BYTES } from "../manifest.ts";
import { decodeTable, MAX_TABLE_BYTES, type PieceTable } from "../piece-table.ts";
import type { ObjectReference } from "../reference.ts";
import type { StoreDescription } from "../store/description.ts";
import { openStore } from "../store/open.ts";
import type { DocumentName, Store, StoredPack } from "../store/store.ts";
import { TroubleLog } from "./trouble.ts";

/** What stores that are late get, once enough others have answered: as long again as those took, within bounds. */
const LEAST_GRACE_MS = 30;
const MOST_GRACE_MS = 150;
/** After so long the next holder is asked for a document. */
const DOCUMENT_LATE_MS = 250;

/** Which object, and where to look for it. */
export interface ObjectOrder {
  readonly reference: ObjectReference;
  readonly objectId: Uint8Array;
  readonly stores: readonly StoreDescription[];
}

/** A store that holds a pack of the object. */
export interface Holder {
  readonly store: Store;
  readonly pack: StoredPack;
}

/** An object found. Close it after use. */
export interface OpenObject {
  readonly stores: readonly Store[];
  /** Those that hold a slot by the placement of the import first. Who was late to say so joins them later. */
  readonly holders: readonly Holder[];
  /** Resolves when nobody can join any more. */
  readonly allAnswered: Promise<void>;
  readonly table: PieceTable;
  readonly troubles: TroubleLog;
  close(): Promise<void>;
}

/** Codes of a store that is not there, whatever stands in its place. */
const AWAY: ReadonlySet<string> = new Set(["store_absent", "store_unclaimed"]);

/** Who says to hold a piece, those that have joined since included. */
export const holdersOf = ({ holders, table }: OpenObject, stripe: number, column: number): readonly Holder[] => {
  const slot = slotOf(table.layout, stripe, column);
  return holders.filter(({ pack }) => pack.slot === slot);
};

/**
 * Opens the object's packs and reads the first table whose root is the anchored one. Faults: `archive_unrecoverable` (no store has a
 * table), `manifest_mismatch` (tables are there, none has the anchored root).
 */
export async function openObject(
  { reference, objectId, stores: descriptions }: ObjectOrder,
  { hurry = false }: { readonly hurry?: boolean } = {},
): Promise<OpenObject> {
  const troubles = new TroubleLog();
  const stores = descriptions.map(openStore);
  const holders: Holder[] = [];
  let table: PieceTable | undefined;
  let isClosed = false;
  // Of two that show one slot the store that the object was placed on comes first: a store must not get in front of another by what it says it holds.
  const isPlaced = ({ store, pack }: Holder): boolean => table?.header.placement[pack.slot] === store.id;
  const join = (holder: Holder): void => {
    if (isClosed) void holder.pack.close().catch(() => undefined);
    else if (isPlaced(holder)) holders.unshift(holder);
    else holders.push(holder);
  };
  const close = async (): Promise<void> => {
    isClosed = true;
    await Promise.allSettled(holders.map(({ pack }) => pack.close()));
  };
  try {
    const enough = hurry ? reference.code.k : Number.POSITIVE_INFINITY;
    const { shown, allAnswered } = await openPacks(stores, objectId, enough, join);
    for (const { store, pack } of shown) {
      if (pack === undefined) troubles.note(store, "no_pack");
      else if (pack === "late") troubles.note(store, "slow");
      else if (pack instanceof Error)
        troubles.note(store, pack instanceof Fault && AWAY.has(pack.code) ? "absent" : "unreadable");
      else holders.push({ store, pack });
    }
    table = await firstRight(holders, "table", MAX_TABLE_BYTES, troubles, (bytes) => readTable(bytes, reference, objectId));
    holders.sort((a, b) => Number(isPlaced(b)) - Number(isPlaced(a)));
    return { stores, holders, allAnswered, table, troubles, close };
  } catch (cause) {
    await close();
    throw cause;
  }
}

/** What a store showed when it was asked for its pack. */
interface Shown {
  readonly store: Store;
  readonly pack: StoredPack | Error | "late" | undefined;
}

/**
 * Asks all stores for their packs at once. As soon as `enough` have one, the others have a moment to say so, too: a store that is cut off would
 * hold up every reader for as long as its connection takes to fail. Packs that come after that go to `join`.
 */
async function openPacks(
  stores: readonly Store[],
  objectId: Uint8Array,
  enough: number,
  join: (holder: Holder) => void,
): Promise<{ readonly shown: readonly Shown[]; readonly allAnswered: Promise<void> }> {
  const found = new Map<Store, StoredPack | Error | undefined>();
  let packs = 0;
  let isOver = false;
  const start = performance.now();
  const isEnough = Promise.withResolvers<void>();
  const ask = async (store: Store): Promise<void> => {
    const pack = await store
      .open(objectId)
      .catch((error: unknown) => (error instanceof Error ? error : new Error("store failed", { cause: error })));
    const isPack = pack !== undefined && !(pack instanceof Error);
    if (isOver) {
      if (isPack) join({ store, pack });
      return;
    }
    found.set(store, pack);
    if (!isPack || ++packs !== enough) return;
    const graceMs = Math.min(MOST_GRACE_MS, Math.max(LEAST_GRACE_MS, performance.now() - start));
    void setTimeout(graceMs).then(isEnough.resolve);
  };
  const allAnswered = Promise.all(stores.map(ask)).then(() => undefined);
  await Promise.race([isEnough.promise, allAnswered]);
  isOver = true;
  return { shown: stores.map((store) => ({ store, pack: found.has(store) ? found.get(store) : "late" })), allAnswered };
}

/** The sealed manifest with the anchored hash. Faults: `archive_unrecoverable`, `manifest_mismatch`. */
export const findManifest = (object: OpenObject, reference: ObjectReference): Promise<Uint8Array> =>
  firstRight(object.holders, "manifest", MAX_MANIFEST_BYTES, object.troubles, (bytes) =>
    isManifest(bytes, reference) ? bytes : undefined,
  );

/** The table of these bytes, or `undefined` if they are not the anchored table. */
function readTable(bytes: Uint8Array, reference: ObjectReference, objectId: Uint8Array): PieceTable | undefined {
  try {
    return decodeTable(bytes, reference, objectId);
  } catch (cause) {
    if (cause instanceof Fault) return undefined;
    throw cause;
  }
}

/**
 * The first document that is right. Holders are asked in turn, the next one when the one before failed or takes too long; near ones answer at
 * once.
 */
async function firstRight<T>(
  holders: readonly Holder[],
  name: DocumentName,
  maxBytes: number,
  troubles: TroubleLog,
  check: (bytes: Uint8Array) => T | undefined,
): Promise<T> {
  let found = 0;
  const look = async ({ store, pack }: Holder): Promise<T | undefined> => {
    const bytes = await pack.readDocument(name, maxBytes).catch(() => undefined);
    if (bytes === undefined) {
      troubles.note(store, `${name}_missing`);
      return undefined;
    }
    found++;
    const right = check(bytes);
    if (right === undefined) troubles.note(store, `${name}_corrupt`);
    return right;
  };
  const underWay = new Set<Promise<T | undefined>>();
  for (const holder of holders) {
    const asked = look(holder).finally(() => underWay.delete(asked));
    underWay.add(asked);
    // Whoever was asked before may still be the first.
    const right = await Promise.race([...underWay, elapsed(DOCUMENT_LATE_MS)]);
    if (right !== undefined) return right;
  }
  while (underWay.size > 0) {
    const right = await Promise.race(underWay);
    if (right !== undefined) return right;
  }
  if (found > 0) throw new Fault("manifest_mismatch", { part: name === "table" ? "table_root" : "manifest_hash" });
  throw new Fault("archive_unrecoverable", { missing: name, holders: holders.length }, { retry: true });
}

const elapsed = (ms: number): Promise<undefined> => setTimeout(ms, undefined, { ref: false });
