/**
 * refreshCustody: the source shares a record version's key anew, among the same or other custodians; the record's anchor stays.
 * Source: requirement D9; design.md, "Consent, access, custody" (refresh and replacement change the epoch).
 */
import { accept, credentialId, equal, type Infer, recordId, schema } from "@xinglin/primitives";
import { CUSTODY_ROLES, checkKeeper, type KeeperRefusal } from "../identity/keeper.ts";
import { custodyReference, version } from "../model/record.ts";
import { getRecordVersion } from "../reads.ts";
import { type CustodyRefusal, checkCustody } from "../record/custody-check.ts";
import { type OwnRecordRefusal, ownRecord } from "../record/own-record.ts";
import { put, type Rule, refuseWith } from "../rule.ts";
import { keys } from "../state-keys.ts";

/** Which record version gets which new custody. */
export const refreshCustodyOperation = schema.object({
  record: recordId,
  version,
  custody: custodyReference,
  /** The signer's, if it is staff. */
  credential: schema.optional(credentialId),
});
export type RefreshCustody = Infer<typeof refreshCustodyOperation>;

/** In the order of the checks. */
export type RefreshCustodyRefusal = KeeperRefusal | OwnRecordRefusal | { code: "commitments_reused" } | CustodyRefusal;

/**
 * By the source institution's administration, or its staff in a role that looks after custody; for the newest or an older version of a current record.
 * Writes the version's entry with the next epoch. Permits taken before name the old epoch and can't be redeemed any more.
 */
export const refreshCustody: Rule<RefreshCustody, RefreshCustodyRefusal["code"]> = (state, op, { block, caller }) => {
  const unnamed = { record: op.record, version: op.version };
  const keeper = checkKeeper(state, caller, op.credential, block.time, { roles: CUSTODY_ROLES, devices: false });
  if (!keeper.ok) return refuseWith<RefreshCustodyRefusal>(keeper.refusal, unnamed);
  const newest = ownRecord(state, caller, op.record, ["current"]);
  if (!newest.ok) return refuseWith<RefreshCustodyRefusal>(newest.refusal, unnamed);
  const isNewest = newest.value.version === op.version;
  const named = isNewest ? newest.value : getRecordVersion(state, op.record, op.version);
  if (named === undefined) return refuseWith<RefreshCustodyRefusal>({ code: "unknown_record" }, unnamed);
  const subject = { ...unnamed, patient: named.patient };
  const { status } = named;
  if (status !== "current") return refuseWith<RefreshCustodyRefusal>({ code: "record_not_current", status }, subject);
  if (equal(op.custody.commitments, named.custody.commitments))
    return refuseWith<RefreshCustodyRefusal>({ code: "commitments_reused" }, subject);
  const custody = checkCustody(state, op.custody, named.custody.epoch + 1);
  if (!custody.ok) return refuseWith<RefreshCustodyRefusal>(custody.refusal, subject);
  const key = isNewest ? keys.record(op.record) : keys.recordVersion(op.record, op.version);
  return accept({ changes: [put(key, { ...named, custody: op.custody })], subject });
};
