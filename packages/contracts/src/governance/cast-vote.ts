/**
 * castVote: a committee member says yes or no to a proposal. The vote that decides it does what it says in the same block.
 * Source: requirement A8; design.md, "Validators".
 */
import { accept, equal, type Infer, invariant, proposalId, schema, type UnixSeconds } from "@xinglin/primitives";
import { BALLOTS, type PROPOSAL_OUTCOMES, type Proposal } from "../model/proposal.ts";
import { getParameters, getProposal } from "../reads.ts";
import { put, type Rule, refuseWith } from "../rule.ts";
import { keys } from "../state-keys.ts";
import { type ActionRefusal, memberOf } from "./act.ts";
import { type CommitteeRefusal, checkCommittee } from "./committee.ts";
import { decideProposal } from "./decide-proposal.ts";

/** A ballot. `content` is the hash of what was shown to whoever signs: `proposalContent`. */
export const castVoteOperation = schema.object({
  proposal: proposalId,
  content: schema.bytes(32),
  ballot: schema.oneOf(...BALLOTS),
});
export type CastVote = Infer<typeof castVoteOperation>;

/** In the order of the checks. */
export type CastVoteRefusal =
  | CommitteeRefusal
  | { code: "unknown_proposal" }
  | { code: "proposal_differs" }
  | { code: "proposal_decided"; outcome: (typeof PROPOSAL_OUTCOMES)[number] }
  | { code: "proposal_over"; endedAt: UnixSeconds }
  | { code: "already_voted" }
  | ActionRefusal;

/** By the administration of a committee member, once a proposal. Writes `proposal/{id}`, and what its action writes if this ballot decides it. */
export const castVote: Rule<CastVote, CastVoteRefusal["code"]> = (
  state,
  { proposal: id, content, ballot },
  { block, caller },
) => {
  const proposal = getProposal(state, id);
  const about = proposal === undefined ? undefined : memberOf(proposal.action);
  const subject = about === undefined ? { proposal: id } : { proposal: id, member: about };
  const committee = checkCommittee(state, caller);
  if (!committee.ok) return refuseWith<CastVoteRefusal>(committee.refusal, subject);
  if (proposal === undefined) return refuseWith<CastVoteRefusal>({ code: "unknown_proposal" }, subject);
  if (!equal(proposal.content, content)) return refuseWith<CastVoteRefusal>({ code: "proposal_differs" }, subject);
  const { outcome, notAfter: endedAt, ballots } = proposal;
  if (outcome !== "open") return refuseWith<CastVoteRefusal>({ code: "proposal_decided", outcome }, subject);
  if (block.time >= endedAt) return refuseWith<CastVoteRefusal>({ code: "proposal_over", endedAt }, subject);
  const { member } = caller.actor;
  if (ballots.some((cast) => cast.member === member)) return refuseWith<CastVoteRefusal>({ code: "already_voted" }, subject);
  const parameters = getParameters(state)?.election;
  invariant(parameters !== undefined, "a chain has parameters");
  const voted: Proposal = { ...proposal, ballots: [...ballots, { member, ballot, height: block.height }] };
  const decided = decideProposal(state, voted, committee.value, parameters, block);
  if (!decided.ok) return refuseWith<CastVoteRefusal>(decided.refusal, subject);
  const { changes } = decided.value;
  return accept({
    changes: [put(keys.proposal(id), decided.value.proposal), ...changes],
    subject: { ...subject, decided: decided.value.proposal.outcome },
  });
};
