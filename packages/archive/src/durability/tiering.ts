/**
 * Which objects are cold, and which of them to move first: a policy is data, and what follows from it a function.
 * Source: requirement D6; design.md, "Archive".
 */

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

/** What a policy looks at of an object. Times are seconds since 1970. */
export interface TieredObject {
  readonly id: string;
  readonly sizeBytes: number;
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
    return [{ object, to, yuanPerMonth: (saved * object.sizeBytes) / 1e9 }];
  });
  const perByte = ({ yuanPerMonth, object }: TierMove): number => yuanPerMonth / object.sizeBytes;
  due.sort(
    (a, b) =>
      Number(b.yuanPerMonth < 0) - Number(a.yuanPerMonth < 0) || perByte(b) - perByte(a) || (a.object.id < b.object.id ? -1 : 1),
  );
  let left = budgetBytes;
  return due.filter(({ object }) => {
    if (object.sizeBytes > left) return false;
    left -= object.sizeBytes;
    return true;
  });
}
