/**
 * retireStore: a member drains a store that it lends, withdraws it once it is empty, or takes a drain back.
 * Source: requirement D9; docs/internals/archive.md, "Leaving".
 */
import { accept, type Infer, schema } from "@xinglin/primitives";
import type { ActorKind } from "../model/actor.ts";
import { lentStoreId, STORE_STATES, type StoreState } from "../model/lent-store.ts";
import { getLentStore } from "../reads.ts";
import { put, type Rule, refuseWith } from "../rule.ts";
import { keys } from "../state-keys.ts";

/** Which store, and what it shall be. */
export const retireStoreOperation = schema.object({ id: lentStoreId, state: schema.oneOf(...STORE_STATES) });
export type RetireStore = Infer<typeof retireStoreOperation>;

/** In the order of the checks. */
export type RetireStoreRefusal =
  | { code: "caller_not_allowed"; kind: ActorKind }
  | { code: "unknown_store"; store: string }
  | { code: "store_of_another_member" }
  | { code: "store_state_wrong"; state: StoreState };

/** From what to what: nothing is withdrawn that did not drain. */
const STEPS: { readonly [State in StoreState]: readonly StoreState[] } = {
  offered: ["draining"],
  draining: ["withdrawn", "offered"],
  withdrawn: [],
};

/** By the administration or a device of the lender. Writes `store/{id}`; it stays, so that what it held can be explained. */
export const retireStore: Rule<RetireStore, RetireStoreRefusal["code"]> = (state, { id, state: next }, { caller, block }) => {
  const { kind, member } = caller.actor;
  const subject = { member };
  if (kind !== "member" && kind !== "device")
    return refuseWith<RetireStoreRefusal>({ code: "caller_not_allowed", kind }, subject);
  const known = getLentStore(state, id);
  if (known === undefined) return refuseWith<RetireStoreRefusal>({ code: "unknown_store", store: id }, subject);
  if (known.member !== member) return refuseWith<RetireStoreRefusal>({ code: "store_of_another_member" }, subject);
  if (!STEPS[known.state].includes(next))
    return refuseWith<RetireStoreRefusal>({ code: "store_state_wrong", state: known.state }, subject);
  return accept({ changes: [put(keys.store(id), { ...known, state: next, since: block.height })], subject });
};
