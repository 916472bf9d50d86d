/** The archive as a node sees it: objects in its own read model, ends and lent stores in its own state. Source: docs/internals/archive.md. */
import type { StoreDescription } from "@xinglin/archive";
import type { Identity } from "@xinglin/client";
import { getKeptObject, getLentStore, getLentStoreIds, getMember, getRecord, type StateReader } from "@xinglin/contracts";
import { type AnchoredObject, type ArchiveView, type LentStoreView, lentStores } from "@xinglin/gateway";
import { listObjects, type ReadModel } from "@xinglin/index";
import type { MemberId, RecordId } from "@xinglin/primitives";

const PAGE = 500;

/** What `by`, a key of this node's member, reaches; `local` are the stores of this machine. */
export function chainArchive(
  { ledger, index }: { readonly ledger: StateReader & { readonly chainId: string }; readonly index: ReadModel },
  by: Identity,
  local: readonly StoreDescription[],
): ArchiveView {
  const find = lentStores(async () => lentStoresOf(ledger), ledger.chainId, local);
  return {
    objects: () => objectsOf(index),
    hasEnded: async (object) => hasEnded(ledger, object),
    stores: () => find(by),
  };
}

async function* objectsOf(index: ReadModel): AsyncGenerator<AnchoredObject> {
  await index.catchUp();
  for (let before: number | undefined; ; ) {
    const { items, next } = await listObjects(index.db, { limit: PAGE, ...(before === undefined ? {} : { before }) });
    yield* items;
    if (next === undefined) return;
    before = next;
  }
}

function hasEnded(chain: StateReader, { record, status, source, object }: AnchoredObject): boolean {
  if (status !== undefined) return getKeptObject(chain, source as MemberId, object.id)?.status === "dropped";
  return record !== undefined && getRecord(chain, record as RecordId)?.status === "ending";
}

const lentStoresOf = (chain: StateReader): LentStoreView[] =>
  getLentStoreIds(chain).flatMap((id) => {
    const store = getLentStore(chain, id);
    if (store === undefined) return [];
    return [{ ...store, id, memberStatus: getMember(chain, store.member)?.status ?? ("suspended" as const) }];
  });
