/**
 * A record's newest version, if it is the caller's institution's and in a status that the operation may start from.
 * Source: requirement D8; design.md, "Consent, access, custody".
 */
import { accept, equal, type RecordId, type Result, refuse } from "@xinglin/primitives";
import { type CustodyReference, MAX_VERSION, type MedicalRecord, type ObjectReference } from "../model/record.ts";
import { getRecord } from "../reads.ts";
import type { Caller, StateReader } from "../rule.ts";

/** What became of a version. */
export type RecordStatus = MedicalRecord["status"];
/** In the order of the checks. */
export type OwnRecordRefusal =
  | { code: "unknown_record" }
  | { code: "record_of_another_member" }
  | { code: "record_not_current"; status: RecordStatus };

/** The newest version of `id`, of the caller's member, in one of `statuses`. */
export function ownRecord(
  state: StateReader,
  caller: Caller,
  id: RecordId,
  statuses: readonly RecordStatus[],
): Result<MedicalRecord, OwnRecordRefusal> {
  const record = getRecord(state, id);
  if (record === undefined) return refuse({ code: "unknown_record" });
  if (record.source !== caller.actor.member) return refuse({ code: "record_of_another_member" });
  if (!statuses.includes(record.status)) return refuse({ code: "record_not_current", status: record.status });
  return accept(record);
}

/** Why a new version cannot take the place of the newest. */
export type NewVersionRefusal =
  | { code: "too_many_versions"; most: number }
  | { code: "object_reused" }
  | { code: "commitments_reused" };

/** A new version is sealed anew under a new key: nothing of the old object or of its key's shares may come back. */
export function checkNewVersion(
  old: MedicalRecord,
  object: ObjectReference,
  custody: CustodyReference,
): Result<undefined, NewVersionRefusal> {
  if (old.version >= MAX_VERSION) return refuse({ code: "too_many_versions", most: MAX_VERSION });
  const { id, manifest, root } = old.object;
  if (equal(object.id, id) || equal(object.manifest, manifest) || equal(object.root, root))
    return refuse({ code: "object_reused" });
  if (equal(custody.commitments, old.custody.commitments)) return refuse({ code: "commitments_reused" });
  return accept(undefined);
}
