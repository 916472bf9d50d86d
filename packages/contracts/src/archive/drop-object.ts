/**
 * dropObject: no version of the institution's relies on a kept object any more; its pieces go, and what is missing of it is no loss.
 * Source: requirement D8; docs/decisions/0012-shared-pixels.md.
 */
import { accept, credentialId, type Infer, schema, toHex } from "@xinglin/primitives";
import { checkKeeper, type KeeperRefusal, REGISTRAR } from "../identity/keeper.ts";
import { objectId } from "../model/kept-object.ts";
import { getKeptObject } from "../reads.ts";
import { put, type Rule, refuseWith } from "../rule.ts";
import { keys } from "../state-keys.ts";

/** Which object. */
export const dropObjectOperation = schema.object({
  object: objectId,
  /** The registrar's; absent if the administration asks. */
  credential: schema.optional(credentialId),
});
export type DropObject = Infer<typeof dropObjectOperation>;

/** In the order of the checks. */
export type DropObjectRefusal = KeeperRefusal | { code: "unknown_object" } | { code: "unchanged" };

/** By whoever may end a record. Writes `object/{member}/{id}`, dropped. That nothing relies on it is the institution's to know: see the decision. */
export const dropObject: Rule<DropObject, DropObjectRefusal["code"]> = (state, { object, credential }, { block, caller }) => {
  const { member } = caller.actor;
  const subject = { member };
  const keeper = checkKeeper(state, caller, credential, block.time, { roles: REGISTRAR, devices: false });
  if (!keeper.ok) return refuseWith<DropObjectRefusal>(keeper.refusal, subject);
  const kept = getKeptObject(state, member, toHex(object));
  if (kept === undefined) return refuseWith<DropObjectRefusal>({ code: "unknown_object" }, subject);
  if (kept.status === "dropped") return refuseWith<DropObjectRefusal>({ code: "unchanged" }, subject);
  return accept({ changes: [put(keys.object(member, toHex(object)), { ...kept, status: "dropped" })], subject });
};
