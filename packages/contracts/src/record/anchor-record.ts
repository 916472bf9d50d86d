/**
 * anchorRecord: an institution commits to a sealed record of one of its patients and to the custody of its key.
 * Source: requirements C3, D1; design.md, "Archive" and "Consent, access, custody".
 */
import { accept, actorId, credentialId, type Infer, recordId, schema } from "@xinglin/primitives";
import { checkKeeper, type KeeperRefusal, RECORD_ROLES } from "../identity/keeper.ts";
import { recordClass } from "../model/class.ts";
import { custodyReference, format, type MedicalRecord, objectReference } from "../model/record.ts";
import { decidedAt, put, type Rule, refuseWith, signedBy } from "../rule.ts";
import { keys } from "../state-keys.ts";
import { type CustodyRefusal, checkCustody, FIRST_EPOCH } from "./custody-check.ts";
import { type OwnPatientRefusal, ownPatient } from "./own-patient.ts";

/** A record of a patient: class, format, object and custody. */
export const anchorRecordOperation = schema.object({
  record: recordId,
  patient: actorId,
  class: recordClass,
  format,
  object: objectReference,
  custody: custodyReference,
  /** The signer's, if it is staff. */
  credential: schema.optional(credentialId),
});
export type AnchorRecord = Infer<typeof anchorRecordOperation>;

/** In the order of the checks. */
export type AnchorRecordRefusal = KeeperRefusal | OwnPatientRefusal | { code: "id_taken" } | CustodyRefusal;

/** By staff in a role that keeps records, by a device or by the administration. Writes `record/{id}`, version 1; the id must be new. */
export const anchorRecord: Rule<AnchorRecord, AnchorRecordRefusal["code"]> = (state, op, { block, caller }) => {
  const subject = { patient: op.patient, record: op.record, version: 1 };
  const keeper = checkKeeper(state, caller, op.credential, block.time, { roles: RECORD_ROLES, devices: true });
  if (!keeper.ok) return refuseWith<AnchorRecordRefusal>(keeper.refusal, subject);
  const patient = ownPatient(state, caller, op.patient);
  if (!patient.ok) return refuseWith<AnchorRecordRefusal>(patient.refusal, subject);
  if (state.get(keys.record(op.record)) !== undefined) return refuseWith<AnchorRecordRefusal>({ code: "id_taken" }, subject);
  const custody = checkCustody(state, op.custody, FIRST_EPOCH);
  if (!custody.ok) return refuseWith<AnchorRecordRefusal>(custody.refusal, subject);
  const record: MedicalRecord = {
    version: 1,
    patient: op.patient,
    source: caller.actor.member,
    class: op.class,
    format: op.format,
    object: op.object,
    custody: op.custody,
    status: "current",
    by: signedBy(caller),
    at: decidedAt(block),
  };
  return accept({ changes: [put(keys.record(op.record), record)], subject });
};
