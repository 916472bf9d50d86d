/** Computing lost pieces from right ones, stripe by stripe, for a repair: what is written was held against its leaf. */
import { Fault } from "@xinglin/primitives";
import { columnOf, type Layout } from "../layout.ts";
import type { SlotInspection } from "./inspect-object.ts";
import type { OpenObject } from "./open-object.ts";
import type { RepairTarget } from "./repair-target.ts";
import { StripeReader } from "./stripe-reader.ts";
import type { TaskContext } from "./tasks.ts";

const unrecoverable = (stripe: number, available: number, layout: Layout): Fault =>
  new Fault("archive_unrecoverable", { stripe, available, needed: layout.code.k }, { retry: true });

/** Throws before anything is changed if some stripe cannot be rebuilt. */
export function requireRecoverable(inspections: readonly SlotInspection[], layout: Layout): void {
  for (let stripe = 0; stripe < layout.stripes; stripe++) {
    const available = inspections.filter(({ pieces }) => pieces[stripe] === "held").length;
    if (available < layout.code.k) throw unrecoverable(stripe, available, layout);
  }
}

/** Writes what `targets` lack. Faults: `archive_unrecoverable`, `manifest_mismatch`, `aborted`. */
export async function rebuildStripes(
  object: OpenObject,
  inspections: readonly SlotInspection[],
  targets: readonly RepairTarget[],
  context: TaskContext,
): Promise<void> {
  const { table } = object;
  const { layout } = table;
  const reader = new StripeReader(object, { pieceReadMs: 0, pieceHashMs: 0, codeMs: 0 });
  for (let stripe = 0; stripe < layout.stripes; stripe++) {
    const lost = targets.filter(({ isOpen, inspection }) => isOpen && inspection.pieces[stripe] !== "held");
    if (lost.length === 0) continue;
    context.checkpoint();
    const held = inspections.filter(({ pieces }) => pieces[stripe] === "held");
    const known = held.map(({ slot }) => columnOf(layout, stripe, slot)).sort((a, b) => a - b);
    const columns = lost.map(({ inspection }) => columnOf(layout, stripe, inspection.slot));
    const rebuild = async (read: (column: number) => Promise<boolean>): Promise<boolean> => {
      reader.rebuild(await gather(stripe, known, layout, read), columns);
      return columns.every((column) => table.matches(stripe, column, reader.codec.piece(column)));
    };
    // What was right a moment ago is not hashed once more: one wrong piece would show in all that is computed from it.
    const isRight =
      (await rebuild((column) => reader.take(stripe, column))) ||
      (await rebuild(async (column) => (await reader.fetch(stripe, column)) === "held"));
    // The root was computed from pieces that the code does not produce: the importer lied, and nobody can repair that.
    if (!isRight) throw new Fault("manifest_mismatch", { part: "parity" });
    for (const [i, target] of lost.entries()) {
      const piece = reader.codec.piece(columns[i]!);
      await target.writePiece(stripe * piece.length, piece);
    }
  }
}

/** Reads k of these columns, whichever can be read: the first k at once, since of far stores a stripe then takes as long as its slowest piece. */
async function gather(
  stripe: number,
  known: readonly number[],
  layout: Layout,
  read: (column: number) => Promise<boolean>,
): Promise<number[]> {
  const first = known.slice(0, layout.code.k);
  const isRead = await Promise.all(first.map(read));
  const present = first.filter((_, i) => isRead[i]);
  for (const column of known.slice(layout.code.k)) {
    if (present.length === layout.code.k) break;
    if (await read(column)) present.push(column);
  }
  if (present.length < layout.code.k) throw unrecoverable(stripe, present.length, layout);
  return present;
}
