/**
 * A pseudonym that the caller's institution registered.
 * Source: design.md, "Identity" (pseudonyms are pairwise, patient × institution).
 */
import { type ActorId, accept, type Result, refuse } from "@xinglin/primitives";
import { getActor } from "../reads.ts";
import type { Caller, StateReader } from "../rule.ts";

/** In the order of the checks. */
export type OwnPatientRefusal = { code: "unknown_patient" } | { code: "patient_of_another_member" };

/** Whether `id` is a patient of the caller's institution. */
export function ownPatient(state: StateReader, caller: Caller, id: ActorId): Result<undefined, OwnPatientRefusal> {
  const patient = getActor(state, id);
  if (patient?.kind !== "patient") return refuse({ code: "unknown_patient" });
  if (patient.member !== caller.actor.member) return refuse({ code: "patient_of_another_member" });
  return accept(undefined);
}
