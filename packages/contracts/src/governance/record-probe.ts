/**
 * recordProbe: a member signs what its node saw of another member's node in the open epoch: availability, bandwidth, free space.
 * One signer may carry the probes of all peers in one transaction.
 * Source: requirement A8 (peers sign their probes); design.md, "Validators".
 */
import { accept, type Infer, memberId, schema } from "@xinglin/primitives";
import type { ActorKind } from "../model/actor.ts";
import { observation, type Probes } from "../model/election.ts";
import { getElection, getProbes } from "../reads.ts";
import { put, type Rule, refuseWith } from "../rule.ts";
import { keys } from "../state-keys.ts";
import { committeeOf } from "./committee.ts";

/** What was seen, of whose node, in which epoch. */
export const recordProbeOperation = schema.object({ epoch: schema.uint(), member: memberId, seen: observation });
export type RecordProbe = Infer<typeof recordProbeOperation>;

/** In the order of the checks. */
export type RecordProbeRefusal =
  | { code: "caller_not_allowed"; kind: ActorKind }
  | { code: "not_in_committee" }
  | { code: "own_node" }
  | { code: "unknown_validator"; member: RecordProbe["member"] }
  | { code: "probe_epoch_wrong"; expected: number }
  | { code: "already_recorded" };

/**
 * By the administration or a device of a committee member, about any other admitted validator, once an epoch. Writes `probe/{member}`, which holds
 * one epoch at a time. Cost: linear in the committee.
 */
export const recordProbe: Rule<RecordProbe, RecordProbeRefusal["code"]> = (state, { epoch, member, seen }, { caller }) => {
  const subject = { member };
  const { kind, member: prober } = caller.actor;
  if (kind !== "member" && kind !== "device")
    return refuseWith<RecordProbeRefusal>({ code: "caller_not_allowed", kind }, subject);
  const election = getElection(state);
  if (election === undefined || !committeeOf(election).includes(prober))
    return refuseWith<RecordProbeRefusal>({ code: "not_in_committee" }, subject);
  if (prober === member) return refuseWith<RecordProbeRefusal>({ code: "own_node" }, subject);
  if (!election.candidates.some((one) => one.member === member))
    return refuseWith<RecordProbeRefusal>({ code: "unknown_validator", member }, subject);
  if (epoch !== election.epoch)
    return refuseWith<RecordProbeRefusal>({ code: "probe_epoch_wrong", expected: election.epoch }, subject);
  const known = getProbes(state, member);
  const by = known?.epoch === epoch ? known.by : [];
  if (by.some((probe) => probe.member === prober)) return refuseWith<RecordProbeRefusal>({ code: "already_recorded" }, subject);
  const probes: Probes = { epoch, by: [...by, { member: prober, seen }] };
  return accept({ changes: [put(keys.probes(member), probes)], subject });
};
