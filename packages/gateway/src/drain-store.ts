/** Leaving the archive: whatever a store holds goes to others first. Source: docs/internals/archive.md, "Leaving". */
import { movePack, openStore, type StoreDescription } from "@xinglin/archive";
import type { Identity } from "@xinglin/client";
import { Fault, fromHex } from "@xinglin/primitives";
import { movingFacts } from "./choose-code.ts";
import type { Gateway } from "./keep-record.ts";

/** How far a drain came. */
export interface DrainOutcome {
  readonly moved: number;
  /** Objects that are still there, and why: by code, how many. */
  readonly left: ReadonlyMap<string, number>;
}

/**
 * Moves every object of a store on this machine to stores of the consortium that take something. Each is on the other store's disk before it is
 * removed here, so whenever it is cut off it can be called again.
 */
export async function drainStore(
  gateway: Gateway,
  by: Identity,
  local: StoreDescription,
  onMoved: (done: number, all: number) => void = () => {},
): Promise<DrainOutcome> {
  const from = openStore(local);
  const around = { ...(await gateway.stores(by)), facts: await movingFacts(gateway, by) };
  const objects = await from.list();
  const left = new Map<string, number>();
  let moved = 0;
  for (const [i, object] of objects.entries()) {
    try {
      await movePack(fromHex(object), from, around);
      moved++;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      left.set(error.code, (left.get(error.code) ?? 0) + 1);
    }
    onMoved(i + 1, objects.length);
  }
  return { moved, left };
}
