/**
 * The end of pixels that are kept once: what came to nothing is removed at once; what the chain keeps is dropped there first, so that an audit never
 * misses what is in force. Every step may be repeated after a crash.
 * Source: docs/decisions/0012-shared-pixels.md.
 */
import { toHex } from "@xinglin/primitives";
import { destroyObject, type ObjectDestruction } from "../destroy.ts";
import type { Store } from "../store/store.ts";
import type { BegunVersion, SharedRegistry, SharedState } from "./registry.ts";

/** A version came to nothing: it failed, or was never anchored. What it alone made is removed from the stores, now or, where one is away, later. */
export async function takeBackShared(registry: SharedRegistry, version: Uint8Array, stores: readonly Store[]): Promise<void> {
  registry.discard(version);
  await removeMade(registry, stores);
}

/** Who looks for what a process left that died. */
export interface CollectSharedOptions {
  /** Whether the version is on the chain, or may still come there. */
  readonly isAnchored: (version: BegunVersion) => boolean;
  /** Whether the process that began it may still be at work. */
  readonly isRunning: (process: number) => boolean;
}

/** Ends what processes began that are gone: what is on the chain is known from now on, all else is taken back. Returns how many versions that was. */
export async function collectShared(
  registry: SharedRegistry,
  stores: readonly Store[],
  { isAnchored, isRunning }: CollectSharedOptions,
): Promise<number> {
  let taken = 0;
  for (const version of registry.begun()) {
    if (isRunning(version.process)) continue;
    if (isAnchored(version)) {
      registry.anchored(version.objectId);
      continue;
    }
    registry.discard(version.objectId);
    taken++;
  }
  await removeMade(registry, stores);
  return taken;
}

/** Objects that no version relies on and the chain never knew: nobody else can hold their key. */
async function removeMade(registry: SharedRegistry, stores: readonly Store[]): Promise<void> {
  for (const { objectId, state } of registry.unused()) {
    if (state !== "made") continue;
    const removed = await Promise.allSettled(stores.map((store) => store.remove(objectId)));
    if (removed.every(({ status }) => status === "fulfilled")) registry.removed(objectId); // else at the next call
  }
}

/** What became of an object that no version relies on any more. Without `destruction` it stays. */
export interface SharedRelease extends Pick<SharedState, "objectId" | "held"> {
  readonly destruction?: ObjectDestruction;
}

/**
 * Says that versions were destroyed, and destroys the objects that no version relies on any more: `drop` has the chain drop one, and says whether it
 * did; whatever it refuses stays, and is asked again at the next call, as is what an earlier one left. Returns what became of the objects that the
 * versions relied on; what other versions rely on is among them, without `destruction`.
 */
export async function releaseShared(
  registry: SharedRegistry,
  versions: readonly Uint8Array[],
  stores: readonly Store[],
  drop: (objectId: Uint8Array) => Promise<boolean>,
): Promise<SharedRelease[]> {
  registry.end(versions);
  const relied = registry.objects(versions);
  const released: SharedRelease[] = [];
  const known = new Set(relied.map(({ objectId }) => toHex(objectId)));
  const left = registry.unused().filter(({ objectId }) => !known.has(toHex(objectId)));
  for (const { objectId, reference, state, inUse, held } of [...relied, ...left]) {
    // What is gone is looked at again: a store that was put back from an old copy may have it.
    const stays = inUse || held || reference === undefined || (state === "kept" && !(await drop(objectId)));
    if (stays) {
      released.push({ objectId, held });
      continue;
    }
    const destruction = await destroyObject(reference, objectId, stores);
    if (destruction.stores.every(({ outcome }) => outcome !== "not_reached")) registry.removed(objectId);
    released.push({ objectId, held, destruction });
  }
  return released.slice(0, relied.length);
}
