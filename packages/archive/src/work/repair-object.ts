/** Repair of an object by the consortium, in a worker: whatever is missing or wrong on stores that are there is computed anew from the rest. */
import { Fault } from "@xinglin/primitives";
import { sha256 } from "../digest.ts";
import { columnOf, columnsOf, type Layout, packBytesOf, pieceBytesOf } from "../layout.ts";
import type { StagedPack, StoredPack } from "../store/store.ts";
import { type AuditReport, auditObject } from "./audit-object.ts";
import { inspectObject, type SlotInspection } from "./inspect-object.ts";
import { findManifest, type ObjectOrder, type OpenObject, openObject } from "./open-object.ts";
import { StripeReader } from "./stripe-reader.ts";
import type { TaskContext } from "./tasks.ts";

/** A repair; `owner` is the main thread's `stageOwner`. */
export interface RepairOrder extends ObjectOrder {
  readonly owner: string;
}

/** What a repair did to one store. */
export interface StoreRepair {
  readonly store: string;
  readonly pieces: number;
  /** Whether its whole pack was gone and written anew. */
  readonly wholePack: boolean;
  readonly documents: readonly ("table" | "manifest")[];
}

/** The record of a repair: the same audit of all pieces before and after. */
export interface RepairRecord {
  readonly before: AuditReport;
  readonly after: AuditReport;
  readonly repaired: readonly StoreRepair[];
  readonly writtenBytes: number;
}

const SEED = new Uint8Array(0); // an audit of all draws nothing

/**
 * Repairs without the content key; every rebuilt piece is held against the old root before it is written. Stores that are not there
 * stay as they are and show in `after`. Faults: `archive_unrecoverable`, `manifest_mismatch`, `disk_full`, `store_unwritable`, `aborted`.
 */
export async function repairObject(order: RepairOrder, context: TaskContext): Promise<RepairRecord> {
  const audit = (): Promise<AuditReport> => auditObject({ ...order, sample: "all", seed: SEED }, context);
  const before = await audit();
  if (before.intact) return { before, after: before, repaired: [], writtenBytes: 0 };
  const object = await openObject(order);
  try {
    const outcome = await rewriteLost(order, object, context);
    return { before, after: await audit(), ...outcome };
  } finally {
    await object.close();
  }
}

/** Where the lost pieces of one slot are written: into its pack, or into a new one. */
interface Target {
  readonly inspection: SlotInspection;
  readonly pack: StoredPack | undefined;
  readonly stage: StagedPack | undefined;
  pieces: number;
}

async function rewriteLost(
  order: RepairOrder,
  object: OpenObject,
  context: TaskContext,
): Promise<Pick<RepairRecord, "repaired" | "writtenBytes">> {
  const { table } = object;
  const { layout } = table;
  const everything = Array.from({ length: layout.stripes }, (_, stripe) => stripe);
  const inspections = await inspectObject(object, order.reference, () => everything, context);
  requireRecoverable(inspections, layout);
  const targets: Target[] = [];
  try {
    for (const inspection of inspections) {
      const { slot, pack } = inspection;
      const holder = object.holders.find((h) => h.pack.slot === slot);
      const store = object.stores.find(({ id }) => id === table.header.placement[slot]);
      const stage =
        pack === "missing" && store !== undefined ? await store.stage(order.objectId, slot, "repair", order.owner) : undefined;
      if (holder !== undefined || stage !== undefined) targets.push({ inspection, pack: holder?.pack, stage, pieces: 0 });
    }
    await rebuildStripes(object, inspections, targets, context);
    const repaired = await finish(order, object, targets);
    const pieces = repaired.reduce((sum, store) => sum + store.pieces, 0);
    return { repaired, writtenBytes: pieces * pieceBytesOf(layout) };
  } catch (cause) {
    await Promise.allSettled(targets.map(({ stage }) => stage?.discard()));
    throw cause;
  }
}

/** Throws before anything is changed if some stripe cannot be rebuilt. */
function requireRecoverable(inspections: readonly SlotInspection[], layout: Layout): void {
  for (let stripe = 0; stripe < layout.stripes; stripe++) {
    const available = inspections.filter(({ pieces }) => pieces[stripe] === "held").length;
    if (available < layout.code.k) throw unrecoverable(stripe, available, layout);
  }
}

const unrecoverable = (stripe: number, available: number, layout: Layout): Fault =>
  new Fault("archive_unrecoverable", { stripe, available, needed: layout.code.k }, { retry: true });

async function rebuildStripes(
  object: OpenObject,
  inspections: readonly SlotInspection[],
  targets: readonly Target[],
  context: TaskContext,
): Promise<void> {
  const { table } = object;
  const { layout } = table;
  const { k } = layout.code;
  const reader = new StripeReader(object, { pieceReadMs: 0, pieceHashMs: 0, codeMs: 0 });
  for (let stripe = 0; stripe < layout.stripes; stripe++) {
    const lost = targets.filter(({ inspection }) => inspection.pieces[stripe] !== "held");
    if (lost.length === 0) continue;
    context.checkpoint();
    const present: number[] = [];
    for (let column = 0; column < columnsOf(layout) && present.length < k; column++) {
      const known = inspections.some(
        ({ slot, pieces }) => columnOf(layout, stripe, slot) === column && pieces[stripe] === "held",
      );
      if (known && (await reader.fetch(stripe, column)) === "held") present.push(column);
    }
    if (present.length < k) throw unrecoverable(stripe, present.length, layout);
    const columns = lost.map(({ inspection }) => columnOf(layout, stripe, inspection.slot));
    reader.rebuild(present, columns);
    for (const [i, target] of lost.entries()) {
      const column = columns[i]!;
      const piece = reader.codec.piece(column);
      // The root was computed from pieces that the code does not produce: the importer lied, and nobody can repair that.
      if (!table.matches(stripe, column, sha256(piece))) throw new Fault("manifest_mismatch", { part: "parity" });
      const position = stripe * piece.length;
      await (target.pack === undefined ? target.stage!.write(position, piece) : target.pack.rewrite(position, piece));
      target.pieces++;
    }
  }
}

/** Puts the documents beside the packs, waits for the disks and publishes new packs. */
async function finish(order: RepairOrder, object: OpenObject, targets: readonly Target[]): Promise<StoreRepair[]> {
  const documents = { table: object.table.encode(), manifest: await findManifest(object, order.reference) };
  const repaired: StoreRepair[] = [];
  for (const { inspection, pack, stage, pieces } of targets) {
    const written: ("table" | "manifest")[] = [];
    for (const name of ["table", "manifest"] as const) {
      if (inspection[name] === "held") continue;
      await (pack === undefined ? stage!.writeDocument(name, documents[name]) : pack.rewriteDocument(name, documents[name]));
      written.push(name);
    }
    if (pack === undefined) await stage!.settle();
    else await pack.settle(packBytesOf(object.table.layout));
    await stage?.publish();
    if (pieces > 0 || written.length > 0)
      repaired.push({ store: inspection.store, pieces, wholePack: stage !== undefined, documents: written });
  }
  return repaired;
}
