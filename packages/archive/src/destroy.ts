/**
 * The end of an object: its pieces are dropped from every store that can be reached, and a look at all stores afterwards says what could still
 * be put together. What ends a record is the destruction of its key; dropping the pieces leaves nothing to keep, and nothing for a key that
 * someone should have kept after all.
 * Source: requirement D8; design.md, "Consent, access, custody" (Ending).
 */
import { Fault, toHex } from "@xinglin/primitives";
import type { ObjectReference } from "./reference.ts";
import type { Store } from "./store/store.ts";

/** `dropped`: it held something and does no more; `held_nothing`; `not_reached`: it may hold its pieces still, ask again. */
export const DROP_OUTCOMES = ["dropped", "held_nothing", "not_reached"] as const;

/** What one store did. `code` says why it was not reached. */
export interface StoreDrop {
  readonly store: string;
  readonly member: string;
  readonly outcome: (typeof DROP_OUTCOMES)[number];
  readonly code?: string;
}

/** A look at all stores: how many different packs they show, how many stores could not be asked, and how many packs decode the object. */
export interface DecodeProbe {
  readonly packs: number;
  readonly unseen: number;
  readonly needed: number;
}

/** What became of one object. */
export interface ObjectDestruction {
  readonly objectId: Uint8Array;
  readonly stores: readonly StoreDrop[];
  readonly probe: DecodeProbe;
}

/** Who is asked before anything is touched. */
export interface DestroyOptions {
  /** Whether something else still refers to the object, by its id in hex: another record version, or records that share its pack. */
  readonly isReferred?: (objectId: string) => boolean | Promise<boolean>;
}

/** Whether what a probe saw cannot be put together, even if each store that was not seen held a pack of its own. */
export const isUndecodable = ({ packs, unseen, needed }: DecodeProbe): boolean => packs + unseen < needed;

/**
 * Drops an object, staged or published, on all stores at once; stores that fail are named in the outcome and never stop the others. May be
 * called again, by anyone and after a crash at any point, until none is `not_reached`. Faults: `object_referred` (nothing was touched).
 */
export async function destroyObject(
  reference: Pick<ObjectReference, "code">,
  objectId: Uint8Array,
  stores: readonly Store[],
  { isReferred }: DestroyOptions = {},
): Promise<ObjectDestruction> {
  const object = toHex(objectId);
  if ((await isReferred?.(object)) === true) throw new Fault("object_referred", { object });
  const dropped = await Promise.all(stores.map((store) => drop(store, objectId)));
  return { objectId, stores: dropped, probe: await probeObject(reference, objectId, stores) };
}

/** Opens the object's pack on every store and counts; no key and no table is needed, and nothing is changed. */
export async function probeObject(
  { code }: Pick<ObjectReference, "code">,
  objectId: Uint8Array,
  stores: readonly Store[],
): Promise<DecodeProbe> {
  const slots = new Set<number>();
  let unseen = 0;
  await Promise.all(
    stores.map(async (store) => {
      try {
        const pack = await store.open(objectId);
        if (pack === undefined) return;
        slots.add(pack.slot);
        await pack.close();
      } catch {
        unseen++;
      }
    }),
  );
  return { packs: slots.size, unseen, needed: code.k };
}

async function drop(store: Store, objectId: Uint8Array): Promise<StoreDrop> {
  const { id, member } = store;
  try {
    const held = await store.has(objectId);
    // Also where it seems to hold nothing: a stage, or the rest of a removal that was cut off, goes as well.
    await store.remove(objectId);
    if (await store.has(objectId)) throw new Fault("store_unwritable", { store: id }, { retry: true });
    return { store: id, member, outcome: held ? "dropped" : "held_nothing" };
  } catch (cause) {
    if (!(cause instanceof Fault)) throw cause;
    return { store: id, member, outcome: "not_reached", code: cause.code };
  }
}
