/** Repair of an object by the consortium, in a worker: whatever is missing or wrong on stores that are there is computed anew from the rest. */
import type { StoreFacts } from "../durability/placement-rank.ts";
import { packBytesOf, pieceBytesOf } from "../layout.ts";
import type { Store } from "../store/store.ts";
import { auditAgain, inspectAll, reportOfAll } from "./audit-again.ts";
import type { AuditReport } from "./audit-object.ts";
import { chooseReplacements } from "./choose-stores.ts";
import type { SlotInspection } from "./inspect-object.ts";
import { findManifest, type ObjectOrder, type OpenObject, openObject } from "./open-object.ts";
import { rebuildStripes, requireRecoverable } from "./rebuild-stripes.ts";
import { RepairTarget, type StoreLeft, type StoreRepair } from "./repair-target.ts";
import type { TaskContext } from "./tasks.ts";

/** A repair; `owner` is the main thread's `stageOwner`. */
export interface RepairOrder extends ObjectOrder {
  readonly owner: string;
  /** Whether columns of stores that are away or not given are rebuilt on others that are given. */
  readonly relocate: boolean;
  /** What is known of stores, by id, for choosing where. */
  readonly facts?: Readonly<Record<string, StoreFacts>> | undefined;
}

/** The record of a repair: what an audit of all pieces finds before and after. */
export interface RepairRecord {
  readonly before: AuditReport;
  readonly after: AuditReport;
  readonly repaired: readonly StoreRepair[];
  /** Stores that could not be written to: the others are repaired all the same. */
  readonly left: readonly StoreLeft[];
  readonly writtenBytes: number;
}

/**
 * Repairs without the content key; every rebuilt piece is held against the old root before it is written. Stores that are not there
 * stay as they are and show in `after`, unless `relocate` finds others for their columns. Once the object is whole, a pack that is there twice
 * (its store was away when it was rebuilt elsewhere) is dropped where it is not used. Faults: `archive_unrecoverable`, `manifest_mismatch`, `aborted`.
 */
export async function repairObject(order: RepairOrder, context: TaskContext): Promise<RepairRecord> {
  const object = await openObject(order);
  try {
    const inspections = await inspectAll(object, order.reference, context);
    const before = reportOfAll(order, object.table, inspections);
    if (before.intact) {
      if (order.relocate) await dropSpare(order, object);
      return { before, after: before, repaired: [], left: [], writtenBytes: 0 };
    }
    const outcome = await rewriteLost(order, object, inspections, context);
    const after = await auditAgain(order, inspections, context);
    if (order.relocate && after.intact) await dropSpare(order, object);
    return { before, after, ...outcome };
  } finally {
    await object.close();
  }
}

/** Removes packs whose slot another store holds too, the first of which is the one that audits and readers look at. */
async function dropSpare({ objectId }: RepairOrder, { holders }: OpenObject): Promise<void> {
  const seen = new Set<number>();
  const spare = holders.filter(({ pack }) => seen.size === seen.add(pack.slot).size);
  await Promise.allSettled(spare.map(({ store }) => store.remove(objectId))); // what cannot be removed now is spare again next time
}

async function rewriteLost(
  order: RepairOrder,
  object: OpenObject,
  inspections: readonly SlotInspection[],
  context: TaskContext,
): Promise<Pick<RepairRecord, "repaired" | "left" | "writtenBytes">> {
  const { table } = object;
  const { layout } = table;
  requireRecoverable(inspections, layout);
  const targets: RepairTarget[] = [];
  try {
    const places = order.relocate ? await newPlaces(order, object, inspections) : new Map<number, Store>();
    const own = new Map<number, Store>();
    // All before the first stage: a removal takes stages with it.
    for (const { slot, pack } of inspections) {
      const placed = pack === "missing" ? object.stores.find(({ id }) => id === table.header.placement[slot]) : undefined;
      if (placed !== undefined && (await isReady(order, object, inspections, placed))) own.set(slot, placed);
    }
    for (const inspection of inspections) {
      const { slot, pack } = inspection;
      const holder = pack === "held" ? object.holders.find((h) => h.pack.slot === slot) : undefined;
      const store = holder?.store ?? own.get(slot) ?? places.get(slot);
      if (store === undefined) continue;
      const target = new RepairTarget(inspection, store.id, holder?.pack);
      targets.push(target);
      await target.open(() => store.stage(order.objectId, slot, "repair", order.owner));
    }
    // Another member's store takes only pieces that the table beside them names: that comes first.
    for (const target of targets) if (target.inspection.pack === "held") await target.writeDocument("table", table.encode());
    await rebuildStripes(object, inspections, targets, context);
    const documents = { table: table.encode(), manifest: await findManifest(object, order.reference) };
    for (const target of targets) {
      for (const name of ["table", "manifest"] as const) await target.writeDocument(name, documents[name]);
      await target.finish(packBytesOf(layout));
    }
    const repaired = targets.flatMap(({ done }) => done ?? []);
    const pieces = repaired.reduce((sum, store) => sum + store.pieces, 0);
    return { repaired, left: targets.flatMap(({ left }) => left ?? []), writtenBytes: pieces * pieceBytesOf(layout) };
  } catch (cause) {
    await Promise.all(targets.map((target) => target.discard()));
    throw cause;
  }
}

/**
 * Makes a store ready for the pack that it should hold: one that shows a pack with nothing right in it, or of a slot that another holds whole, is emptied
 * of it. False for what cannot be emptied: it stays as it is, and does not keep the rest from being repaired.
 */
async function isReady(
  { objectId }: RepairOrder,
  { holders }: OpenObject,
  inspections: readonly SlotInspection[],
  store: Store,
): Promise<boolean> {
  const shown = holders.find((holder) => holder.store === store);
  if (shown === undefined) return true;
  const { slot } = shown.pack;
  const { pack, pieces } = inspections[slot] ?? { pack: "absent", pieces: [] };
  const isFirst = holders.find((holder) => holder.pack.slot === slot) === shown;
  const isNeeded = isFirst ? pack === "held" : pieces.some((piece) => piece !== "held");
  if (isNeeded) return false;
  return await store.remove(objectId).then(
    () => true,
    () => false,
  );
}

/** Stores for the slots whose own are away or not given: by the rules of placement, beside those that hold or will hold the others. */
async function newPlaces(
  order: RepairOrder,
  { holders, stores, table }: OpenObject,
  inspections: readonly SlotInspection[],
): Promise<ReadonlyMap<number, Store>> {
  const { layout, header } = table;
  const lost = inspections.filter(({ pack }) => pack === "absent" || pack === "unreadable").map(({ slot }) => slot);
  const missing = inspections.filter(({ pack }) => pack === "missing").map(({ slot }) => header.placement[slot]);
  const kept = stores.filter((store) => missing.includes(store.id) || holders.some((holder) => holder.store === store));
  const bytesPerStore = packBytesOf(layout) + table.leaves.length;
  const placing = { code: layout.code, objectId: order.objectId, bytesPerStore, facts: order.facts };
  const found = lost.length === 0 ? [] : await chooseReplacements(stores, kept, lost.length, placing);
  return new Map(found.map((store, i) => [lost[i]!, store]));
}
