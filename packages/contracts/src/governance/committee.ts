/**
 * Who votes on members, validators and the election's parameters: every member with an admitted validator, whether active or standing by, but
 * those penalised for misbehaviour. A suspended member still counts, so that nobody can make itself the majority by suspending others.
 * Source: requirement A8; design.md, "Validators" (authorities admitted by vote).
 */
import { accept, type MemberId, type Result, refuse } from "@xinglin/primitives";
import { isAdministration } from "../identity/administration.ts";
import type { Election } from "../model/election.ts";
import type { ElectionParameters } from "../model/election-parameters.ts";
import { getElection } from "../reads.ts";
import type { Caller, StateReader } from "../rule.ts";

/** The committee, in the order of the candidates. */
export const committeeOf = ({ candidates }: Election): MemberId[] =>
  candidates.filter(({ standing }) => standing !== "penalised").map(({ member }) => member);

/** How many of `size` members must say yes: the least number that is at least `votesPerMille` thousandths of them. */
export const votesNeeded = (size: number, { votesPerMille }: ElectionParameters): number =>
  Math.ceil((size * votesPerMille) / 1000);

/** In the order of the checks. */
export type CommitteeRefusal = { code: "not_administration" } | { code: "not_in_committee" };

/** The committee, if the caller is the administration of one of its members. */
export function checkCommittee(state: StateReader, caller: Caller): Result<readonly MemberId[], CommitteeRefusal> {
  if (!isAdministration(caller, caller.actor.member)) return refuse({ code: "not_administration" });
  const election = getElection(state);
  const committee = election === undefined ? [] : committeeOf(election);
  return committee.includes(caller.actor.member) ? accept(committee) : refuse({ code: "not_in_committee" });
}
