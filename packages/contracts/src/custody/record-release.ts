/**
 * recordRelease: a custodian states that it released its share for a permit. The permit itself already counts as the read; this adds detail.
 * Source: requirements C3, C10; design.md, "Consent, access, custody" (Release).
 */
import { accept, actorId, type Infer, schema } from "@xinglin/primitives";
import { type Release, shareIndex } from "../model/custody.ts";
import { getPermit, getRelease } from "../reads.ts";
import { decidedAt, put, type Rule, refuseWith, signedBy } from "../rule.ts";
import { keys } from "../state-keys.ts";

/** For which permit which share was released. */
export const recordReleaseOperation = schema.object({ patient: actorId, number: schema.uint(undefined, 1), index: shareIndex });
export type RecordRelease = Infer<typeof recordReleaseOperation>;

/** In the order of the checks. */
export type RecordReleaseRefusal =
  | { code: "not_custodian" }
  | { code: "unknown_permit" }
  | { code: "not_in_custody" }
  | { code: "index_wrong"; expected: number }
  | { code: "already_recorded" };

/** By a custodian that the permit's custody lists, once for each permit. Writes `release/{patient}/{number}/{custodian}`. */
export const recordRelease: Rule<RecordRelease, RecordReleaseRefusal["code"]> = (
  state,
  { patient, number, index },
  { block, caller },
) => {
  const subject = { patient, number, actor: caller.actorId };
  if (caller.actor.kind !== "custodian") return refuseWith<RecordReleaseRefusal>({ code: "not_custodian" }, subject);
  const permit = getPermit(state, patient, number);
  if (permit === undefined) return refuseWith<RecordReleaseRefusal>({ code: "unknown_permit" }, subject);
  const expected = permit.custody.custodians.indexOf(caller.actorId);
  if (expected < 0) return refuseWith<RecordReleaseRefusal>({ code: "not_in_custody" }, subject);
  if (index !== expected) return refuseWith<RecordReleaseRefusal>({ code: "index_wrong", expected }, subject);
  if (getRelease(state, patient, number, caller.actorId) !== undefined)
    return refuseWith<RecordReleaseRefusal>({ code: "already_recorded" }, subject);
  const { target } = permit;
  const release: Release = { index, by: signedBy(caller), at: decidedAt(block) };
  return accept({
    changes: [put(keys.release(patient, number, caller.actorId), release)],
    subject: {
      ...subject,
      record: target.record,
      ...(target.kind === "record" ? { version: target.version } : { batch: target.root }),
    },
  });
};
