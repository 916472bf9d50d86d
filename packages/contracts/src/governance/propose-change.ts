/**
 * proposeChange: a committee member puts something to the vote: to admit or remove a member or a validator, or to set the election's parameters.
 * Who was removed, unfit or penalised comes back by a new proposal; nothing is for ever.
 * Source: requirements A3, A8 (appeal and re-admission by rule); design.md, "Validators".
 */
import { sha256 } from "@xinglin/crypto/pure";
import { accept, cbor, type Infer, invariant, proposalId, schema, unixSeconds } from "@xinglin/primitives";
import { type Action, action, type Proposal } from "../model/proposal.ts";
import { getParameters, getProposal } from "../reads.ts";
import { put, type Rule, refuseWith } from "../rule.ts";
import { keys } from "../state-keys.ts";
import { type ActionRefusal, act, memberOf } from "./act.ts";
import { type CommitteeRefusal, checkCommittee } from "./committee.ts";
import { decideProposal } from "./decide-proposal.ts";

/** What is put to the vote, and until when. */
export const proposeChangeOperation = schema.object({ id: proposalId, action, notAfter: unixSeconds });
export type ProposeChange = Infer<typeof proposeChangeOperation>;

/** In the order of the checks. */
export type ProposeChangeRefusal =
  | CommitteeRefusal
  | { code: "period_over" }
  | { code: "proposal_too_long"; mostSeconds: number }
  | { code: "id_taken" }
  | ActionRefusal;

/** What a ballot names, so that nobody votes on something else than was shown: SHA-256 of the action's canonical bytes. */
export const proposalContent = (proposed: Action): Uint8Array => sha256(cbor.encode(proposed));

/** By the administration of a committee member, whose yes it is at once. Writes `proposal/{id}`, and if that one yes is enough what the action writes. */
export const proposeChange: Rule<ProposeChange, ProposeChangeRefusal["code"]> = (state, op, { block, caller }) => {
  const about = memberOf(op.action);
  const subject = about === undefined ? { proposal: op.id } : { proposal: op.id, member: about };
  const committee = checkCommittee(state, caller);
  if (!committee.ok) return refuseWith<ProposeChangeRefusal>(committee.refusal, subject);
  const parameters = getParameters(state)?.election;
  invariant(parameters !== undefined, "a chain has parameters");
  if (op.notAfter <= block.time) return refuseWith<ProposeChangeRefusal>({ code: "period_over" }, subject);
  const mostSeconds = parameters.proposalSeconds;
  if (op.notAfter > block.time + mostSeconds)
    return refuseWith<ProposeChangeRefusal>({ code: "proposal_too_long", mostSeconds }, subject);
  if (getProposal(state, op.id) !== undefined) return refuseWith<ProposeChangeRefusal>({ code: "id_taken" }, subject);
  const possible = act(state, op.action, block);
  if (!possible.ok) return refuseWith<ProposeChangeRefusal>(possible.refusal, subject);
  const { member } = caller.actor;
  const { height } = block;
  const made: Proposal = {
    action: op.action,
    content: proposalContent(op.action),
    by: member,
    height,
    notAfter: op.notAfter,
    ballots: [{ member, ballot: "yes", height }],
    outcome: "open",
  };
  const decided = decideProposal(state, made, committee.value, parameters, block);
  if (!decided.ok) return refuseWith<ProposeChangeRefusal>(decided.refusal, subject);
  const { proposal, changes } = decided.value;
  return accept({
    changes: [put(keys.proposal(op.id), proposal), ...changes],
    subject: { ...subject, decided: proposal.outcome },
  });
};
