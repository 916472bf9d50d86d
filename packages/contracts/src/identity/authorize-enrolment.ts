/**
 * authorizeEnrolment: lets a new key in by a one-time key (a one-time link, a QR code), beside the old ones or instead of them: a second
 * device, or a lost phone.
 * Source: requirement B1; design.md, "Identity" (keys are replaced with history intact).
 */
import { type ActorId, accept, actorId, credentialId, type Infer, schema } from "@xinglin/primitives";
import { type Actor, type ActorKind, enrolment } from "../model/actor.ts";
import { getActor } from "../reads.ts";
import { type Caller, put, type Rule, refuseWith } from "../rule.ts";
import { keys } from "../state-keys.ts";
import { isAdministration } from "./administration.ts";
import { checkKeeper, type KeeperRefusal, REGISTRAR } from "./keeper.ts";
import {
  checkEnrolmentPeriod,
  checkNotWeaker,
  currentSuites,
  type EnrolmentPeriodRefusal,
  hasKey,
  type WeakerRefusal,
} from "./key-history.ts";

/** For whom which one-time key lets a key in. */
export const authorizeEnrolmentOperation = schema.object({
  actor: actorId,
  enrolment,
  /** The registrar's, for a patient; absent if the actor itself or the administration asks. */
  credential: schema.optional(credentialId),
});
export type AuthorizeEnrolment = Infer<typeof authorizeEnrolmentOperation>;

/** In the order of the checks. */
export type AuthorizeEnrolmentRefusal =
  | { code: "unknown_actor"; actor: ActorId }
  | { code: "kind_not_allowed"; kind: ActorKind }
  | { code: "actor_of_another_member"; actor: ActorId }
  | { code: "not_administration" }
  | KeeperRefusal
  | EnrolmentPeriodRefusal
  | WeakerRefusal
  | { code: "key_in_use" };

/**
 * By the actor itself; by the administration of the member that registered it; and for a patient by that member's registrar too. (A registrar
 * can't let a key in for a doctor.) An actor's own one-time key may not be of a weaker suite than any of its keys; administration and registrar
 * may name one of any suite, and so let a key of a weaker suite in for who lost the stronger one. Writes `actor/{id}`: a new authorization replaces an unused one.
 */
export const authorizeEnrolment: Rule<AuthorizeEnrolment, AuthorizeEnrolmentRefusal["code"]> = (state, op, { block, caller }) => {
  const actor = getActor(state, op.actor);
  const subject = actor?.kind === "patient" ? { patient: op.actor } : { actor: op.actor };
  if (actor === undefined) return refuseWith<AuthorizeEnrolmentRefusal>({ code: "unknown_actor", actor: op.actor }, subject);
  const { kind } = actor;
  if (kind === "member" || kind === "custodian")
    return refuseWith<AuthorizeEnrolmentRefusal>({ code: "kind_not_allowed", kind }, subject);
  if (caller.actorId !== op.actor) {
    const refusal = refusalForMember(caller, op.actor, actor);
    if (refusal !== undefined) return refuseWith<AuthorizeEnrolmentRefusal>(refusal, subject);
    const keeper = checkKeeper(state, caller, op.credential, block.time, { roles: REGISTRAR, devices: false });
    if (!keeper.ok) return refuseWith<AuthorizeEnrolmentRefusal>(keeper.refusal, subject);
  }
  const period = checkEnrolmentPeriod(op.enrolment.notAfter, block.time);
  if (!period.ok) return refuseWith<AuthorizeEnrolmentRefusal>(period.refusal, subject);
  if (caller.actorId === op.actor) {
    const notWeaker = checkNotWeaker(op.enrolment.publicKey.suite, currentSuites(actor));
    if (!notWeaker.ok) return refuseWith<AuthorizeEnrolmentRefusal>(notWeaker.refusal, subject);
  }
  const { enrolment: replaced, ...rest } = actor;
  if (hasKey(rest, op.enrolment.publicKey)) return refuseWith<AuthorizeEnrolmentRefusal>({ code: "key_in_use" }, subject);
  return accept({ changes: [put(keys.actor(op.actor), { ...rest, enrolment: op.enrolment })], subject });
};

function refusalForMember(caller: Caller, id: ActorId, actor: Actor): AuthorizeEnrolmentRefusal | undefined {
  if (caller.actor.member !== actor.member) return { code: "actor_of_another_member", actor: id };
  if (actor.kind !== "patient" && !isAdministration(caller, actor.member)) return { code: "not_administration" };
  return undefined;
}
