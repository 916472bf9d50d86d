/**
 * Audits and repairs that anyone can run: neither needs the content key.
 * Source: design.md, "Archive" (possession audits by sampled pieces with Merkle paths, repair without the owner online).
 */
import { randomBytes } from "node:crypto";
import { Fault } from "@xinglin/primitives";
import type { StoreFacts } from "./durability/placement-rank.ts";
import type { ObjectReference } from "./reference.ts";
import { stageOwner } from "./store/owner.ts";
import type { Store } from "./store/store.ts";
import type { AuditReport } from "./work/audit-object.ts";
import { runTask, type WorkOptions } from "./work/pool.ts";
import type { RepairRecord } from "./work/repair-object.ts";

export interface AuditOptions extends WorkOptions {
  /** Pieces to look at on each store, or all of them (the default). 460 find a loss of 1 % with 99 %, of a smaller object fewer: `sampleFor`. */
  readonly sample?: number | "all";
  /** Draws the sample; random unless given. What the stores could not foresee, for example a block's hash, makes it fair for all. */
  readonly seed?: Uint8Array;
}

/**
 * Looks at pieces of every store that should hold some, and at the documents beside them. Missing and wrong pieces are named in the
 * report, never thrown. Faults: `sample_invalid`, `archive_unrecoverable` (no table is left), `manifest_mismatch` (only tables with
 * another root are left), `aborted`, `worker_died`.
 */
export async function auditPossession(
  reference: ObjectReference,
  objectId: Uint8Array,
  stores: readonly Store[],
  options: AuditOptions = {},
): Promise<AuditReport> {
  const { sample = "all", seed = new Uint8Array(randomBytes(32)), ...work } = options;
  if (sample !== "all" && !(Number.isSafeInteger(sample) && sample > 0)) throw new Fault("sample_invalid");
  const descriptions = stores.map((store) => store.description);
  return await runTask("auditObject", { reference, objectId, stores: descriptions, sample, seed }, work);
}

/** How a repair goes about stores that are not there. */
export interface RepairOptions extends WorkOptions {
  /**
   * Rebuilds columns of stores that are away or not among those given on other stores that are, as placement would; and drops packs that are there
   * twice. For a store that is gone for good, or is to be emptied (leave it out of the stores given, then remove the object from it).
   */
  readonly relocate?: boolean;
  /** What is known of stores beside their room, by store id: see `placeObject`. */
  readonly facts?: Readonly<Record<string, StoreFacts>>;
}

/**
 * Rebuilds every missing or wrong piece and document on the stores that are there, and holds it against the old root before writing.
 * A store that cannot be written to ends nothing: the others are repaired, and it is named. Returns the audits before and after. Faults:
 * `archive_unrecoverable` (fewer than k pieces of a stripe; nothing is changed), `manifest_mismatch`, `aborted`, `worker_died`.
 */
export async function repair(
  reference: ObjectReference,
  objectId: Uint8Array,
  stores: readonly Store[],
  options: RepairOptions = {},
): Promise<RepairRecord> {
  const { relocate = false, facts, ...work } = options;
  const descriptions = stores.map((store) => store.description);
  return await runTask("repairObject", { reference, objectId, stores: descriptions, owner: stageOwner, relocate, facts }, work);
}
