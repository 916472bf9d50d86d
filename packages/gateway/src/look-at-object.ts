/** One look at one object on every store, and one repair of it, in the terms that health reports and statements use. Source: requirement D3. */
import {
  type AuditReport,
  auditPossession,
  type CodeParameters,
  columnsOf,
  packBytesOf,
  type RepairRecord,
  repair,
  type Store,
  type StoreFacts,
  type StoreLeft,
} from "@xinglin/archive";
import { Fault } from "@xinglin/primitives";
import { type AnchoredObject, archived } from "./anchored-object.ts";
import type { StoreSet } from "./stores.ts";

/** What one store showed of one object. */
export interface StoreLook {
  readonly store: string;
  readonly slot: number;
  /** `missing`: the store is there and has no pack; `absent`, `unreadable`: the store is not there. */
  readonly pack: "held" | "missing" | "absent" | "unreadable";
  /** Whether table and manifest lie beside it. */
  readonly documents: boolean;
  readonly drawn: number;
  readonly held: number;
}

/** What all stores showed of one object. */
export interface ObjectLook {
  readonly stores: readonly StoreLook[];
  /** Columns that no store shows rightly, documents beside them included. */
  readonly missing: number;
  /** How many more may go; below 0 it is unreadable now. */
  readonly spare: number;
  /** Pieces of each column, and bytes of all packs as they should be; 0 if no store shows the table. */
  readonly stripes: number;
  readonly storedBytes: number;
  /** Why nothing could be looked at: `archive_unrecoverable`, `manifest_mismatch`. */
  readonly code?: string;
}

/** Faults that say something of the object and not of whoever looks. */
const ABOUT_THE_OBJECT: readonly string[] = ["archive_unrecoverable", "manifest_mismatch"];

/** Faults after which nothing is known. */
const ABOUT_THE_WORK: readonly string[] = ["aborted", "worker_died"];

/** Whether a store showed everything that was asked of it. */
export const isRight = ({ pack, documents, drawn, held }: StoreLook): boolean => pack === "held" && documents && held === drawn;

/** Looks at `sample` pieces on each store, drawn by `seed`, or at all. Faults: `sample_invalid`, `aborted`, `worker_died`. */
export async function lookAtObject(
  stores: readonly Store[],
  anchored: AnchoredObject,
  options: { readonly sample: number | "all"; readonly seed?: Uint8Array; readonly signal?: AbortSignal },
): Promise<ObjectLook> {
  const { id, reference } = archived(anchored);
  try {
    return lookOf(await auditPossession(reference, id, stores, options));
  } catch (error) {
    if (!(error instanceof Fault) || !ABOUT_THE_OBJECT.includes(error.code)) throw error;
    return nothingSeen(reference.code, error.code);
  }
}

/** Of an object that no audit could begin with. */
export const nothingSeen = ({ k, m }: CodeParameters, code: string): ObjectLook => ({
  stores: [],
  missing: k + m,
  spare: -k,
  stripes: 0,
  storedBytes: 0,
  code,
});

/** An audit's report in these terms. */
export function lookOf(report: AuditReport): ObjectLook {
  const { layout } = report;
  const stores = report.stores.map(({ store, slot, pack, table, manifest, checked, held }) => ({
    store,
    slot,
    pack,
    documents: table === "held" && manifest === "held",
    drawn: checked,
    held,
  }));
  const missing = stores.filter((store) => !isRight(store)).length;
  const storedBytes = columnsOf(layout) * packBytesOf(layout);
  return { stores, missing, spare: layout.code.m - missing, stripes: layout.stripes, storedBytes };
}

/** What a repair of one object did. */
export interface ObjectRepair {
  /** Columns missing before and after. */
  readonly before: number;
  readonly after: number;
  readonly pieces: number;
  readonly stores: readonly { readonly store: string; readonly pieces: number }[];
  readonly left: readonly StoreLeft[];
  /** Why nothing was done. */
  readonly code?: string;
}

/** Whether to move what lies on stores that are gone, and what is known of the others. */
export interface RepairChoices {
  readonly relocate?: boolean;
  readonly facts?: Readonly<Record<string, StoreFacts>>;
  readonly signal?: AbortSignal;
}

/** Repairs one object; with `relocate` columns of stores that are gone come to lie on others that take something. Faults: `aborted`, `worker_died`. */
export async function repairAnchored(
  { readable, writable }: StoreSet,
  anchored: AnchoredObject,
  { relocate = false, facts, signal }: RepairChoices = {},
): Promise<ObjectRepair> {
  const { id, reference } = archived(anchored);
  const closing = readable.filter((store) => !writable.some((one) => one.id === store.id));
  const known = { ...facts, ...Object.fromEntries(closing.map((store) => [store.id, { freeBytes: 0 }])) };
  try {
    return repairOf(
      await repair(reference, id, readable, { relocate, facts: known, ...(signal === undefined ? {} : { signal }) }),
    );
  } catch (error) {
    if (!(error instanceof Fault) || ABOUT_THE_WORK.includes(error.code)) throw error;
    const missing = reference.code.k + reference.code.m;
    return { before: missing, after: missing, pieces: 0, stores: [], left: [], code: error.code };
  }
}

/** A repair's record in these terms. */
export function repairOf({ before, after, repaired, left }: RepairRecord): ObjectRepair {
  const stores = repaired.map(({ store, pieces }) => ({ store, pieces }));
  const pieces = stores.reduce((sum, store) => sum + store.pieces, 0);
  return { before: lookOf(before).missing, after: lookOf(after).missing, pieces, stores, left };
}
