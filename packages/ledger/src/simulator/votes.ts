/** The votes of one height, as one node has heard them. Source: "The latest gossip on BFT consensus" (arXiv:1807.04938); CometBFT spec. */
import type { cometbft } from "@xinglin/crypto/pure";
import type { Time } from "../block-time.ts";

/** One vote; without `blockId` it is for nil. A precommit for a block carries its signature. */
export interface Vote {
  readonly type: "prevote" | "precommit";
  readonly height: number;
  readonly round: number;
  /** Key of the block id, or `NIL`. */
  readonly key: string;
  readonly blockId?: cometbft.BlockId;
  /** Number of the node that votes. */
  readonly voter: number;
  readonly time: Time;
  readonly signature: Uint8Array;
}

/** The key of a vote for nil. */
export const NIL = "";

/** The votes of one height. The second vote of one that votes twice is evidence, and counts too: somebody else may have heard it first. */
export class Votes {
  readonly #powerOf: (voter: number) => number;
  readonly #total: number;
  /** By kind and round: each different vote once, in the order in which it was heard. */
  readonly #byRound = new Map<string, Vote[]>();
  /** Voters of whom two different votes of one round were heard. */
  readonly doubleVoters: Set<number> = new Set();

  constructor(powerOf: (voter: number) => number, total: number) {
    this.#powerOf = powerOf;
    this.#total = total;
  }

  /** Hears a vote; not of who has no power. */
  add(vote: Vote): void {
    if (this.#powerOf(vote.voter) === 0) return;
    const name = `${vote.type} ${vote.round}`;
    const votes = this.#byRound.get(name) ?? [];
    this.#byRound.set(name, votes);
    const ofVoter = votes.filter(({ voter }) => voter === vote.voter);
    if (ofVoter.some(({ key }) => key === vote.key)) return;
    if (ofVoter.length > 0) this.doubleVoters.add(vote.voter);
    votes.push(vote);
  }

  of(type: Vote["type"], round: number): readonly Vote[] {
    return this.#byRound.get(`${type} ${round}`) ?? [];
  }

  /** All votes, in the order in which they were heard. */
  all(): Vote[] {
    return [...this.#byRound.values()].flat();
  }

  /** Whether more than two thirds voted for this key; without one, whether they voted at all. */
  hasQuorum(type: Vote["type"], round: number, key?: string): boolean {
    const voters = new Set<number>();
    for (const vote of this.of(type, round)) if (key === undefined || vote.key === key) voters.add(vote.voter);
    return 3 * this.#powerOfAll(voters) > 2 * this.#total;
  }

  /** The key that has a quorum, if one has. */
  quorumKey(type: Vote["type"], round: number): string | undefined {
    for (const { key } of this.of(type, round)) if (this.hasQuorum(type, round, key)) return key;
    return undefined;
  }

  /** The highest round above `round` in which more than a third are. */
  roundOfOthers(round: number): number | undefined {
    const voters = new Map<number, Set<number>>();
    for (const votes of this.#byRound.values())
      for (const vote of votes)
        if (vote.round > round) voters.set(vote.round, (voters.get(vote.round) ?? new Set()).add(vote.voter));
    let highest: number | undefined;
    for (const [later, set] of voters) {
      if (3 * this.#powerOfAll(set) > this.#total && (highest === undefined || later > highest)) highest = later;
    }
    return highest;
  }

  /** Rounds in which somebody precommitted. */
  precommitRounds(): number[] {
    return [...this.#byRound.keys()].filter((name) => name.startsWith("precommit")).map((name) => Number(name.slice(10)));
  }

  #powerOfAll(voters: ReadonlySet<number>): number {
    let power = 0;
    for (const voter of voters) power += this.#powerOf(voter);
    return power;
  }
}
