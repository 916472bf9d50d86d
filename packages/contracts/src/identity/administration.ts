/**
 * The administration of a member: the actor whose id is the member's own, which speaks for the institution.
 * Source: requirement B4; design.md, "Identity".
 */
import type { MemberId } from "@xinglin/primitives";
import { getMember } from "../reads.ts";
import type { Caller, StateReader } from "../rule.ts";

/** Whether the caller speaks for `member`. */
export const isAdministration = ({ actor }: Caller, member: MemberId): boolean =>
  actor.kind === "member" && actor.member === member;

/** Whether the caller speaks for a health commission. */
export const isCommission = (state: StateReader, { actor }: Caller): boolean =>
  actor.kind === "member" && getMember(state, actor.member)?.kind === "commission";
