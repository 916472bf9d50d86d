/**
 * Which objects are cold, and which of them to move first: a policy is data, and what follows from it a function.
 * Source: requirement D6; design.md, "Archive".
 */
import { ARCHIVE_USAGE, footprintOf } from "./footprint.ts";
import { BOUGHT_DISKS, IDLE_DISKS, type Prices } from "./prices.ts";

/** A place for objects of one temperature. The first tier of a policy takes what no other does. */
export interface Tier {
  readonly name: string;
  /** An object is as cold as this tier when it is so old and was not read for so long; both must hold. */
  readonly afterDays: number;
  readonly unreadDays: number;
  /** Smaller objects stay where they are: moving costs a visit to each store. */
  readonly minBytes: number;
  /** What a stored gigabyte costs a month in this tier, overhead included. */
  readonly yuanPerGbMonth: number;
}

/** Tiers from hot to cold. */
export type TierPolicy = readonly [Tier, ...Tier[]];

/** The tier of stores that name none: where imports go. */
export const FIRST_TIER = "first";

/** A month of a gigabyte on such disks, in yuan: the disk, its slot and electricity. */
const monthOf = (prices: Prices): number =>
  footprintOf({ overhead: 1, reduction: 1, readsPerLostByte: 1, bytesPerCpuSecond: {} }, ARCHIVE_USAGE, prices).yuan.disks;

/** What holds unless a member says otherwise: cold after a year, if it was not read for half a year. */
export const DEFAULT_TIERS: TierPolicy = [
  { name: FIRST_TIER, afterDays: 0, unreadDays: 0, minBytes: 0, yuanPerGbMonth: monthOf(BOUGHT_DISKS) },
  { name: "cold", afterDays: 365, unreadDays: 180, minBytes: 0, yuanPerGbMonth: monthOf(IDLE_DISKS) },
];

/** What a policy looks at of an object. Times are seconds since 1970. */
export interface TieredObject {
  readonly id: string;
  readonly sizeBytes: number;
  /** How much of it a move takes, where that is less: a part lies elsewhere, or has no place to go. */
  readonly movedBytes?: number;
  readonly archivedAt: number;
  /** Undefined if it was never read. */
  readonly lastReadAt?: number | undefined;
  /** The tier it is in. */
  readonly tier: string;
}

/** A move that is due. */
export interface TierMove {
  readonly object: TieredObject;
  readonly to: Tier;
  /** Saved a month; negative where an object was read again and goes back to a dearer tier. */
  readonly yuanPerMonth: number;
}

const DAY_SECONDS = 86_400;
const bytesOf = ({ sizeBytes, movedBytes = sizeBytes }: TieredObject): number => movedBytes;

/** The coldest tier whose conditions the object meets. */
export function tierOf(object: TieredObject, policy: TierPolicy, now: number): Tier {
  const age = (now - object.archivedAt) / DAY_SECONDS;
  const unread = (now - Math.max(object.archivedAt, object.lastReadAt ?? 0)) / DAY_SECONDS;
  const meets = (tier: Tier): boolean => age >= tier.afterDays && unread >= tier.unreadDays && object.sizeBytes >= tier.minBytes;
  return policy.slice(1).findLast(meets) ?? policy[0];
}

/**
 * The moves that are due, of at most `budgetBytes` together: objects that were read again first, since somebody waits for them, then those
 * that save most a byte moved. An object that does not fit is passed over for smaller ones. Cost: n log n.
 */
export function movesDue(objects: readonly TieredObject[], policy: TierPolicy, now: number, budgetBytes: number): TierMove[] {
  const priceOf = new Map(policy.map(({ name, yuanPerGbMonth }) => [name, yuanPerGbMonth]));
  const due = objects.flatMap((object): TierMove[] => {
    const to = tierOf(object, policy, now);
    if (to.name === object.tier) return [];
    const saved = (priceOf.get(object.tier) ?? 0) - to.yuanPerGbMonth;
    return [{ object, to, yuanPerMonth: (saved * bytesOf(object)) / 1e9 }];
  });
  const perByte = ({ yuanPerMonth, object }: TierMove): number => yuanPerMonth / Math.max(1, bytesOf(object));
  due.sort(
    (a, b) =>
      Number(b.yuanPerMonth < 0) - Number(a.yuanPerMonth < 0) || perByte(b) - perByte(a) || (a.object.id < b.object.id ? -1 : 1),
  );
  let left = budgetBytes;
  return due.filter(({ object }) => {
    const bytes = bytesOf(object);
    if (bytes > left) return false;
    left -= bytes;
    return true;
  });
}
