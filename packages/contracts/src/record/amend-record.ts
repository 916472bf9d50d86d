/**
 * amendRecord: a new version of a record; the old one stays in the state, so that what was changed, by whom and when can be proved.
 * Source: requirements D8, J3; design.md, "Consent, access, custody" (a new version always has a new key).
 */
import { accept, credentialId, type Infer, recordId, schema } from "@xinglin/primitives";
import { checkKeeper, type KeeperRefusal, RECORD_ROLES } from "../identity/keeper.ts";
import { custodyReference, type MedicalRecord, objectReference } from "../model/record.ts";
import { decidedAt, put, type Rule, refuseWith, signedBy } from "../rule.ts";
import { keys } from "../state-keys.ts";
import { type CustodyRefusal, checkCustody, FIRST_EPOCH } from "./custody-check.ts";
import { checkNewVersion, type NewVersionRefusal, type OwnRecordRefusal, ownRecord } from "./own-record.ts";

/** A record's new object and custody. */
export const amendRecordOperation = schema.object({
  record: recordId,
  object: objectReference,
  custody: custodyReference,
  /** The signer's, if it is staff. */
  credential: schema.optional(credentialId),
});
export type AmendRecord = Infer<typeof amendRecordOperation>;

/** In the order of the checks. */
export type AmendRecordRefusal = KeeperRefusal | OwnRecordRefusal | NewVersionRefusal | CustodyRefusal;

/** By the source institution. Writes `record/{id}` with the next version, and the old one to `record/{id}/{version}`. Patient and class stay. */
export const amendRecord: Rule<AmendRecord, AmendRecordRefusal["code"]> = (state, op, { block, caller }) => {
  const keeper = checkKeeper(state, caller, op.credential, block.time, { roles: RECORD_ROLES, devices: true });
  if (!keeper.ok) return refuseWith<AmendRecordRefusal>(keeper.refusal, { record: op.record });
  const found = ownRecord(state, caller, op.record, ["current"]);
  if (!found.ok) return refuseWith<AmendRecordRefusal>(found.refusal, { record: op.record });
  const old = found.value;
  const subject = { patient: old.patient, record: op.record, version: old.version + 1 };
  const fresh = checkNewVersion(old, op.object, op.custody);
  if (!fresh.ok) return refuseWith<AmendRecordRefusal>(fresh.refusal, subject);
  const custody = checkCustody(state, op.custody, FIRST_EPOCH);
  if (!custody.ok) return refuseWith<AmendRecordRefusal>(custody.refusal, subject);
  const amended: MedicalRecord = {
    ...old,
    version: old.version + 1,
    object: op.object,
    custody: op.custody,
    by: signedBy(caller),
    at: decidedAt(block),
  };
  return accept({
    changes: [put(keys.recordVersion(op.record, old.version), old), put(keys.record(op.record), amended)],
    subject,
  });
};
