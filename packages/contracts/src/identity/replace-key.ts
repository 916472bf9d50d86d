/**
 * replaceKey: an actor takes a new key and retires the one that signs this.
 * Source: design.md, "Identity" (keys are replaced with history intact).
 */
import { accept, type Infer, invariant, schema } from "@xinglin/primitives";
import { publicKey } from "../model/actor.ts";
import { getActor } from "../reads.ts";
import { put, type Rule, refuseWith } from "../rule.ts";
import { keys } from "../state-keys.ts";
import { checkNotWeaker, currentKey, type KeyRefusal, type WeakerRefusal, withKey } from "./key-history.ts";

/** The key that takes the signing key's place. */
export const replaceKeyOperation = schema.object({ publicKey });
export type ReplaceKey = Infer<typeof replaceKeyOperation>;

/** In the order of the checks. `key_retired`: an earlier operation of the same transaction has replaced the key. */
export type ReplaceKeyRefusal = { code: "key_retired" } | WeakerRefusal | KeyRefusal;

/**
 * By any actor, with a current key. Writes `actor/{id}`: the new key counts from this height, the signing key until this height. The new key's
 * suite may not be weaker than the signing key's.
 */
export const replaceKey: Rule<ReplaceKey, ReplaceKeyRefusal["code"]> = (state, op, { block, caller }) => {
  const actor = getActor(state, caller.actorId);
  invariant(actor !== undefined, "a caller stands in the state");
  const subject = actor.kind === "patient" ? { patient: caller.actorId } : { actor: caller.actorId };
  const signing = currentKey(actor, caller.key);
  if (signing === undefined) return refuseWith<ReplaceKeyRefusal>({ code: "key_retired" }, subject);
  const notWeaker = checkNotWeaker(op.publicKey.suite, [signing.publicKey.suite]);
  if (!notWeaker.ok) return refuseWith<ReplaceKeyRefusal>(notWeaker.refusal, subject);
  const replaced = withKey(actor, op.publicKey, block.height, ({ id }) => id === caller.key);
  if (!replaced.ok) return refuseWith<ReplaceKeyRefusal>(replaced.refusal, subject);
  return accept({ changes: [put(keys.actor(caller.actorId), { ...actor, keys: replaced.value })], subject });
};
