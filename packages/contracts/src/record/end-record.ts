/**
 * endRecord: the record's term is over; custodians may now erase the shares of every version's key.
 * Source: requirement C8; design.md, "Consent, access, custody" (Ending).
 */
import { accept, credentialId, type Infer, recordId, schema } from "@xinglin/primitives";
import { checkKeeper, type KeeperRefusal, REGISTRAR } from "../identity/keeper.ts";
import { put, type Rule, refuseWith } from "../rule.ts";
import { keys } from "../state-keys.ts";
import { type OwnRecordRefusal, ownRecord } from "./own-record.ts";

/** Which record has ended. */
export const endRecordOperation = schema.object({
  record: recordId,
  /** The registrar's; absent if the administration asks. */
  credential: schema.optional(credentialId),
});
export type EndRecord = Infer<typeof endRecordOperation>;

/** In the order of the checks. */
export type EndRecordRefusal = KeeperRefusal | OwnRecordRefusal;

/** By a registrar or the administration of the source institution, for a current or withdrawn record. Writes `record/{id}`. There is no way back. */
export const endRecord: Rule<EndRecord, EndRecordRefusal["code"]> = (state, op, { block, caller }) => {
  const keeper = checkKeeper(state, caller, op.credential, block.time, { roles: REGISTRAR, devices: false });
  if (!keeper.ok) return refuseWith<EndRecordRefusal>(keeper.refusal, { record: op.record });
  const found = ownRecord(state, caller, op.record, ["current", "withdrawn"]);
  if (!found.ok) return refuseWith<EndRecordRefusal>(found.refusal, { record: op.record });
  const { patient, version } = found.value;
  return accept({
    changes: [put(keys.record(op.record), { ...found.value, status: "ending" })],
    subject: { patient, record: op.record, version },
  });
};
