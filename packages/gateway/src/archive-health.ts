/**
 * How the archive is: objects by how many of their columns are missing, which of them wait for repair, and what that means for the year to come.
 * Source: requirements D2, D3; docs/internals/durability.md.
 */

import { setTimeout } from "node:timers/promises";
import { ARCHIVE_USAGE, auditPossession, type CodeParameters, lossWithin, repair } from "@xinglin/archive";
import { type Identity, TrustedChain } from "@xinglin/client";
import { Fault } from "@xinglin/primitives";
import { type AnchoredObject, archived, hasEnded, listObjects } from "./audit.ts";
import { movingFacts } from "./choose-code.ts";
import type { Gateway } from "./keep-record.ts";

/** A lost store is noticed and its columns are rebuilt within a week. */
const REPAIR_DAYS = 7;
const DAYS_A_YEAR = 365.25;
/** Pieces looked at on each store. */
const SAMPLE = 4;

/** An object that lacks columns. */
export interface ObjectHealth {
  readonly object: string;
  /** Of an object that holds one record. */
  readonly record?: string;
  /** Columns that no store shows rightly, documents beside them included. */
  readonly missing: number;
  /** How many more may go; below 0 it is unreadable now. */
  readonly spare: number;
}

/** The archive as a member sees it: its own objects, a commission all. */
export interface ArchiveHealth {
  readonly objects: number;
  /** Objects by missing columns. */
  readonly byMissing: ReadonlyMap<number, number>;
  /** Those that lack something, the most endangered first. */
  readonly queue: readonly ObjectHealth[];
  /** Stored bytes for each byte sealed, of the widest code. */
  readonly overhead: number;
  /** The probability that some object is lost within a year, if nothing lost is repaired later than after a week. */
  readonly yearlyLoss: number;
}

/** Looks at a sample of every object on every store; what a record that has ended left is no loss and is passed over. Faults: those of `listObjects`. */
export async function archiveHealth(gateway: Gateway, by: Identity, sample: number = SAMPLE): Promise<ArchiveHealth> {
  const { readable } = await gateway.stores(by);
  const chain = await TrustedChain.of(gateway.client);
  const byMissing = new Map<number, number>();
  const queue: ObjectHealth[] = [];
  let [objects, overhead, survival] = [0, 1, 1];
  for await (const anchored of listObjects(gateway.client, by)) {
    const { id, reference } = archived(anchored);
    const { k, m } = reference.code;
    const missing = await auditPossession(reference, id, readable, { sample }).then(
      ({ stores }) =>
        stores.filter((s) => s.pack !== "held" || s.table !== "held" || s.manifest !== "held" || s.held < s.checked).length,
      (error: unknown) => {
        if (error instanceof Fault && ["archive_unrecoverable", "manifest_mismatch"].includes(error.code)) return k + m;
        throw error;
      },
    );
    if (missing > 0 && (await hasEnded(chain, by, anchored))) continue;
    objects++;
    byMissing.set(missing, (byMissing.get(missing) ?? 0) + 1);
    overhead = Math.max(overhead, (k + m) / k);
    survival *= 1 - yearlyLossOf(reference.code, missing);
    const { record } = anchored;
    if (missing > 0)
      queue.push({ object: anchored.object.id, ...(record === undefined ? {} : { record }), missing, spare: m - missing });
  }
  queue.sort((a, b) => a.spare - b.spare);
  return { objects, byMissing, queue, overhead, yearlyLoss: 1 - survival };
}

/** Of one object that lacks columns now and is left so, while others come and go as usual. */
function yearlyLossOf({ k, m }: CodeParameters, missing: number): number {
  if (missing > m) return 1;
  const rates = { failure: ARCHIVE_USAGE.storeLossesPerYear, repair: DAYS_A_YEAR / REPAIR_DAYS };
  return lossWithin({ k, m: m - missing }, rates, 1);
}

/** What a round of repairs did. */
export interface RepairRound {
  readonly repaired: number;
  readonly pieces: number;
  /** Objects that could not be repaired, or not wholly, by code: `store_absent` where a store of theirs is away. */
  readonly left: ReadonlyMap<string, number>;
  /** Objects that lack something and were not due. */
  readonly waiting: number;
}

/**
 * Repairs the objects of `queue` that have at most `spare` columns to lose, the most endangered first. After each it rests, so that repairs take
 * `share` of the time at most and reads find the stores free. With `relocate`, columns of stores that are gone are rebuilt on others. Killed half way, nothing is lost: the next round finds what is left.
 */
export async function repairQueue(
  gateway: Gateway,
  by: Identity,
  queue: readonly ObjectHealth[],
  {
    spare,
    share = 0.5,
    relocate = false,
    onObject = () => {},
  }: { spare: number; share?: number; relocate?: boolean; onObject?: (object: ObjectHealth, pieces: number) => void },
): Promise<RepairRound> {
  const { readable } = await gateway.stores(by);
  const wanted = new Map(queue.filter((one) => one.spare <= spare).map((one) => [one.object, one]));
  const known = new Map<string, AnchoredObject>();
  for await (const anchored of listObjects(gateway.client, by))
    if (wanted.has(anchored.object.id)) known.set(anchored.object.id, anchored);
  const moving = relocate ? { relocate, facts: await movingFacts(gateway, by) } : {};
  const left = new Map<string, number>();
  let [repaired, pieces] = [0, 0];
  for (const [object, health] of wanted) {
    const anchored = known.get(object);
    if (anchored === undefined) continue;
    const started = performance.now();
    try {
      const { id, reference } = archived(anchored);
      const { before, after } = await repair(reference, id, readable, moving);
      pieces += after.held - before.held;
      onObject(health, after.held - before.held);
      // What is still missing lies on stores that were not there to be written to.
      if (after.intact) repaired++;
      else left.set("store_absent", (left.get("store_absent") ?? 0) + 1);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      left.set(error.code, (left.get(error.code) ?? 0) + 1);
    }
    await setTimeout((performance.now() - started) * (1 / share - 1));
  }
  return { repaired, pieces, left, waiting: queue.length - wanted.size };
}
