/**
 * registerPatient: an institution registers a patient's pseudonym and hands out a one-time key with which the patient enrols a key of
 * their own. The institution never holds that key.
 * Source: requirements B1, B2; design.md, "Identity".
 */
import { accept, credentialId, type Infer, schema, unixSeconds } from "@xinglin/primitives";
import { type Actor, publicKey, randomActorId } from "../model/actor.ts";
import { getActor } from "../reads.ts";
import { put, type Rule, refuseWith } from "../rule.ts";
import { keys } from "../state-keys.ts";
import { checkKeeper, type KeeperRefusal, REGISTRAR } from "./keeper.ts";
import { checkEnrolmentPeriod, type EnrolmentPeriodRefusal } from "./key-history.ts";

/** A new pseudonym and its one-time key. */
export const registerPatientOperation = schema.object({
  /** The pseudonym at this institution. */
  id: randomActorId,
  enrolment: schema.object({ publicKey, notAfter: unixSeconds }),
  /** The registrar's; absent if the administration asks. */
  credential: schema.optional(credentialId),
});
export type RegisterPatient = Infer<typeof registerPatientOperation>;

/** In the order of the checks. */
export type RegisterPatientRefusal = KeeperRefusal | EnrolmentPeriodRefusal | { code: "id_taken" };

/** By a registrar or the administration of the institution. Writes `actor/{id}` without a key yet; the id must be new. */
export const registerPatient: Rule<RegisterPatient, RegisterPatientRefusal["code"]> = (state, op, { block, caller }) => {
  const subject = { patient: op.id };
  const keeper = checkKeeper(state, caller, op.credential, block.time, { roles: REGISTRAR, devices: false });
  if (!keeper.ok) return refuseWith<RegisterPatientRefusal>(keeper.refusal, subject);
  const period = checkEnrolmentPeriod(op.enrolment.notAfter, block.time);
  if (!period.ok) return refuseWith<RegisterPatientRefusal>(period.refusal, subject);
  if (getActor(state, op.id) !== undefined) return refuseWith<RegisterPatientRefusal>({ code: "id_taken" }, subject);
  const enrolment = { ...op.enrolment, replace: false };
  const actor: Actor = { kind: "patient", member: caller.actor.member, status: "active", keys: [], enrolment };
  return accept({ changes: [put(keys.actor(op.id), actor)], subject });
};
