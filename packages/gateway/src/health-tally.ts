/**
 * Adds up what looks at objects found: how many lack how much, which wait for repair, what that means for the year to come and what a month costs.
 * Source: requirements D2, D3, D6; docs/internals/durability.md.
 */
import { ARCHIVE_USAGE, BOUGHT_DISKS, type CodeParameters, copies, footprintOf, lossWithin } from "@xinglin/archive";
import type { AnchoredObject } from "./anchored-object.ts";

/** A lost store is noticed and its columns are rebuilt within a week. */
const REPAIR_DAYS = 7;
const DAYS_A_YEAR = 365.25;
/** What a core does in a second, as `npm run bench -- archive` measures it: a third of a percent of the cost hangs on it. */
const BYTES_PER_CPU_SECOND = { ingest: 300e6, audit: 550e6, repair: 500e6 };
const GB = 1e9;
const COPIES = 3;

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

/** What keeping all of it costs a month on disks bought for it: an estimate from stated prices and measured work. */
export interface MonthlyCost {
  readonly yuan: number;
  readonly joules: number;
  /** Of three plain copies of the same bytes. */
  readonly threeCopies: { readonly yuan: number; readonly joules: number };
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
  /** Bytes of all packs; of an object that is unreadable nothing is known. */
  readonly storedBytes: number;
  /** The probability that some object is lost within a year, if nothing lost is repaired later than after a week. */
  readonly yearlyLoss: number;
  readonly cost: MonthlyCost;
}

/** Collects looks; `health` says what they come to. */
export class HealthTally {
  readonly #objects = new Map<
    string,
    { readonly anchored: AnchoredObject; readonly missing: number; readonly storedBytes: number }
  >();

  /** Notes an object, in place of what was noted of it before. */
  note(anchored: AnchoredObject, { missing, storedBytes }: { readonly missing: number; readonly storedBytes: number }): void {
    this.#objects.set(anchored.object.id, { anchored, missing, storedBytes });
  }

  /** An object's columns after a repair. */
  repaired(object: string, missing: number): void {
    const known = this.#objects.get(object);
    if (known !== undefined) this.#objects.set(object, { ...known, missing });
  }

  health(): ArchiveHealth {
    const byMissing = new Map<number, number>();
    const queue: ObjectHealth[] = [];
    const cost = { yuan: 0, joules: 0, threeCopies: { yuan: 0, joules: 0 } };
    let [overhead, survival, storedBytes] = [1, 1, 0];
    for (const { anchored, missing, storedBytes: bytes } of this.#objects.values()) {
      const { record, object } = anchored;
      const { k, m } = object.code;
      byMissing.set(missing, (byMissing.get(missing) ?? 0) + 1);
      overhead = Math.max(overhead, (k + m) / k);
      storedBytes += bytes;
      survival *= 1 - yearlyLossOf(object.code, missing);
      addCost(cost, object.code, bytes);
      if (missing > 0)
        queue.push({ object: object.id, ...(record === undefined ? {} : { record }), missing, spare: m - missing });
    }
    queue.sort((a, b) => a.spare - b.spare);
    return { objects: this.#objects.size, byMissing, queue, overhead, storedBytes, yearlyLoss: 1 - survival, cost };
  }
}

/** Of one object that lacks columns now and is left so, while others come and go as usual. */
function yearlyLossOf({ k, m }: CodeParameters, missing: number): number {
  if (missing > m) return 1;
  const rates = { failure: ARCHIVE_USAGE.storeLossesPerYear, repair: DAYS_A_YEAR / REPAIR_DAYS };
  return lossWithin({ k, m: m - missing }, rates, 1);
}

type Adding = { yuan: number; joules: number; readonly threeCopies: { yuan: number; joules: number } };

function addCost(sum: Adding, { k, m }: CodeParameters, storedBytes: number): void {
  const overhead = (k + m) / k;
  const sealedGb = storedBytes / overhead / GB;
  const scheme = { overhead, reduction: 1, readsPerLostByte: k, bytesPerCpuSecond: BYTES_PER_CPU_SECOND };
  const ours = footprintOf(scheme, ARCHIVE_USAGE, BOUGHT_DISKS);
  const theirs = footprintOf(copies(COPIES), ARCHIVE_USAGE, BOUGHT_DISKS);
  sum.yuan += sealedGb * ours.yuan.total;
  sum.joules += sealedGb * ours.joules.total;
  sum.threeCopies.yuan += sealedGb * theirs.yuan.total;
  sum.threeCopies.joules += sealedGb * theirs.joules.total;
}
