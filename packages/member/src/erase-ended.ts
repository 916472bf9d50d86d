/**
 * Erasing again: a store or a custodian's folder that was put back from an old copy holds what had ended meanwhile. Before a member serves anything,
 * what the chain says is ended goes once more. The same finishes a destruction that was cut off, or that found this member's node down.
 * Source: requirement D8; design.md, "Consent, access, custody" (Ending).
 */
import type { Store } from "@xinglin/archive";
import { getKeptObject, getRecord, getRecordVersion, type StateReader } from "@xinglin/contracts";
import { endedObjects, type ObjectReferrer, objectReferrers, type ReadModel } from "@xinglin/index";
import { Fault, fromHex, type MemberId, type RecordId, toHex } from "@xinglin/primitives";

/** Objects that are asked for at once. */
const BATCH = 1_000;

/**
 * Drops from `stores` the objects of ended records that nothing else names, and kept ones that were dropped. The read model finds them, the chain's state decides: rows that were
 * changed from outside cost no object that a record in force names. Stores that are away are left out. Returns how many packs went.
 */
export async function eraseEndedObjects(
  { ledger, index }: { readonly ledger: StateReader; readonly index: ReadModel },
  stores: readonly Store[],
): Promise<number> {
  await index.catchUp();
  const ended = new Set(await endedObjects(index.db));
  if (ended.size === 0) return 0;
  let dropped = 0;
  for (const store of stores) {
    const held = await listed(store);
    const suspects = held.filter((object) => ended.has(object));
    for (let at = 0; at < suspects.length; at += BATCH)
      for (const object of await droppable(ledger, index, suspects.slice(at, at + BATCH))) {
        await store.remove(fromHex(object));
        dropped++;
      }
  }
  return dropped;
}

/** Those that only ended records name. */
async function droppable(ledger: StateReader, index: ReadModel, objects: readonly string[]): Promise<readonly string[]> {
  const naming = Map.groupBy(await objectReferrers(index.db, objects), ({ object }) => object);
  return objects.filter((object) => {
    const records = naming.get(object) ?? [];
    return records.length > 0 && records.every((one) => isOver(ledger, one));
  });
}

function isOver(ledger: StateReader, { object, record, kept, source }: ObjectReferrer): boolean {
  if (record !== null) return hasEnded(ledger, record as RecordId, object);
  return kept !== null && getKeptObject(ledger, source as MemberId, object)?.status === "dropped";
}

/** Whether the record has ended and one of its versions is this object, not a slice of it. */
function hasEnded(ledger: StateReader, id: RecordId, object: string): boolean {
  const newest = getRecord(ledger, id);
  if (newest?.status !== "ending") return false;
  for (let version = newest.version; version >= 1; version--) {
    const named = version === newest.version ? newest : getRecordVersion(ledger, id, version);
    if (named !== undefined && toHex(named.object.id) === object && named.object.slice === undefined) return true;
  }
  return false;
}

async function listed(store: Store): Promise<readonly string[]> {
  try {
    return await store.list();
  } catch (error) {
    if (error instanceof Fault) return []; // it is away
    throw error;
  }
}
