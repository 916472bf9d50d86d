/** Which stores take an object, from what they can still take now. */
import type { StoreFacts } from "../durability/placement-rank.ts";
import type { CodeParameters } from "../layout.ts";
import { placeObject } from "../placement.ts";
import type { Store } from "../store/store.ts";

/** An object to place: its code, its id, and what each of its stores must have room for. */
export interface Placing {
  readonly code: CodeParameters;
  readonly objectId: Uint8Array;
  readonly bytesPerStore: number;
  /** What is known of stores beside their room, by store id: measured availability, price. */
  readonly facts?: Readonly<Record<string, StoreFacts>> | undefined;
}

/**
 * The stores of each slot. Stores that are absent or too full are passed over while there are enough others; if not, they are taken all the
 * same, and whoever writes to them says what is wrong. Faults: `stores_too_few`.
 */
export async function chooseStores(
  stores: readonly Store[],
  { code, objectId, bytesPerStore, facts = {} }: Placing,
): Promise<Store[]> {
  const rooms = await Promise.all(
    stores.map(async (store): Promise<[string, StoreFacts]> => {
      const freeBytes = await store.room().then(
        (room) => Math.min(room.freeBytes, room.diskFreeBytes),
        () => 0,
      );
      return [store.id, { ...facts[store.id], freeBytes: freeBytes < bytesPerStore ? 0 : freeBytes }];
    }),
  );
  return placeObject(stores, code, objectId, Object.fromEntries(rooms));
}
