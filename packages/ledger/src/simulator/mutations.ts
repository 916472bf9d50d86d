/**
 * Mistakes that can be planted in the nodes of a simulation, in what wraps the application and never in the application itself: a simulator that
 * does not find these finds nothing. Source: style.md, "Tests" (a test must be able to fail).
 */
import type { Fault } from "@xinglin/primitives";
import type { BlockInput } from "../block.ts";
import type { Time } from "../block-time.ts";
import type { DiskMistake } from "./disk.ts";

/** The planted mistakes, each with what it does. */
export const MUTATIONS = {
  forgives_replays: "ProcessProposal lets a transaction pass that an earlier block holds",
  forgives_quota: "ProcessProposal lets a member go over its quota",
  forgives_signatures: "ProcessProposal lets wrong signatures pass",
  refuses_some: "one node's ProcessProposal refuses every third honest proposal with transactions",
  own_order: "one node executes the transactions of a block in an order of its own",
  own_clock: "one node executes blocks at the time of its own clock",
  starves_member: "proposals never hold the transactions of one member",
  forgets_synced_batch: "the disk acknowledges a synced batch that a power cut takes",
  tears_batch: "after a power cut the disk holds a part of a batch",
} as const satisfies Record<string, string>;
/** The name of a mistake. */
export type Mutation = keyof typeof MUTATIONS;

/** The node in which mistakes of one node are planted. */
export const MISTAKEN_NODE = 0;
/** The member that a mistake hurts. */
export const MISTAKEN_MEMBER = "hospital-b";

export const diskMistake = (mutation: Mutation | undefined): DiskMistake | undefined =>
  mutation === "forgets_synced_batch" || mutation === "tears_batch" ? mutation : undefined;

const FORGIVEN: Partial<Record<Mutation, string>> = {
  forgives_replays: "already_known",
  forgives_quota: "over_quota",
  forgives_signatures: "signature_wrong",
};

/** What a node with this mistake answers to a proposal, where the application answers `fault`. */
export function mistakenVerdict(
  mutation: Mutation | undefined,
  node: number,
  { height, transactions }: BlockInput,
  fault: Fault | undefined,
): boolean {
  if (mutation === "refuses_some" && node === MISTAKEN_NODE && transactions.length > 0 && height % 3 === 0) return false;
  return fault === undefined || (mutation !== undefined && FORGIVEN[mutation] === fault.code);
}

/** The block as a node with this mistake executes it. */
export function mistakenInput(mutation: Mutation | undefined, node: number, input: BlockInput, now: Time): BlockInput {
  if (node !== MISTAKEN_NODE) return input;
  if (mutation === "own_clock") return { ...input, time: now };
  if (mutation === "own_order") return { ...input, transactions: [...input.transactions].sort(Buffer.compare) };
  return input;
}
