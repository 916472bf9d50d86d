/**
 * The audits before and after a repair. Hashing is what an audit costs, so what was found right before and has not been touched is not read in full
 * once more: the packs that were written are.
 */

import type { PieceTable } from "../piece-table.ts";
import type { ObjectReference } from "../reference.ts";
import { type AuditOrder, type AuditReport, auditObject, reportOf } from "./audit-object.ts";
import { inspectObject, type SlotInspection } from "./inspect-object.ts";
import { type ObjectOrder, type OpenObject, openObject } from "./open-object.ts";
import type { TaskContext } from "./tasks.ts";

const SEED = new Uint8Array(0); // an audit of all draws nothing

/** Looks at every piece of every slot. */
export function inspectAll(object: OpenObject, reference: ObjectReference, context: TaskContext): Promise<SlotInspection[]> {
  const everything = stripesOf(object.table);
  return inspectObject(object, reference, () => everything, context);
}

const stripesOf = ({ layout }: PieceTable): number[] => Array.from({ length: layout.stripes }, (_, stripe) => stripe);

/** The report of an audit of all that found this. */
export const reportOfAll = (order: ObjectOrder, table: PieceTable, slots: readonly SlotInspection[]): AuditReport =>
  reportOf(wholeOrder(order), table, slots);

const wholeOrder = ({ reference, objectId, stores }: ObjectOrder): AuditOrder => ({
  reference,
  objectId,
  stores,
  sample: "all",
  seed: SEED,
});

const isWhole = ({ pack, pieces }: SlotInspection): boolean => pack === "held" && pieces.every((piece) => piece === "held");

/**
 * The report of an audit of all, after a repair that began with `before`. Of slots that were whole, one piece is looked at and the documents: unless
 * all is as it was there, every piece of every slot is looked at. Faults: those of `auditObject`.
 */
export async function auditAgain(
  order: ObjectOrder,
  before: readonly SlotInspection[],
  context: TaskContext,
): Promise<AuditReport> {
  const object = await openObject(order);
  try {
    const everything = stripesOf(object.table);
    const wasWhole = before.map(isWhole);
    const now = await inspectObject(
      object,
      order.reference,
      (slot) => (wasWhole[slot] === true ? everything.slice(0, 1) : everything),
      context,
    );
    const isAsBefore = now.every((slot, i) => wasWhole[i] !== true || (isWhole(slot) && slot.store === before[i]?.store));
    if (isAsBefore) {
      const merged = now.map((slot, i) =>
        wasWhole[i] === true ? { ...slot, stripes: everything, pieces: before[i]!.pieces } : slot,
      );
      return reportOfAll(order, object.table, merged);
    }
  } finally {
    await object.close();
  }
  return await auditObject(wholeOrder(order), context);
}
