/**
 * lendStore: a member offers a store to the archive, or changes the terms of one that it lends.
 * Source: requirement D9; docs/internals/archive.md, "At another member's".
 */
import { accept, type Infer, schema } from "@xinglin/primitives";
import type { ActorKind } from "../model/actor.ts";
import {
  type LentStoreEntry,
  lentStoreId,
  MAX_LENT_STORES,
  MAX_STORES_A_MEMBER,
  type StoreState,
  storeTerms,
} from "../model/lent-store.ts";
import { getLentStore, getLentStoreIds } from "../reads.ts";
import { put, type Rule, refuseWith } from "../rule.ts";
import { keys } from "../state-keys.ts";

/** Which store, on what terms. */
export const lendStoreOperation = schema.object({ id: lentStoreId, ...storeTerms });
export type LendStore = Infer<typeof lendStoreOperation>;

/** In the order of the checks. */
export type LendStoreRefusal =
  | { code: "caller_not_allowed"; kind: ActorKind }
  | { code: "store_of_another_member" }
  | { code: "store_state_wrong"; state: StoreState }
  | { code: "store_limit"; most: number }
  | { code: "unchanged" };

/**
 * By the administration or a device of the lender. Writes `store/{id}`, and `store`, the list of all ids, for a new one. A store that drains
 * keeps its terms; one that was withdrawn may be offered again. Cost: linear in the stores.
 */
export const lendStore: Rule<LendStore, LendStoreRefusal["code"]> = (state, { id, ...terms }, { caller, block }) => {
  const { kind, member } = caller.actor;
  const subject = { member };
  if (kind !== "member" && kind !== "device") return refuseWith<LendStoreRefusal>({ code: "caller_not_allowed", kind }, subject);
  const known = getLentStore(state, id);
  if (known !== undefined && known.member !== member)
    return refuseWith<LendStoreRefusal>({ code: "store_of_another_member" }, subject);
  if (known?.state === "draining")
    return refuseWith<LendStoreRefusal>({ code: "store_state_wrong", state: known.state }, subject);
  const ids = getLentStoreIds(state);
  const own = ids.filter((one) => getLentStore(state, one)?.member === member).length;
  if (known === undefined && own >= MAX_STORES_A_MEMBER)
    return refuseWith<LendStoreRefusal>({ code: "store_limit", most: MAX_STORES_A_MEMBER }, subject);
  if (known === undefined && ids.length >= MAX_LENT_STORES)
    return refuseWith<LendStoreRefusal>({ code: "store_limit", most: MAX_LENT_STORES }, subject);
  if (known?.state === "offered" && isSame(known, terms)) return refuseWith<LendStoreRefusal>({ code: "unchanged" }, subject);
  const since = known?.state === "offered" ? known.since : block.height;
  const entry: LentStoreEntry = { ...terms, member, state: "offered", since };
  const listed = known === undefined ? [put(keys.stores, [...ids, id])] : [];
  return accept({ changes: [put(keys.store(id), entry), ...listed], subject });
};

const isSame = (known: LentStoreEntry, terms: Omit<LendStore, "id">): boolean =>
  known.kind === terms.kind &&
  known.url === terms.url &&
  known.quotaMegabytes === terms.quotaMegabytes &&
  known.site.building === terms.site.building &&
  known.site.city === terms.site.city &&
  known.site.power === terms.site.power;
