/**
 * A node more or a node less, decided by vote as on real hosts: one administration proposes, the others look at the proposal and vote.
 * Source: requirements A3, A8; docs/guides/run-a-consortium.md.
 */
import { setTimeout } from "node:timers/promises";
import type { ApiClient } from "@xinglin/client";
import type { Action, ValidatorStatus } from "@xinglin/contracts";
import { nameNodes, proposeAction, readKeyFile, type Say, voteOn } from "@xinglin/gateway";
import { administrationKey, admissionOf, cardForChain, type MemberCard, nodesOf, provenValidator } from "@xinglin/member";
import { Fault, type MemberId } from "@xinglin/primitives";
import { type NetworkFile, nextMember, writeNetworkFile } from "./network-file.ts";
import { cardOfMember } from "./new-network.ts";
import type { RunningNetwork } from "./running-network.ts";

const ASK_MS = 100;
const SEATED_MS = 60_000;

/** What changing the members needs beside the processes. */
export interface ChangeOptions {
  readonly data: string;
  readonly network: RunningNetwork;
  readonly say: Say;
  readonly clientOf: (member: string) => ApiClient;
}

/** Who holds seats, as a member's node sees it. */
export const validatorsOf = async (client: ApiClient): Promise<ValidatorStatus> =>
  (await client.getJson("/v1/validators")) as ValidatorStatus;

/** Admits the next member (one that has no node yet, or a new one): it is voted in, its node catches up, then its validator is voted in. */
export async function addMember(options: ChangeOptions): Promise<MemberId> {
  const { data, network, say } = options;
  const member = await nextMember(network.file);
  const card = await cardOfMember(data, member);
  const isNew = !network.file.members.some(({ id }) => id === member.id);
  if (isNew) await decide(options, admissionOf(card));
  else await nameNodesOf(options, card);
  const members = isNew
    ? [...network.file.members, member]
    : network.file.members.map((one) => (one.id === member.id ? member : one));
  const file: NetworkFile = { ...network.file, members };
  await network.add(member, file);
  writeNetworkFile(data, file);
  say("network.joined", { member: member.id });
  const { chainId } = (await options.clientOf("").getJson("/v1/status")) as { chainId: string };
  await decide(options, { kind: "admitValidator", ...provenValidator(cardForChain(data, card, chainId), chainId) });
  await untilSeated(options, member.id, true);
  return member.id;
}

/** A member that is known already may get its first node, or the one back that it had. */
async function nameNodesOf({ data, clientOf }: ChangeOptions, card: MemberCard): Promise<void> {
  try {
    await nameNodes(clientOf(""), readKeyFile(administrationKey(data, card.member)), nodesOf(card).nodes ?? []);
  } catch (error) {
    if (!(error instanceof Fault && error.code === "unchanged")) throw error;
  }
}

/** Takes a member's validator out, and stops its node. Throws `unknown_member`, and `too_few_validators` without `force`. */
export async function removeMember(options: ChangeOptions, id: string, force: boolean): Promise<void> {
  const { data, network } = options;
  const member = network.withNode.find((one) => one.id === id);
  if (member === undefined) throw new Fault("unknown_member", { member: id });
  await decide(options, { kind: "removeValidator", member: member.id, force });
  await untilSeated(options, member.id, false);
  const without = { ...member, hasNode: false };
  const members = network.file.members.map((one) => (one.id === id ? without : one));
  await network.remove(without, { ...network.file, members });
  writeNetworkFile(data, { ...network.file, members });
}

/** Proposes and votes until it is decided. */
async function decide({ data, say, clientOf }: ChangeOptions, action: Action): Promise<void> {
  const [first, ...others] = (await validatorsOf(clientOf(""))).committee.members;
  if (first === undefined) throw new Fault("unknown_member", { member: "-" });
  const key = (member: MemberId) => readKeyFile(administrationKey(data, member));
  let voting = await proposeAction(clientOf(first), key(first), action);
  for (const member of others) {
    if (voting.outcome !== "open") break;
    await untilHeight(clientOf(member), voting.height + 1);
    voting = await voteOn(clientOf(member), key(member), voting.proposal, "yes");
  }
  say(`network.vote_${voting.outcome}`, { action: say.text(`action.${action.kind}`), height: voting.height });
  if (voting.outcome !== "passed") throw new Fault("proposal_not_passed", { outcome: voting.outcome });
}

async function untilHeight(client: ApiClient, height: number): Promise<void> {
  const deadline = performance.now() + SEATED_MS;
  for (;;) {
    const status = (await client.getJson("/v1/status")) as { provableHeight: number; height: number };
    if (status.height >= height) return;
    if (performance.now() > deadline) throw new Fault("node_behind", { height: status.height, wanted: height }, { retry: true });
    await setTimeout(ASK_MS);
  }
}

/** What is decided at a height is in force two heights above: then the node is needed, or is not any more. */
async function untilSeated({ clientOf, network }: ChangeOptions, member: MemberId, seated: boolean): Promise<void> {
  const client = clientOf(network.withNode.find(({ id }) => id !== member)?.id ?? "");
  const { height } = (await client.getJson("/v1/status")) as { height: number };
  const { active } = await validatorsOf(client);
  if (active.some((one) => one.member === member) !== seated) throw new Fault("proposal_not_passed", { outcome: "open" });
  await untilHeight(client, height + 2);
}
