/**
 * recordErasure: a custodian states that it erased its share of a record version's key. When too few shares are left, nobody can read it again.
 * Source: requirements C8, D8; design.md, "Consent, access, custody" (Ending).
 */
import { accept, type Infer, type RecordId, recordId, schema } from "@xinglin/primitives";
import type { Erasure } from "../model/custody.ts";
import { type MedicalRecord, version } from "../model/record.ts";
import { getErasure, getRecord, getRecordVersion } from "../reads.ts";
import { decidedAt, put, type Rule, refuseWith, type StateReader, signedBy } from "../rule.ts";
import { keys } from "../state-keys.ts";

/** Of which record version the share was erased. */
export const recordErasureOperation = schema.object({ record: recordId, version });
export type RecordErasure = Infer<typeof recordErasureOperation>;

/** In the order of the checks. */
export type RecordErasureRefusal =
  | { code: "not_custodian" }
  | { code: "unknown_record" }
  | { code: "not_in_custody" }
  | { code: "not_ending" }
  | { code: "already_recorded" };

/** By a custodian that the version's custody lists, once, when that version may be erased. Writes `erasure/{record}/{version}/{custodian}`. */
export const recordErasure: Rule<RecordErasure, RecordErasureRefusal["code"]> = (state, op, { block, caller }) => {
  const subject = { record: op.record, version: op.version, actor: caller.actorId };
  if (caller.actor.kind !== "custodian") return refuseWith<RecordErasureRefusal>({ code: "not_custodian" }, subject);
  const newest = getRecord(state, op.record);
  const named = newest?.version === op.version ? newest : getRecordVersion(state, op.record, op.version);
  if (newest === undefined || named === undefined) return refuseWith<RecordErasureRefusal>({ code: "unknown_record" }, subject);
  const index = named.custody.custodians.indexOf(caller.actorId);
  if (index < 0) return refuseWith<RecordErasureRefusal>({ code: "not_in_custody" }, subject);
  if (!mayBeErased(named, newest)) return refuseWith<RecordErasureRefusal>({ code: "not_ending" }, subject);
  if (getErasure(state, op.record, op.version, caller.actorId) !== undefined)
    return refuseWith<RecordErasureRefusal>({ code: "already_recorded" }, subject);
  const erasure: Erasure = { index, epoch: named.custody.epoch, by: signedBy(caller), at: decidedAt(block) };
  return accept({
    changes: [put(keys.erasure(op.record, op.version, caller.actorId), erasure)],
    subject: { ...subject, patient: named.patient },
  });
};

/**
 * Whether the shares of a version may be erased: it was withdrawn, misfiled or ended; or it is an old version of a record that has ended, or of one that was
 * refiled since under another patient.
 */
export const mayBeErased = (version: MedicalRecord, newest: MedicalRecord): boolean =>
  version.status !== "current" || newest.status === "ending" || version.patient !== newest.patient;

/** Whether so many custodians erased their share of a record version that those left can't put its key together. False for an unknown one. */
export function erasedBeyondRecovery(state: StateReader, id: RecordId, version: number): boolean {
  const record = getRecordVersion(state, id, version);
  if (record === undefined) return false;
  const { custodians, threshold } = record.custody;
  const left = custodians.filter((custodian) => getErasure(state, id, version, custodian) === undefined);
  return left.length < threshold;
}
