/**
 * setActorStatus: a member suspends one of its staff or devices, or lets them act again.
 * Source: requirement B4 (a suspension takes effect in the next block).
 */
import { type ActorId, accept, actorId, type Infer, schema } from "@xinglin/primitives";
import { type ActorKind, status } from "../model/actor.ts";
import { getActor } from "../reads.ts";
import { put, type Rule, refuseWith } from "../rule.ts";
import { keys } from "../state-keys.ts";
import { isAdministration } from "./administration.ts";

/** Whose status changes to what. */
export const setActorStatusOperation = schema.object({ id: actorId, status });
export type SetActorStatus = Infer<typeof setActorStatusOperation>;

/** In the order of the checks. */
export type SetActorStatusRefusal =
  | { code: "unknown_actor"; actor: ActorId }
  | { code: "not_administration" }
  | { code: "kind_not_allowed"; kind: ActorKind }
  | { code: "unchanged" };

/** By the administration of the actor's member; staff and devices only, since nobody suspends a patient, and members have `setMemberStatus`. */
export const setActorStatus: Rule<SetActorStatus, SetActorStatusRefusal["code"]> = (state, { id, status }, { caller }) => {
  const actor = getActor(state, id);
  const subject = { actor: id };
  if (actor === undefined) return refuseWith<SetActorStatusRefusal>({ code: "unknown_actor", actor: id }, subject);
  if (!isAdministration(caller, actor.member)) return refuseWith<SetActorStatusRefusal>({ code: "not_administration" }, subject);
  const { kind } = actor;
  if (kind !== "staff" && kind !== "device")
    return refuseWith<SetActorStatusRefusal>({ code: "kind_not_allowed", kind }, subject);
  if (actor.status === status) return refuseWith<SetActorStatusRefusal>({ code: "unchanged" }, subject);
  return accept({ changes: [put(keys.actor(id), { ...actor, status })], subject: { actor: id, member: actor.member } });
};
