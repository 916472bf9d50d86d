/**
 * keepObject: an institution commits to an archive object that versions of its records will rely on, so that it is audited and repaired.
 * Source: requirement D1; docs/decisions/0012-shared-pixels.md.
 */
import { accept, type Infer, recordId, schema, toHex } from "@xinglin/primitives";
import type { KeptObject } from "../model/kept-object.ts";
import { packReference } from "../model/record.ts";
import { type OwnRecordRefusal, ownRecord } from "../record/own-record.ts";
import { decidedAt, put, type Rule, refuseWith, signedBy } from "../rule.ts";
import { keys } from "../state-keys.ts";

/** The object, whole, and the record whose new version brought it: one transaction shows both anyway. */
export const keepObjectOperation = schema.object({ object: packReference, record: recordId });
export type KeepObject = Infer<typeof keepObjectOperation>;

/** In the order of the checks. */
export type KeepObjectRefusal = OwnRecordRefusal | { code: "version_not_new" } | { code: "id_taken" };

/**
 * By whoever anchored the record's newest version, in the same block, so that the right to do it has been shown: where the anchor is refused, this is,
 * and no object is kept that nothing relies on. Writes `object/{member}/{id}`; the id must be new to the member. It stands under the member's name so
 * that nobody who sees pieces arrive can take the id first: where the anchor is accepted, this is.
 */
export const keepObject: Rule<KeepObject, KeepObjectRefusal["code"]> = (state, { object, record }, { block, caller }) => {
  const { member } = caller.actor;
  const subject = { member, record };
  const found = ownRecord(state, caller, record, ["current"]);
  if (!found.ok) return refuseWith<KeepObjectRefusal>(found.refusal, subject);
  const { at, by } = found.value;
  if (at.height !== block.height || by.actor !== caller.actorId)
    return refuseWith<KeepObjectRefusal>({ code: "version_not_new" }, subject);
  const key = keys.object(member, toHex(object.id));
  if (state.get(key) !== undefined) return refuseWith<KeepObjectRefusal>({ code: "id_taken" }, subject);
  const kept: KeptObject = { source: member, object, status: "kept", by: signedBy(caller), at: decidedAt(block) };
  return accept({ changes: [put(key, kept)], subject });
};
