/**
 * registerActor: a member registers one of its staff or devices with its first key.
 * Source: requirement B4; design.md, "Identity".
 */
import { keyId } from "@xinglin/crypto/pure";
import { accept, type Infer, schema } from "@xinglin/primitives";
import { type Actor, publicKey, randomActorId } from "../model/actor.ts";
import { getActor } from "../reads.ts";
import { put, type Rule, refuseWith } from "../rule.ts";
import { keys } from "../state-keys.ts";
import { isAdministration } from "./administration.ts";

/** A new staff member or device and its first key. */
export const registerActorOperation = schema.object({ id: randomActorId, kind: schema.oneOf("staff", "device"), key: publicKey });
export type RegisterActor = Infer<typeof registerActorOperation>;

/** In the order of the checks. */
export type RegisterActorRefusal = { code: "not_administration" } | { code: "id_taken" };

/** By the administration of the member whose staff or device it is. Writes `actor/{id}`; the id must be new. */
export const registerActor: Rule<RegisterActor, RegisterActorRefusal["code"]> = (state, { id, kind, key }, { block, caller }) => {
  const { member } = caller.actor;
  const subject = { actor: id, member };
  if (!isAdministration(caller, member)) return refuseWith<RegisterActorRefusal>({ code: "not_administration" }, subject);
  if (getActor(state, id) !== undefined) return refuseWith<RegisterActorRefusal>({ code: "id_taken" }, subject);
  const first = { id: keyId(key.suite, key.key), publicKey: key, since: block.height };
  const actor: Actor = { kind, member, status: "active", keys: [first] };
  return accept({ changes: [put(keys.actor(id), actor)], subject });
};
