/** The archive as whoever audits and repairs it sees it: over the API in an actor's name, or inside a node over its own read model. */
import { type Identity, TrustedChain } from "@xinglin/client";
import { type AnchoredObject, hasEnded, listObjects } from "./anchored-object.ts";
import type { Gateway } from "./keep-record.ts";
import type { StoreSet } from "./stores.ts";

/** Objects, which of them have ended, and the stores. */
export interface ArchiveView {
  /** Newest first. */
  objects(): AsyncIterable<AnchoredObject>;
  /** What of it is missing is no loss: see `hasEnded`. */
  hasEnded(object: AnchoredObject): Promise<boolean>;
  stores(): Promise<StoreSet>;
}

/** What `by` sees: a commission all objects, another member its own. Faults: those of the API. */
export async function archiveView(gateway: Pick<Gateway, "client" | "stores">, by: Identity): Promise<ArchiveView> {
  const chain = await TrustedChain.of(gateway.client);
  return {
    objects: () => listObjects(gateway.client, by),
    hasEnded: (object) => hasEnded(chain, by, object),
    stores: () => gateway.stores(by),
  };
}
