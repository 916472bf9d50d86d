/**
 * How the validators stand, for status pages and the command line: who is active with how much power, who stands by, who lost a seat and why,
 * and what the caps do and do not hold.
 * Source: requirements A3, A8; design.md, "Validators" (for n < 4 the missing cap is said aloud).
 */
import { type MemberId, toHex } from "@xinglin/primitives";
import type { Candidate, Observation, Standing } from "../model/election.ts";
import { CAPPED_FROM } from "../model/election-parameters.ts";
import { getElection, getEpoch, getParameters, getValidators } from "../reads.ts";
import type { StateReader } from "../rule.ts";
import { committeeOf, votersOf, votesNeeded } from "./committee.ts";

/** One admitted validator. */
export interface ValidatorStanding {
  readonly member: MemberId;
  /** Hex of its public key. */
  readonly publicKey: string;
  readonly standing: Standing;
  /** Voting power from two heights above the state on, 0 without a seat; and in thousandths of the whole, rounded down. */
  readonly power: number;
  readonly sharePerMille: number;
  readonly score: number;
  /** Unfit epochs in a row: each halves its power. */
  readonly strikes: number;
  /** It has been unfit for so long that its seat should go, and keeps it because no more than four fit ones are left. */
  readonly isKeptForLackOfOthers: boolean;
  /** What peers saw of its node in the last closed epoch: medians over the committee, in which a missing probe counts as nothing. */
  readonly seen?: SeenByPeers;
}

/** Medians of an epoch, and how many peers they rest on. */
export interface SeenByPeers extends Observation {
  readonly epoch: number;
  readonly probers: number;
}

/** How the validators stand in a state. */
export interface ValidatorStatus {
  readonly epoch: number;
  /** First height of the epoch, and the height from which the next block with transactions ends it. */
  readonly epochSince: number;
  readonly epochEndsFrom: number;
  readonly seats: { readonly wanted: number; readonly held: number; readonly least: number; readonly most: number };
  readonly totalPower: number;
  readonly active: readonly ValidatorStanding[];
  readonly standby: readonly ValidatorStanding[];
  readonly unfit: readonly ValidatorStanding[];
  readonly penalised: readonly ValidatorStanding[];
  /** How many penalties the state lists at `penalty/{n}`. */
  readonly penalties: number;
  readonly committee: { readonly members: readonly MemberId[]; readonly votesNeeded: number };
  /** Fewer than four validators: power is equal, nobody's is below a third, and no faulty one is survived. To be said aloud. */
  readonly isCapMissing: boolean;
  /**
   * How many active validators may be faulty, whichever they are: so many of the most powerful hold less than a third together. Of equal power
   * floor((n - 1) / 3), of unequal power fewer.
   */
  readonly toleratedFaults: number;
  /** Somebody holds a third or more although there are four: a genesis gave it, and epochs take it down step by step. */
  readonly isOverCap: boolean;
}

/** Reads how the validators stand; undefined of a state before the first block. */
export function validatorStatus(state: StateReader): ValidatorStatus | undefined {
  const election = getElection(state);
  const parameters = getParameters(state)?.election;
  if (election === undefined || parameters === undefined) return undefined;
  const set = getValidators(state);
  const closed = election.epoch - 1;
  const rows = new Map(getEpoch(state, closed)?.rows.map((row) => [row.member, row]));
  const totalPower = set.reduce((sum, { power }) => sum + power, 0);
  const powers = new Map(set.map(({ publicKey, power }) => [toHex(publicKey), power]));
  const standingOf = (one: Candidate): ValidatorStanding => {
    const publicKey = toHex(one.publicKey);
    const power = powers.get(publicKey) ?? 0;
    const row = rows.get(one.member);
    return {
      member: one.member,
      publicKey,
      standing: one.standing,
      power,
      sharePerMille: Math.floor((1000 * power) / totalPower),
      score: one.score,
      strikes: one.strikes,
      isKeptForLackOfOthers: power > 0 && one.strikes >= parameters.unfit.epochs,
      ...(row === undefined ? {} : { seen: { epoch: closed, probers: row.probers, ...row.credited } }),
    };
  };
  const all = election.candidates.map(standingOf);
  const without = (standing: Standing): ValidatorStanding[] => all.filter((one) => one.power === 0 && one.standing === standing);
  const members = committeeOf(election);
  return {
    epoch: election.epoch,
    epochSince: election.since,
    epochEndsFrom: election.since + parameters.epochBlocks,
    seats: { wanted: election.seats, held: set.length, least: parameters.minSeats, most: parameters.maxSeats },
    totalPower,
    active: all.filter(({ power }) => power > 0).sort((a, b) => b.power - a.power || (a.member < b.member ? -1 : 1)),
    standby: without("fit"),
    unfit: without("unfit"),
    penalised: without("penalised"),
    penalties: election.penalties,
    committee: { members, votesNeeded: votesNeeded(votersOf(state, members).length, members.length, parameters) },
    isCapMissing: set.length < CAPPED_FROM,
    toleratedFaults: toleratedFaults(set.map(({ power }) => power)),
    isOverCap: set.length >= CAPPED_FROM && set.some(({ power }) => power * 3 >= totalPower),
  };
}

/** The most of these powers, from the greatest down, that are less than a third of all together. At most 100 powers of at most 10^9. */
function toleratedFaults(powers: readonly number[]): number {
  const total = powers.reduce((sum, power) => sum + power, 0);
  let together = 0;
  let count = 0;
  for (const power of [...powers].sort((a, b) => b - a)) {
    together += power;
    if (together * 3 >= total) break;
    count++;
  }
  return count;
}
