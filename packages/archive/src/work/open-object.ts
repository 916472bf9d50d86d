/** Finding an object on the stores that are there: its packs, its piece table, its sealed manifest. Nothing found is trusted unchecked. */
import { equal, Fault } from "@xinglin/primitives";
import { sha256 } from "../digest.ts";
import { MAX_MANIFEST_BYTES } from "../manifest.ts";
import { decodeTable, MAX_TABLE_BYTES, type PieceTable } from "../piece-table.ts";
import type { ObjectReference } from "../reference.ts";
import type { StoreDescription } from "../store/description.ts";
import { openStore } from "../store/open.ts";
import type { DocumentName, Store, StoredPack } from "../store/store.ts";
import { TroubleLog } from "./trouble.ts";

/** Which object, and where to look for it. */
export interface ObjectOrder {
  readonly reference: ObjectReference;
  readonly objectId: Uint8Array;
  readonly stores: readonly StoreDescription[];
}

/** A store that holds a pack of the object. */
export interface Holder {
  readonly store: Store;
  readonly pack: StoredPack;
}

/** An object found. Close it after use. */
export interface OpenObject {
  readonly stores: readonly Store[];
  readonly holders: readonly Holder[];
  readonly table: PieceTable;
  readonly troubles: TroubleLog;
  close(): Promise<void>;
}

/**
 * Opens the object's packs and reads the first table whose root is the anchored one. Faults: `archive_unrecoverable` (no store has a
 * table), `manifest_mismatch` (tables are there, none has the anchored root).
 */
export async function openObject({ reference, objectId, stores: descriptions }: ObjectOrder): Promise<OpenObject> {
  const troubles = new TroubleLog();
  const stores = descriptions.map(openStore);
  const holders: Holder[] = [];
  const close = async (): Promise<void> => void (await Promise.allSettled(holders.map(({ pack }) => pack.close())));
  try {
    for (const store of stores) {
      const pack = await store.open(objectId).catch((fault: unknown) => fault);
      if (pack === undefined) troubles.note(store, "no_pack");
      else if (pack instanceof Error)
        troubles.note(store, pack instanceof Fault && pack.code === "store_absent" ? "absent" : "unreadable");
      else holders.push({ store, pack: pack as StoredPack });
    }
    const table = await firstRight(holders, "table", MAX_TABLE_BYTES, troubles, (bytes) =>
      readTable(bytes, reference.root, objectId),
    );
    return { stores, holders, table, troubles, close };
  } catch (cause) {
    await close();
    throw cause;
  }
}

/** The sealed manifest with the anchored hash. Faults: `archive_unrecoverable`, `manifest_mismatch`. */
export const findManifest = (object: OpenObject, reference: ObjectReference): Promise<Uint8Array> =>
  firstRight(object.holders, "manifest", MAX_MANIFEST_BYTES, object.troubles, (bytes) =>
    equal(sha256(bytes), reference.manifest) ? bytes : undefined,
  );

/** The table of these bytes, or `undefined` if they are not the anchored table. */
export function readTable(bytes: Uint8Array, root: Uint8Array, objectId: Uint8Array): PieceTable | undefined {
  try {
    return decodeTable(bytes, root, objectId);
  } catch (cause) {
    if (cause instanceof Fault) return undefined;
    throw cause;
  }
}

async function firstRight<T>(
  holders: readonly Holder[],
  name: DocumentName,
  maxBytes: number,
  troubles: TroubleLog,
  check: (bytes: Uint8Array) => T | undefined,
): Promise<T> {
  let found = 0;
  for (const { store, pack } of holders) {
    const bytes = await pack.readDocument(name, maxBytes).catch(() => undefined);
    if (bytes === undefined) {
      troubles.note(store, `${name}_missing`);
      continue;
    }
    found++;
    const right = check(bytes);
    if (right !== undefined) return right;
    troubles.note(store, `${name}_corrupt`);
  }
  if (found > 0) throw new Fault("manifest_mismatch", { part: name === "table" ? "table_root" : "manifest_hash" });
  throw new Fault("archive_unrecoverable", { missing: name, holders: holders.length }, { retry: true });
}
