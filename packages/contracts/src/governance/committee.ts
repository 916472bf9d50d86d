/**
 * Who votes on members, validators and the election's parameters: every member with an admitted validator, whether active or standing by, but
 * those penalised for misbehaviour.
 *
 * A suspended member can't vote. If it counted all the same, a commission that suspends a third would end all voting; if it just did not count, one that
 * suspends enough would make itself and its friends the majority. So it does not count, every decision needs more than half of the whole
 * committee, and no commission keeps more than a third of it suspended (`suspensionBound`).
 * Source: requirement A8; design.md, "Validators" (authorities admitted by vote); docs/decisions/0009-suspended-voters.md.
 */
import { accept, type MemberId, type Result, refuse } from "@xinglin/primitives";
import { isAdministration } from "../identity/administration.ts";
import type { Election } from "../model/election.ts";
import { CAPPED_FROM, type ElectionParameters } from "../model/election-parameters.ts";
import { getElection, getMember } from "../reads.ts";
import type { Caller, StateReader } from "../rule.ts";

/** The committee, in the order of the candidates. */
export const committeeOf = ({ candidates }: Election): MemberId[] =>
  candidates.filter(({ standing }) => standing !== "penalised").map(({ member }) => member);

/** Those of a committee that can vote: whose member is not suspended. */
export const votersOf = (state: StateReader, committee: readonly MemberId[]): MemberId[] =>
  committee.filter((member) => getMember(state, member)?.status === "active");

/**
 * How many must say yes: the least number that is at least `votesPerMille` thousandths of those who can vote, and more than half of the whole
 * committee. It may be more than can vote: then nothing passes until a suspension ends.
 */
export const votesNeeded = (voters: number, committee: number, { votesPerMille }: ElectionParameters): number =>
  Math.max(Math.ceil((voters * votesPerMille) / 1000), Math.floor(committee / 2) + 1);

/**
 * How many of a committee a commission may keep suspended: so many as may be faulty, less than a third. A committee of fewer than four survives no faulty
 * one whatever is done, so there is no bound.
 */
export const mostSuspended = (committee: number): number =>
  committee < CAPPED_FROM ? committee : Math.floor((committee - 1) / 3);

/** How many of the committee a commission may keep suspended, if it keeps so many suspended that this member may not be one more. */
export function suspensionBound(state: StateReader, member: MemberId): number | undefined {
  const election = getElection(state);
  const committee = election === undefined ? [] : committeeOf(election);
  if (!committee.includes(member)) return undefined;
  const most = mostSuspended(committee.length);
  return committee.length - votersOf(state, committee).length < most ? undefined : most;
}

/** In the order of the checks. */
export type CommitteeRefusal = { code: "not_administration" } | { code: "not_in_committee" };

/** The committee, if the caller is the administration of one of its members. */
export function checkCommittee(state: StateReader, caller: Caller): Result<readonly MemberId[], CommitteeRefusal> {
  if (!isAdministration(caller, caller.actor.member)) return refuse({ code: "not_administration" });
  const election = getElection(state);
  const committee = election === undefined ? [] : committeeOf(election);
  return committee.includes(caller.actor.member) ? accept(committee) : refuse({ code: "not_in_committee" });
}
