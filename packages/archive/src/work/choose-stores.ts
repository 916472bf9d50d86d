/** Which stores take an object, from what they can still take now. */
import type { StoreFacts } from "../durability/placement-rank.ts";
import type { CodeParameters } from "../layout.ts";
import { placeColumns, placeObject } from "../placement.ts";
import type { Store } from "../store/store.ts";

/** An object to place: its code, its id, and what each of its stores must have room for. */
export interface Placing {
  readonly code: CodeParameters;
  readonly objectId: Uint8Array;
  readonly bytesPerStore: number;
  /** What is known of stores beside their room, by store id: measured availability, price; no room of one that must not be asked. */
  readonly facts?: Readonly<Record<string, StoreFacts>> | undefined;
}

/**
 * The stores of each slot. Stores that are absent or too full are passed over while there are enough others; if not, they are taken all the
 * same, and whoever writes to them says what is wrong. Faults: `stores_too_few`.
 */
export const chooseStores = async (stores: readonly Store[], placing: Placing): Promise<Store[]> =>
  placeObject(stores, placing.code, placing.objectId, await factsOf(stores, placing));

/** Stores for `count` columns that need a new place, beside those that are kept; fewer if there are not enough with room. */
export const chooseReplacements = async (
  stores: readonly Store[],
  kept: readonly Store[],
  count: number,
  placing: Placing,
): Promise<Store[]> => placeColumns(stores, kept, count, { ...placing, facts: await factsOf(stores, placing) });

/** What is known of the stores, with the room that they have now; none if they are away or an object does not fit. */
async function factsOf(stores: readonly Store[], { bytesPerStore, facts = {} }: Placing): Promise<Record<string, StoreFacts>> {
  const found = stores.map(async (store): Promise<[string, StoreFacts]> => {
    if (facts[store.id]?.freeBytes === 0) return [store.id, { freeBytes: 0 }];
    const freeBytes = await store.room().then(
      (room) => Math.min(room.freeBytes, room.diskFreeBytes),
      () => 0,
    );
    return [store.id, { ...facts[store.id], freeBytes: freeBytes < bytesPerStore ? 0 : freeBytes }];
  });
  return Object.fromEntries(await Promise.all(found));
}
