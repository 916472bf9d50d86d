/**
 * The committee's decisions as a member's administration makes them: propose, look, vote.
 * Source: requirements A3, A8; design.md, "Validators".
 */
import type { ApiClient, Identity, OperationResult } from "@xinglin/client";
import { TrustedChain } from "@xinglin/client";
import { type Action, keys, PROPOSAL_OUTCOMES, type Proposal, proposal as proposalShape } from "@xinglin/contracts";
import { type Bytes, cbor, Fault, type ProposalId, type UnixSeconds } from "@xinglin/primitives";
import { newProposalId } from "./ids.ts";
import { requireAccepted } from "./receipts.ts";

const MAX_PROPOSAL_BYTES = 1_048_576;
/** How long others have to vote, unless told otherwise: a day less than chains allow at first, since clocks differ. */
const OPEN_SECONDS = 1_123_200;

/** What became of a proposal by one step: `open` until enough of the committee said yes or no. */
export interface Voting {
  readonly proposal: ProposalId;
  readonly outcome: Proposal["outcome"];
  readonly height: number;
}

/** Puts `action` to the vote, whose first yes is the proposer's own. Throws the rules' refusal as a `Fault`. */
export async function proposeAction(
  client: ApiClient,
  by: Identity,
  action: Action,
  openSeconds = OPEN_SECONDS,
): Promise<Voting> {
  const { time } = await client.tip();
  const id = newProposalId();
  const operation = { op: "proposeChange", id, action, notAfter: (time + openSeconds) as UnixSeconds } as const;
  const receipt = requireAccepted(await client.submit(by, [operation]));
  return { proposal: id, outcome: decided(receipt.results[0]), height: receipt.height };
}

/** Names all nodes of a member, by its administration. Throws the rule's refusals. */
export async function nameNodes(client: ApiClient, by: Identity, nodes: readonly Bytes[]): Promise<number> {
  return requireAccepted(await client.submit(by, [{ op: "setNodes", nodes: [...nodes] }])).height;
}

/** A proposal as the chain holds it, proven. Throws `proposal_missing`. */
export async function readProposal(client: ApiClient, by: Identity, id: ProposalId): Promise<Proposal> {
  const { value } = await (await TrustedChain.of(client)).prove(by, keys.proposal(id));
  if (value === undefined) throw new Fault("proposal_missing", { proposal: id });
  return proposalShape.parse(cbor.decode(value, MAX_PROPOSAL_BYTES));
}

/** Votes on a proposal as it stands on the chain: the ballot names its content. Throws `proposal_missing` and the rules' refusals. */
export async function voteOn(client: ApiClient, by: Identity, id: ProposalId, ballot: "yes" | "no"): Promise<Voting> {
  const { content } = await readProposal(client, by, id);
  const receipt = requireAccepted(await client.submit(by, [{ op: "castVote", proposal: id, content, ballot }]));
  return { proposal: id, outcome: decided(receipt.results[0]), height: receipt.height };
}

const decided = (result: OperationResult | undefined): Proposal["outcome"] =>
  PROPOSAL_OUTCOMES.find((outcome) => outcome === result?.subject.decided) ?? "open";
