/**
 * setMemberStatus: a health commission suspends a member institution, or lets it act again. (A committee's vote replaces this later.)
 * Source: requirements A8, F5.
 */
import { accept, type Infer, type MemberId, memberId, schema } from "@xinglin/primitives";
import { suspensionBound } from "../governance/committee.ts";
import { status } from "../model/actor.ts";
import { getMember } from "../reads.ts";
import { put, type Rule, refuseWith } from "../rule.ts";
import { keys } from "../state-keys.ts";
import { isCommission } from "./administration.ts";

/** Which institution's status changes to what. */
export const setMemberStatusOperation = schema.object({ id: memberId, status });
export type SetMemberStatus = Infer<typeof setMemberStatusOperation>;

/** In the order of the checks. */
export type SetMemberStatusRefusal =
  | { code: "not_commission" }
  | { code: "own_member" }
  | { code: "unknown_member"; member: MemberId }
  | { code: "member_removed" }
  | { code: "unchanged" }
  | { code: "committee_needed"; mostSuspended: number };

/** By the administration of a commission, never for itself, nor for a member that the committee took out, nor for so many of the committee that the others could not decide. Staff, devices and custodians of a suspended member can't act; its patients can. */
export const setMemberStatus: Rule<SetMemberStatus, SetMemberStatusRefusal["code"]> = (state, { id, status }, { caller }) => {
  const subject = { member: id };
  if (!isCommission(state, caller)) return refuseWith<SetMemberStatusRefusal>({ code: "not_commission" }, subject);
  if (caller.actor.member === id) return refuseWith<SetMemberStatusRefusal>({ code: "own_member" }, subject);
  const member = getMember(state, id);
  if (member === undefined) return refuseWith<SetMemberStatusRefusal>({ code: "unknown_member", member: id }, subject);
  if (member.removedAt !== undefined) return refuseWith<SetMemberStatusRefusal>({ code: "member_removed" }, subject);
  if (member.status === status) return refuseWith<SetMemberStatusRefusal>({ code: "unchanged" }, subject);
  const most = status === "suspended" ? suspensionBound(state, id) : undefined;
  if (most !== undefined) return refuseWith<SetMemberStatusRefusal>({ code: "committee_needed", mostSuspended: most }, subject);
  return accept({ changes: [put(keys.member(id), { ...member, status })], subject });
};
