/**
 * What a committee can decide by vote, and what stands in the state of it.
 * Source: requirements A3, A8 (appeal and re-admission by rule); design.md, "Validators".
 */
import { actorId, height, type Infer, memberId, schema, unixSeconds } from "@xinglin/primitives";
import { HPKE_PUBLIC_KEY_BYTES, MAX_NODES, MEMBER_KINDS, nodeId, publicKey } from "./actor.ts";
import { electionParameters, MAX_VALIDATORS } from "./election-parameters.ts";
import { validatorKey } from "./genesis.ts";

/** What a proposal does when it passes. */
export const action = schema.variant("kind", {
  /** A new institution with the key of its administration. Its names are those of a public institution. */
  admitMember: schema.object({
    id: memberId,
    as: schema.oneOf(...MEMBER_KINDS),
    name: schema.object({ zh: schema.text(64), en: schema.text(128) }),
    hpke: schema.bytes(HPKE_PUBLIC_KEY_BYTES),
    key: publicKey,
    /** Its nodes, which the others let in from then on, so that they can catch up. */
    nodes: schema.optional(schema.list(nodeId, MAX_NODES)),
  }),
  /** Takes an institution out: nobody but its patients can act any more; its validator goes with it. */
  removeMember: schema.object({ member: memberId, force: schema.bool }),
  /** Lets an institution that was taken out act again, under the keys it had. */
  readmitMember: schema.object({ member: memberId }),
  /**
   * Admits a member's validator, replaces its key, or lets one back that was unfit or penalised. `possession`: the key's own signature that it is to
   * be this member's on this chain (`possessionMessage`).
   */
  admitValidator: schema.object({ member: memberId, ...validatorKey, possession: schema.bytes(64, 3_309) }),
  /** Takes a member's validator out. With fewer than four left, only by `force`. */
  removeValidator: schema.object({ member: memberId, force: schema.bool }),
  /** Lets a member's custodian keep shares of keys; one that was retired comes back under the keys it had. */
  admitCustodian: schema.object({
    id: actorId,
    member: memberId,
    hpke: schema.bytes(HPKE_PUBLIC_KEY_BYTES),
    key: publicKey,
  }),
  /** A custodian that gets no share of a new key; those that it keeps it still releases and erases. */
  retireCustodian: schema.object({ custodian: actorId }),
  /** Puts other values in the place of all the election's parameters. */
  setElection: schema.object({ election: electionParameters }),
});
export type Action = Infer<typeof action>;
/** What the committee can decide, by name. */
export const ACTION_KINDS = [
  "admitMember",
  "removeMember",
  "readmitMember",
  "admitValidator",
  "removeValidator",
  "setElection",
  "admitCustodian",
  "retireCustodian",
] as const satisfies readonly Action["kind"][];

/** What a committee member says. */
export const BALLOTS = ["yes", "no"] as const;
/** How a proposal came out: `open` until so many said yes or no that it is decided. One that is open at its end never passes. */
export const PROPOSAL_OUTCOMES = ["open", "passed", "rejected"] as const;

/** State at `proposal/{id}`. */
export const proposal = schema.object({
  action,
  /** SHA-256 of the action's canonical bytes: what ballots name. */
  content: schema.bytes(32),
  by: memberId,
  height,
  /** First block time at which it can no longer be voted on. */
  notAfter: unixSeconds,
  ballots: schema.list(schema.object({ member: memberId, ballot: schema.oneOf(...BALLOTS), height }), MAX_VALIDATORS),
  outcome: schema.oneOf(...PROPOSAL_OUTCOMES),
});
export type Proposal = Infer<typeof proposal>;
