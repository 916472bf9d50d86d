/**
 * Moving what is cold to cheaper stores of the same member, and back when it is read again: what is due by the policy, and the moves.
 * Source: requirement D6; docs/internals/durability.md, "Tiers".
 */
import {
  FIRST_TIER,
  heldPack,
  movePack,
  movesDue,
  openStore,
  type Store,
  type StoreDescription,
  storeTier,
  type Tier,
  type TieredObject,
  type TierMove,
  type TierPolicy,
  tierOf,
} from "@xinglin/archive";
import type { ApiClient } from "@xinglin/client";
import { Fault, fromHex, type MemberId } from "@xinglin/primitives";
import type { AnchoredObject } from "./anchored-object.ts";
import type { ArchiveView } from "./archive-view.ts";
import { listLentStores } from "./stores.ts";

/** A move that is due, with the packs that can go: one a store. */
export interface TierWork extends TierMove {
  readonly anchored: AnchoredObject;
  readonly bytes: number;
  readonly packs: readonly Store[];
}

/** What is due now. */
export interface TierPlan {
  readonly work: readonly TierWork[];
  /** Stores that objects of a tier go to, by its name. */
  readonly places: ReadonlyMap<string, readonly Store[]>;
  /** Objects of the member that lie on its stores here. */
  readonly objects: number;
  /** Objects that are due and whose tier has no store for any further column of them. */
  readonly noPlace: number;
  /** Stores that were not there. */
  readonly away: readonly string[];
}

/** The stores of `member` among those of this machine; none that drains: its packs go by `drainStore`. */
export async function storesToTier(
  client: ApiClient,
  member: MemberId,
  local: readonly StoreDescription[],
): Promise<readonly Store[]> {
  const closing = new Set((await listLentStores(client)).filter(({ state }) => state !== "offered").map(({ id }) => id));
  return local.filter((store) => store.member === member && !closing.has(store.id)).map(openStore);
}

/**
 * What the policy asks for of the objects in `view` that lie on `own`, at most `budgetBytes`. Nothing is moved. Only packs on these stores are
 * looked at: those of the same object at other members stay where they are. Cost: a listing of each store, and a table an object that may be due.
 * Faults: `tier_unknown` (a store names a tier that the policy does not have), `tier_without_stores` (no store is of any tier but the first).
 */
export async function planTiers(
  view: Pick<ArchiveView, "objects">,
  own: readonly Store[],
  policy: TierPolicy,
  { now, budgetBytes }: { readonly now: number; readonly budgetBytes: number },
): Promise<TierPlan> {
  const { holders, away } = await holdersIn(own);
  const tiers = tiersOf(own, policy);
  const there = own.filter(({ id }) => !away.includes(id));
  const places = new Map(tiers.map(({ name }) => [name, there.filter((store) => tierAt(store) === name)]));
  const found = new Map<TieredObject, Pick<TierWork, "anchored" | "packs">>();
  let objects = 0;
  let noPlace = 0;
  for await (const anchored of view.objects()) {
    const stores = holders.get(anchored.object.id);
    if (stores === undefined || anchored.status === "dropped") continue;
    objects++;
    const times = { id: anchored.object.id, archivedAt: anchored.time, lastReadAt: anchored.readAt };
    const largest = { ...times, sizeBytes: Number.MAX_SAFE_INTEGER, tier: "" };
    // Without opening it: whatever its size, it is where it should be.
    if (stores.every((store) => tierAt(store) === FIRST_TIER) && tierOf(largest, tiers, now).name === FIRST_TIER) continue;
    const packs = await packsOn(stores, fromHex(anchored.object.id));
    const sizeBytes = packs.reduce((sum, { bytes }) => sum + bytes, 0);
    const to = tierOf({ ...largest, sizeBytes }, tiers, now);
    const targets = places.get(to.name) ?? [];
    for (const tier of new Set(packs.map(({ store }) => tierAt(store)))) {
      if (tier === to.name) continue;
      const going = goingTo(targets, packs, tier);
      if (going.length === 0) noPlace++;
      const movedBytes = going.reduce((sum, { bytes }) => sum + bytes, 0);
      if (going.length > 0)
        found.set({ ...times, sizeBytes, movedBytes, tier }, { anchored, packs: going.map(({ store }) => store) });
    }
  }
  const due = movesDue([...found.keys()], tiers, now, budgetBytes);
  const work = due.map((move) => ({
    ...move,
    ...(found.get(move.object) as Pick<TierWork, "anchored" | "packs">),
    bytes: move.object.movedBytes ?? 0,
  }));
  return { work, places, objects, noPlace, away };
}

/** What became of a plan. */
export interface TierOutcome {
  readonly objects: number;
  readonly packs: number;
  /** Packs that stay where they are, and why: by code, how many. */
  readonly left: ReadonlyMap<string, number>;
}

/**
 * Moves what is due. Each pack is on the other store's disk before it is removed from the one it was on, so it may be stopped anywhere and called
 * again. A pack goes to no store that has one of the object already, and to none by which a building, power supply or city would hold more
 * columns than may be lost. `onMoved` is told how many objects are done.
 */
export async function moveTiers(
  view: ArchiveView,
  { work, places }: Pick<TierPlan, "work" | "places">,
  onMoved: (done: number) => void = () => {},
): Promise<TierOutcome> {
  const { readable } = await view.stores();
  const left = new Map<string, number>();
  let objects = 0;
  let moved = 0;
  for (const [i, { anchored, to, packs }] of work.entries()) {
    const before = moved;
    // What has ended is to go from the stores, not to others.
    const going = (await view.hasEnded(anchored)) ? [] : packs;
    for (const from of going)
      try {
        const around = { readable, writable: places.get(to.name) ?? [], keepApart: true };
        if ((await movePack(fromHex(anchored.object.id), from, around)).to !== undefined) moved++;
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        left.set(error.code, (left.get(error.code) ?? 0) + 1);
      }
    if (moved > before) objects++;
    onMoved(i + 1);
  }
  return { objects, packs: moved, left };
}

const tierAt = ({ description }: Store): string => storeTier(description);

/** The tiers of a policy that have a store; the first always. */
function tiersOf(own: readonly Store[], [first, ...colder]: TierPolicy): TierPolicy {
  const names = [first, ...colder].map(({ name }) => name);
  const unknown = own.find((store) => !names.includes(tierAt(store)));
  if (unknown !== undefined)
    throw new Fault("tier_unknown", { store: unknown.id, tier: tierAt(unknown), tiers: names.join("|") });
  const used: readonly Tier[] = colder.filter(({ name }) => own.some((store) => tierAt(store) === name));
  if (used.length === 0) throw new Fault("tier_without_stores", { tiers: names.slice(1).join("|") });
  return [first, ...used];
}

/** Which of these stores hold which object, by its id in hex. */
async function holdersIn(own: readonly Store[]): Promise<{ holders: ReadonlyMap<string, Store[]>; away: readonly string[] }> {
  const holders = new Map<string, Store[]>();
  const away: string[] = [];
  for (const store of own)
    try {
      for (const id of await store.list()) {
        const stores = holders.get(id);
        if (stores === undefined) holders.set(id, [store]);
        else stores.push(store);
      }
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      away.push(store.id);
    }
  return { holders, away };
}

interface OwnPack {
  readonly store: Store;
  readonly slot: number;
  readonly bytes: number;
}

async function packsOn(stores: readonly Store[], objectId: Uint8Array): Promise<readonly OwnPack[]> {
  const found: OwnPack[] = [];
  for (const store of stores) {
    // One that cannot be read is an audit's to find.
    const pack = await heldPack(store, objectId).catch(() => undefined);
    if (pack !== undefined) found.push({ store, ...pack });
  }
  return found;
}

/** The packs in `tier` that can go: first those that a move left on both, then as many as there are stores without one. */
function goingTo(targets: readonly Store[], packs: readonly OwnPack[], tier: string): readonly OwnPack[] {
  const isTarget = new Set(targets.map(({ id }) => id));
  const arrived = packs.filter(({ store }) => isTarget.has(store.id));
  const here = packs.filter(({ store }) => tierAt(store) === tier);
  const isOnBoth = ({ slot }: OwnPack): boolean => arrived.some((pack) => pack.slot === slot);
  const free = targets.length - arrived.length;
  return [...here.filter(isOnBoth), ...here.filter((pack) => !isOnBoth(pack)).slice(0, free)];
}
