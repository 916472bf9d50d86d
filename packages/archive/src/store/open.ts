/** Opening the stores of a consortium, and clearing away what an interrupted import left. */
import { Fault, fromHex, toHex } from "@xinglin/primitives";
import { type StoreDescription, storeDescription } from "./description.ts";
import { DirectoryStore } from "./directory.ts";
import { IpfsStore } from "./ipfs.ts";
import { NodeStore } from "./node-store.ts";
import { S3Store } from "./s3-store.ts";
import type { Store } from "./store.ts";

/** The store of a description. Nothing is read or made yet. Faults: `malformed` (no kind, or an id that is not short, lower-case and plain), `s3_url_wrong`. */
export function openStore(description: StoreDescription): Store {
  storeDescription.parse(description);
  switch (description.kind) {
    case "directory":
      return new DirectoryStore(description);
    case "s3":
      return new S3Store(description);
    case "node":
      return new NodeStore(description);
    case "ipfs":
      return new IpfsStore(description);
  }
}

/**
 * Opens stores and rolls back imports that died: their stages, and what they published on some of these stores. Stores that are
 * absent stay so: pass `create` to make them. Faults: `store_duplicate`, those of `Store`.
 */
export async function openStores(
  descriptions: readonly StoreDescription[],
  options: { create?: boolean } = {},
): Promise<Store[]> {
  const ids = new Set<string>();
  for (const { id } of descriptions) {
    if (ids.has(id)) throw new Fault("store_duplicate", { store: id });
    ids.add(id);
  }
  const stores = descriptions.map(openStore);
  if (options.create === true) for (const store of stores) await store.create();
  await collectStages(stores);
  return stores;
}

/** Removes stages whose writer is gone, everywhere, and what the same imports had published. Returns the hex ids rolled back. */
export async function collectStages(stores: readonly Store[]): Promise<readonly string[]> {
  const present = await presentOf(stores);
  const died = new Set<string>();
  for (const store of present)
    for (const stage of await store.collect()) if (stage.purpose === "import") died.add(toHex(stage.objectId));
  for (const id of died) for (const store of present) await store.remove(fromHex(id));
  return [...died];
}

/**
 * Removes objects that `isKept` does not know, for example imports that were whole but never anchored because the process died just
 * then. Never call it while an import runs. Returns their hex ids.
 */
export async function removeOrphans(stores: readonly Store[], isKept: (objectId: string) => boolean): Promise<readonly string[]> {
  const orphans = new Set<string>();
  for (const store of await presentOf(stores))
    for (const id of await store.list()) {
      if (isKept(id)) continue;
      orphans.add(id);
      await store.remove(fromHex(id));
    }
  return [...orphans];
}

async function presentOf(stores: readonly Store[]): Promise<Store[]> {
  const present = await Promise.all(stores.map((store) => store.isPresent()));
  return stores.filter((_, i) => present[i]);
}
