/**
 * refileRecord: a record that stood under the wrong patient goes to the right one, sealed anew; the misfiled version stays provable as such and
 * can't be read any more.
 * Source: design.md, "Consent, access, custody"; requirement D8.
 */
import { accept, actorId, credentialId, type Infer, recordId, schema } from "@xinglin/primitives";
import { checkKeeper, type KeeperRefusal, RECORD_ROLES } from "../identity/keeper.ts";
import { custodyReference, type MedicalRecord, objectReference } from "../model/record.ts";
import { decidedAt, put, type Rule, refuseWith, signedBy } from "../rule.ts";
import { keys } from "../state-keys.ts";
import { type CustodyRefusal, checkCustody, FIRST_EPOCH } from "./custody-check.ts";
import { type OwnPatientRefusal, ownPatient } from "./own-patient.ts";
import { checkNewVersion, type NewVersionRefusal, type OwnRecordRefusal, ownRecord } from "./own-record.ts";

/** Which record goes to whom, sealed anew. */
export const refileRecordOperation = schema.object({
  record: recordId,
  /** The right patient's pseudonym at the same institution. */
  to: actorId,
  object: objectReference,
  custody: custodyReference,
  /** The signer's, if it is staff. */
  credential: schema.optional(credentialId),
});
export type RefileRecord = Infer<typeof refileRecordOperation>;

/** In the order of the checks. */
export type RefileRecordRefusal =
  | KeeperRefusal
  | OwnRecordRefusal
  | OwnPatientRefusal
  | { code: "same_patient" }
  | NewVersionRefusal
  | CustodyRefusal;

/**
 * By staff of the source institution in a role that keeps records, or its administration. Writes `record/{id}` under `to` with the next version, and the
 * old one to `record/{id}/{version}` as misfiled.
 */
export const refileRecord: Rule<RefileRecord, RefileRecordRefusal["code"]> = (state, op, { block, caller }) => {
  const keeper = checkKeeper(state, caller, op.credential, block.time, { roles: RECORD_ROLES, devices: false });
  if (!keeper.ok) return refuseWith<RefileRecordRefusal>(keeper.refusal, { record: op.record });
  const found = ownRecord(state, caller, op.record, ["current"]);
  if (!found.ok) return refuseWith<RefileRecordRefusal>(found.refusal, { record: op.record });
  const old = found.value;
  // The audit entry names the right patient only: the wrong one has nothing to do with this record.
  const subject = { patient: op.to, record: op.record, version: old.version + 1 };
  const patient = ownPatient(state, caller, op.to);
  if (!patient.ok) return refuseWith<RefileRecordRefusal>(patient.refusal, subject);
  if (old.patient === op.to) return refuseWith<RefileRecordRefusal>({ code: "same_patient" }, subject);
  const fresh = checkNewVersion(old, op.object, op.custody);
  if (!fresh.ok) return refuseWith<RefileRecordRefusal>(fresh.refusal, subject);
  const custody = checkCustody(state, op.custody, FIRST_EPOCH);
  if (!custody.ok) return refuseWith<RefileRecordRefusal>(custody.refusal, subject);
  const misfiled: MedicalRecord = { ...old, status: "misfiled" };
  const refiled: MedicalRecord = {
    ...old,
    version: old.version + 1,
    patient: op.to,
    object: op.object,
    custody: op.custody,
    by: signedBy(caller),
    at: decidedAt(block),
  };
  return accept({
    changes: [put(keys.recordVersion(op.record, old.version), misfiled), put(keys.record(op.record), refiled)],
    subject,
  });
};
