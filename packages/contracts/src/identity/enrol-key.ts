/**
 * enrolKey: the holder of a one-time key puts a key of their own in its place.
 * Source: requirement B1; design.md, "Identity" (a key enrolled by a one-time link).
 */
import { keyId } from "@xinglin/crypto/pure";
import { accept, type Infer, invariant, schema } from "@xinglin/primitives";
import { publicKey } from "../model/actor.ts";
import { getActor } from "../reads.ts";
import { put, type Rule, refuseWith } from "../rule.ts";
import { keys } from "../state-keys.ts";
import { checkNotWeaker, type KeyRefusal, type WeakerRefusal, withKey } from "./key-history.ts";

/** The key to enrol; the one-time key signs. */
export const enrolKeyOperation = schema.object({ publicKey });
export type EnrolKey = Infer<typeof enrolKeyOperation>;

/** In the order of the checks. */
export type EnrolKeyRefusal =
  | { code: "not_enrolment_key" }
  | { code: "enrolment_used" }
  | { code: "enrolment_over" }
  | WeakerRefusal
  | KeyRefusal;

/**
 * Signed by the actor's enrolment key, before its `notAfter`. Writes `actor/{id}`: the new key is appended, with `replace` every other key is
 * retired at this height, and the one-time key is gone. The new key's suite may not be weaker than the one-time key's.
 */
export const enrolKey: Rule<EnrolKey, EnrolKeyRefusal["code"]> = (state, op, { block, caller }) => {
  const actor = getActor(state, caller.actorId);
  invariant(actor !== undefined, "a caller stands in the state");
  const subject = actor.kind === "patient" ? { patient: caller.actorId } : { actor: caller.actorId };
  if (!caller.byEnrolment) return refuseWith<EnrolKeyRefusal>({ code: "not_enrolment_key" }, subject);
  const { enrolment, ...rest } = actor;
  if (enrolment === undefined || keyId(enrolment.publicKey.suite, enrolment.publicKey.key) !== caller.key)
    return refuseWith<EnrolKeyRefusal>({ code: "enrolment_used" }, subject);
  if (block.time >= enrolment.notAfter) return refuseWith<EnrolKeyRefusal>({ code: "enrolment_over" }, subject);
  const notWeaker = checkNotWeaker(op.publicKey.suite, [enrolment.publicKey.suite]);
  if (!notWeaker.ok) return refuseWith<EnrolKeyRefusal>(notWeaker.refusal, subject);
  const enrolled = withKey(actor, op.publicKey, block.height, () => enrolment.replace);
  if (!enrolled.ok) return refuseWith<EnrolKeyRefusal>(enrolled.refusal, subject);
  return accept({ changes: [put(keys.actor(caller.actorId), { ...rest, keys: enrolled.value })], subject });
};
