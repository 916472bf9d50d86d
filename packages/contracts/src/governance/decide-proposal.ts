/**
 * Counts a proposal's ballots and, once they decide it, does what it says in the same block.
 * Source: requirement A8; design.md, "Validators".
 */
import { accept, type MemberId, type Result } from "@xinglin/primitives";
import type { ElectionParameters } from "../model/election-parameters.ts";
import type { Proposal } from "../model/proposal.ts";
import type { BlockContext, Change, StateReader } from "../rule.ts";
import { type ActionRefusal, act } from "./act.ts";
import { votersOf, votesNeeded } from "./committee.ts";

/** The proposal as it stands then, and what it changes if it passes. */
export interface DecidedProposal {
  readonly proposal: Proposal;
  readonly changes: readonly Change[];
}

/**
 * Passed when enough of the committee as it is now said yes, rejected when too few are left to; ballots of members who left it or were suspended
 * since count for nothing (while they are). A proposal that would pass and can't be done as things stand is refused with the reason, and stays as it was.
 */
export function decideProposal(
  state: StateReader,
  proposal: Proposal,
  committee: readonly MemberId[],
  parameters: ElectionParameters,
  block: BlockContext,
): Result<DecidedProposal, ActionRefusal> {
  const voters = votersOf(state, committee);
  const count = (ballot: "yes" | "no"): number =>
    proposal.ballots.filter((cast) => cast.ballot === ballot && voters.includes(cast.member)).length;
  const needed = votesNeeded(voters.length, committee.length, parameters);
  // Who is suspended may be back before the proposal's end.
  if (committee.length - count("no") < needed) return accept({ proposal: { ...proposal, outcome: "rejected" }, changes: [] });
  if (count("yes") < needed) return accept({ proposal, changes: [] });
  const acted = act(state, proposal.action, block);
  return acted.ok ? accept({ proposal: { ...proposal, outcome: "passed" }, changes: acted.value }) : acted;
}
