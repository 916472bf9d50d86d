/**
 * withdrawRecord: a record is not to be read any more; it and its history stay provable.
 * Source: requirement D8; design.md, "Consent, access, custody".
 */
import { accept, credentialId, type Infer, recordId, schema } from "@xinglin/primitives";
import { checkKeeper, type KeeperRefusal, RECORD_ROLES } from "../identity/keeper.ts";
import { put, type Rule, refuseWith } from "../rule.ts";
import { keys } from "../state-keys.ts";
import { type OwnRecordRefusal, ownRecord } from "./own-record.ts";

/** Which record is withdrawn. */
export const withdrawRecordOperation = schema.object({
  record: recordId,
  /** The signer's, if it is staff. */
  credential: schema.optional(credentialId),
});
export type WithdrawRecord = Infer<typeof withdrawRecordOperation>;

/** In the order of the checks. */
export type WithdrawRecordRefusal = KeeperRefusal | OwnRecordRefusal;

/** By staff of the source institution in a role that keeps records, or its administration; not by a device. Writes `record/{id}`. */
export const withdrawRecord: Rule<WithdrawRecord, WithdrawRecordRefusal["code"]> = (state, op, { block, caller }) => {
  const keeper = checkKeeper(state, caller, op.credential, block.time, { roles: RECORD_ROLES, devices: false });
  if (!keeper.ok) return refuseWith<WithdrawRecordRefusal>(keeper.refusal, { record: op.record });
  const found = ownRecord(state, caller, op.record, ["current"]);
  if (!found.ok) return refuseWith<WithdrawRecordRefusal>(found.refusal, { record: op.record });
  const { patient, version } = found.value;
  return accept({
    changes: [put(keys.record(op.record), { ...found.value, status: "withdrawn" })],
    subject: { patient, record: op.record, version },
  });
};
