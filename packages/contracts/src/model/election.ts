/**
 * Who may hold a validator's seat, and what the state counts for it: governed parameters, candidates, the tally of the open epoch, the
 * record of each closed one, penalties, and what peers' probes saw.
 * Source: requirements A3, A4, A8; design.md, "Validators".
 */
import { height, type Infer, memberId, schema } from "@xinglin/primitives";
import { MAX_VALIDATORS } from "./election-parameters.ts";
import { validatorKey, validators } from "./genesis.ts";

/** Whether a candidate may hold a seat: `unfit` and `penalised` ones only after a new vote. */
export const STANDINGS = ["fit", "unfit", "penalised"] as const;
export type Standing = (typeof STANDINGS)[number];
const standing = schema.oneOf(...STANDINGS);

/** The first 20 bytes of SHA-256 of a public key: how CometBFT names a validator. */
const address = schema.bytes(20);
/** Addresses that a candidate had before, for evidence that comes late. */
export const MAX_FORMER_ADDRESSES = 4;
const perMille = schema.uint(1000);
const counted = schema.uint(1_000_000_000_000);

/** Somebody admitted by vote (or by the genesis) to hold a seat when the election gives it one. */
export const candidate = schema.object({
  member: memberId,
  ...validatorKey,
  address,
  former: schema.list(address, MAX_FORMER_ADDRESSES),
  /** Height of the vote that admitted it, or admitted it again; evidence from before no longer counts. */
  since: height,
  standing,
  /** Epochs in a row in which it was unfit. */
  strikes: schema.uint(255),
  /** Of the last closed epoch, before strikes: at least 1. */
  score: schema.uint(10_000_000, 1),
});
export type Candidate = Infer<typeof candidate>;

/** State at `election`. */
export const election = schema.object({
  /** Number of the open epoch, from 1, and the height at which it began. */
  epoch: schema.uint(),
  since: height,
  /** How many validators shall be active; fewer are while there are fewer fit candidates. */
  seats: schema.uint(MAX_VALIDATORS, 1),
  /** How many entries `penalty/{n}` has, numbered from 1. */
  penalties: schema.uint(),
  candidates: schema.list(candidate, MAX_VALIDATORS, 1),
});
export type Election = Infer<typeof election>;

/** What the open epoch counted for one candidate: commits that it could have signed, those that it did, and points for anchored records. */
export const tallyRow = schema.object({ member: memberId, due: counted, signed: counted, points: counted });
export type TallyRow = Infer<typeof tallyRow>;
/** State at `tally`: the open epoch so far. Absent until it has counted something, and while there is one candidate only. */
export const tally = schema.object({
  /** Blocks with transactions, and operations in them. */
  blocks: counted,
  operations: counted,
  rows: schema.list(tallyRow, MAX_VALIDATORS),
});
export type Tally = Infer<typeof tally>;

/** What one member's node saw of another's: answers per thousand questions, kilobytes a second, free megabytes. */
export const observation = schema.object({
  answeredPerMille: perMille,
  kilobytesPerSecond: schema.uint(1_000_000_000),
  freeMegabytes: schema.uint(1_000_000_000),
});
export type Observation = Infer<typeof observation>;
/** State at `probe/{member}`: what peers saw of this member's node in `epoch`, one entry a prober. */
export const probes = schema.object({
  epoch: schema.uint(),
  by: schema.list(schema.object({ member: memberId, seen: observation }), MAX_VALIDATORS),
});
export type Probes = Infer<typeof probes>;

/** State at `epoch/{n}`: how a closed epoch came out; the newest hundred are kept. */
export const epochRecord = schema.object({
  from: height,
  to: height,
  blocks: counted,
  operations: counted,
  /** Operations a block against `blockOperations`. */
  utilisationPerMille: perMille,
  /** Validators that shall be active from here on. */
  seats: schema.uint(MAX_VALIDATORS, 1),
  rows: schema.list(
    schema.object({
      member: memberId,
      due: counted,
      signed: counted,
      points: counted,
      probers: schema.uint(MAX_VALIDATORS),
      /** Medians with a missing probe as nothing: what credit is given by. */
      credited: observation,
      /** The median answers per thousand of those who told, the lower middle one of two: what a node is taken to be worth to readers. */
      answeredPerMille: perMille,
      score: schema.uint(10_000_000, 1),
      strikes: schema.uint(255),
      standing,
    }),
    MAX_VALIDATORS,
  ),
});
export type EpochRecord = Infer<typeof epochRecord>;

/** What consensus can prove of a validator. Source: CometBFT v0.40 `abci.MisbehaviorType`. */
export const MISBEHAVIOURS = ["duplicate_vote", "light_client_attack"] as const;
/** State at `penalty/{n}`: misbehaviour that took a seat. `at` is where the block that brought the evidence stands. */
export const penalty = schema.object({ member: memberId, address, kind: schema.oneOf(...MISBEHAVIOURS), height, at: height });
export type Penalty = Infer<typeof penalty>;

/** State at `validators/earlier`: sets that were in force, each up to its height; after the last of them the set at `validators` is. */
export const earlierValidators = schema.list(schema.object({ until: height, validators }), 4);
export type EarlierValidators = Infer<typeof earlierValidators>;
