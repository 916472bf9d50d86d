/** A possession audit, in a worker: each store shows pieces, sampled or all, and every one is held against the anchored root. */
import { createHash } from "node:crypto";
import { LOST_SHARE, lostPieces, oddsOfFinding } from "../durability/audit-odds.ts";
import { columnOf, type Layout } from "../layout.ts";
import type { PieceProof, PieceTable } from "../piece-table.ts";
import { markOf, profileOf } from "../profile/profile.ts";
import type { ObjectReference } from "../reference.ts";
import { inspectObject, type PackState, type SlotInspection } from "./inspect-object.ts";
import { type ObjectOrder, openObject } from "./open-object.ts";
import type { PieceState } from "./stripe-reader.ts";
import type { TaskContext } from "./tasks.ts";

/** An audit of `sample` pieces a store, drawn by `seed`, or of all. */
export interface AuditOrder extends ObjectOrder {
  readonly sample: number | "all";
  readonly seed: Uint8Array;
}

/** A piece that a store did not show rightly. */
export interface PieceFault {
  readonly stripe: number;
  readonly column: number;
  readonly kind: Exclude<PieceState, "held">;
}

/** What one store showed. */
export interface StoreAudit {
  readonly store: string;
  /** Undefined if the store was not among those given. */
  readonly member: string | undefined;
  readonly slot: number;
  readonly pack: PackState;
  readonly table: PieceState;
  readonly manifest: PieceState;
  readonly checked: number;
  readonly held: number;
  readonly missing: number;
  readonly corrupt: number;
  /** The first of them, at most `MAX_FAULTS`. */
  readonly faults: readonly PieceFault[];
  /** Paths of the sampled pieces that were held; none of an audit of all. */
  readonly proofs: readonly PieceProof[];
}

/** The outcome of an audit. */
export interface AuditReport {
  readonly objectId: Uint8Array;
  readonly root: Uint8Array;
  /** What `verifyPiece` needs to know of the object beside its root. */
  readonly layout: Layout & Pick<ObjectReference, "profile">;
  readonly sample: number | "all";
  readonly seed: Uint8Array;
  readonly stores: readonly StoreAudit[];
  readonly checked: number;
  readonly held: number;
  readonly missing: number;
  readonly corrupt: number;
  /** Whether everything looked at was right, documents too. */
  readonly intact: boolean;
  /** The probability with which this audit would have found a store that had lost `lostShare` of its pieces of this object, at least one. */
  readonly finds: { readonly lostShare: number; readonly probability: number };
  /** Pieces of the stripe with the fewest; below k it is unreadable. Of an audit of all only. */
  readonly fewestHeld?: number;
}

/** Faults named for one store; the counts are always exact. */
export const MAX_FAULTS = 1000;

/** Audits one object. Faults: `archive_unrecoverable`, `manifest_mismatch` (no store shows the anchored table), `aborted`. */
export async function auditObject(order: AuditOrder, context: TaskContext): Promise<AuditReport> {
  const object = await openObject(order);
  try {
    const { layout } = object.table;
    const everything = Array.from({ length: layout.stripes }, (_, stripe) => stripe);
    const { sample, seed } = order;
    const choose =
      sample === "all" || sample >= layout.stripes
        ? () => everything
        : (slot: number) => draw(seed, slot, sample, layout.stripes);
    const slots = await inspectObject(object, order.reference, choose, context);
    return reportOf(order, object.table, slots);
  } finally {
    await object.close();
  }
}

function storeAudit(
  inspection: SlotInspection,
  layout: Layout,
  proofs: { prove(stripe: number, column: number): PieceProof } | undefined,
): StoreAudit {
  const { slot, stripes, pieces, ...rest } = inspection;
  const faults: PieceFault[] = [];
  const shown: PieceProof[] = [];
  pieces.forEach((kind, i) => {
    const stripe = stripes[i]!;
    const column = columnOf(layout, stripe, slot);
    if (kind === "held") {
      if (proofs !== undefined) shown.push(proofs.prove(stripe, column));
    } else if (faults.length < MAX_FAULTS) faults.push({ stripe, column, kind });
  });
  const count = (state: PieceState): number => pieces.filter((piece) => piece === state).length;
  const counts = { checked: pieces.length, held: count("held"), missing: count("missing"), corrupt: count("corrupt") };
  return { ...rest, slot, ...counts, faults, proofs: shown };
}

/** The report of an audit that found this. */
export function reportOf(order: AuditOrder, table: PieceTable, slots: readonly SlotInspection[]): AuditReport {
  const { layout } = table;
  const stores = slots.map((slot) => storeAudit(slot, layout, order.sample === "all" ? undefined : table));
  const sum = (key: "checked" | "held" | "missing" | "corrupt"): number => stores.reduce((total, store) => total + store[key], 0);
  const sampled = {
    pieces: layout.stripes,
    sampled: order.sample === "all" ? layout.stripes : Math.min(order.sample, layout.stripes),
  };
  const report = {
    objectId: order.objectId,
    root: order.reference.root,
    layout: { code: layout.code, chunkBytes: layout.chunkBytes, stripes: layout.stripes, ...markOf(profileOf(order.reference)) },
    sample: order.sample,
    seed: order.seed,
    stores,
    checked: sum("checked"),
    held: sum("held"),
    missing: sum("missing"),
    corrupt: sum("corrupt"),
    finds: { lostShare: LOST_SHARE, probability: oddsOfFinding(sampled, lostPieces(layout.stripes, LOST_SHARE)) },
    intact: stores.every((s) => s.pack === "held" && s.table === "held" && s.manifest === "held" && s.held === s.checked),
  };
  if (order.sample !== "all") return report;
  let fewestHeld = stores.length;
  for (let stripe = 0; stripe < layout.stripes; stripe++) {
    let held = 0;
    for (const { pieces } of slots) if (pieces[stripe] === "held") held++;
    fewestHeld = Math.min(fewestHeld, held);
  }
  return { ...report, fewestHeld };
}

/** `count` different stripes of `stripes`, ascending, drawn from SHA-256 of seed, slot and a counter: anyone with the seed draws the same. */
function draw(seed: Uint8Array, slot: number, count: number, stripes: number): number[] {
  const chosen = new Set<number>();
  const place = Buffer.alloc(12);
  place.writeUInt32BE(slot);
  for (let counter = 0; chosen.size < count; counter++) {
    place.writeBigUInt64BE(BigInt(counter), 4);
    const digest = createHash("sha256").update(seed).update(place).digest();
    chosen.add(Number(digest.readBigUInt64BE() % BigInt(stripes)));
  }
  return [...chosen].sort((a, b) => a - b);
}
