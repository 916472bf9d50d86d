/**
 * Whose turn it is, and who counts: the validator set of every height with CometBFT's rotation, weighted by power.
 * A change that block H decides holds from H + 2. Source: CometBFT v0.40 `types/validator_set.go` (IncrementProposerPriority, UpdateWithChangeSet)
 * and spec, "Proposer selection".
 */
import { cometbft } from "@xinglin/crypto/pure";
import { type Bytes, equal, invariant, toHex } from "@xinglin/primitives";
import type { ValidatorUpdate } from "../block.ts";

interface Seat {
  readonly publicKey: Bytes;
  readonly power: number;
  readonly priority: number;
}

/** The set of one height, in the order of CometBFT. */
export interface ValidatorSet {
  readonly validators: readonly cometbft.Validator[];
  readonly hash: Bytes;
  readonly total: number;
}

/** An update acts on the set two heights above its block. */
const DELAY = 2;

/** All sets so far. Pure: follows from the genesis and what blocks decided. */
export class ValidatorSchedule {
  /** Seats by height, from height 1. */
  readonly #seats: Seat[][];
  readonly #sets: ValidatorSet[] = [];

  constructor(genesis: readonly cometbft.Validator[]) {
    const first = cometbft.sortValidators(genesis).map((validator) => ({ ...validator, priority: 0 }));
    this.#seats = [rotated(first, 1).seats, rotated(first, 2).seats];
    for (const seats of this.#seats) this.#sets.push(setOf(seats));
  }

  /** Heights up to this one have a set. */
  get known(): number {
    return this.#seats.length;
  }

  /** What the block at `height` decided; blocks are told in order, one each. */
  decided(height: number, updates: readonly ValidatorUpdate[]): void {
    invariant(height + DELAY === this.known + 1, "validators: blocks are told in order");
    const next = rotated(changed(this.#seats[height] as Seat[], updates), 1).seats;
    this.#seats.push(next);
    this.#sets.push(setOf(next));
  }

  at(height: number): ValidatorSet {
    const set = this.#sets[height - 1];
    invariant(set !== undefined, "validators: the set is not known yet");
    return set;
  }

  /** Who proposes in a round. */
  proposer(height: number, round: number): Bytes {
    const seats = this.#seats[height - 1];
    invariant(seats !== undefined, "validators: the set is not known yet");
    return round === 0 ? leading(seats).publicKey : rotated(seats, round).proposer;
  }

  powerOf(height: number, publicKey: Bytes): number {
    return this.at(height).validators.find((validator) => equal(validator.publicKey, publicKey))?.power ?? 0;
  }
}

const setOf = (seats: readonly Seat[]): ValidatorSet => {
  const validators = cometbft.sortValidators(seats.map(({ publicKey, power }) => ({ publicKey, power })));
  return { validators, hash: cometbft.validatorsHash(validators), total: cometbft.totalPower(validators) };
};

const leading = (seats: readonly Seat[]): Seat => seats.reduce((best, seat) => (seat.priority > best.priority ? seat : best));

/** Turns the rotation so many times: each seat gains its power, the leader proposes and pays the total. */
function rotated(seats: readonly Seat[], times: number): { seats: Seat[]; proposer: Bytes } {
  let now = [...seats];
  const total = now.reduce((sum, { power }) => sum + power, 0);
  for (let i = 0; i < times; i++) {
    // The leader of the turn before has proposed; who leads after everybody gained is next.
    const last = i === 0 && seats.every(({ priority }) => priority === 0) ? undefined : leading(now);
    now = now.map((seat) => ({ ...seat, priority: seat.priority + seat.power - (seat === last ? total : 0) }));
  }
  return { seats: now, proposer: leading(now).publicKey };
}

/** The set after updates: power 0 leaves, a newcomer begins behind everybody. */
function changed(seats: readonly Seat[], updates: readonly ValidatorUpdate[]): Seat[] {
  if (updates.length === 0) return [...seats];
  const byKey = new Map(seats.map((seat) => [toHex(seat.publicKey), seat]));
  const lowest = Math.min(...seats.map(({ priority }) => priority));
  for (const { publicKey, power } of updates) {
    const name = toHex(publicKey);
    const priority = byKey.get(name)?.priority ?? lowest - power;
    if (power === 0) byKey.delete(name);
    else byKey.set(name, { publicKey, power, priority });
  }
  const next = [...byKey.values()];
  invariant(next.length > 0, "validators: the last seat was taken");
  return cometbft.sortValidators(next).map(({ publicKey }) => byKey.get(toHex(publicKey)) as Seat);
}
