/**
 * What CometBFT does above the application: rounds, proposals, votes, locks. One of these a node and chain; it lives on the node's write-ahead
 * log, so a crash of the process loses none of it. The application is asked through `ConsensusHost`, and may crash whenever it is.
 * Source: Buchman, Kwon, Milosevic, "The latest gossip on BFT consensus" (arXiv:1807.04938), algorithm 1; CometBFT spec, consensus.
 */
import type { cometbft } from "@xinglin/crypto/pure";
import { invariant } from "@xinglin/primitives";
import type { Block } from "./block.ts";
import { NIL, type Vote, Votes } from "./votes.ts";

/** A proposal for a round; `validRound` is the round in which more than two thirds had prevoted the block before, or -1. */
export interface Proposal {
  readonly height: number;
  readonly round: number;
  readonly block: Block;
  readonly validRound: number;
}
/** The pause before a height, and the three waits of a round. */
export type Wait = "pause" | "propose" | "prevote" | "precommit";

/** What consensus asks of the node that it runs in. */
export interface ConsensusHost {
  /** Voting power of node `voter` at `height`. */
  powerOf(height: number, voter: number): number;
  total(height: number): number;
  /** Whether this node proposes in this round. */
  isProposer(height: number, round: number): boolean;
  prepare(height: number, round: number): Promise<Block>;
  /** Whether the block may be voted for. */
  process(block: Block): Promise<boolean>;
  vote(vote: Pick<Vote, "type" | "height" | "round" | "key"> & { blockId?: cometbft.BlockId; block?: Block }): void;
  propose(proposal: Proposal): void;
  wait(wait: Wait, height: number, round: number): void;
  /** The block is final. Afterwards `begin` is called with the next height. */
  decide(block: Block, votes: readonly Vote[]): Promise<void>;
}

export class Consensus {
  readonly #host: ConsensusHost;
  height = 0;
  round = 0;
  #step: Wait = "pause";
  #votes: Votes = new Votes(() => 0, 0);
  #lockedKey = NIL;
  #lockedRound = -1;
  #valid: { readonly block: Block; readonly round: number } | undefined;
  readonly #proposals = new Map<number, Proposal>();
  readonly #blocks = new Map<string, Block>();
  readonly #waiting = new Set<string>();

  constructor(host: ConsensusHost) {
    this.#host = host;
  }

  /** Forgets the height before and begins this one, after a pause in which votes are heard already. */
  begin(height: number): void {
    this.height = height;
    this.#votes = new Votes((voter) => this.#host.powerOf(height, voter), this.#host.total(height));
    this.#lockedKey = NIL;
    this.#lockedRound = -1;
    this.#valid = undefined;
    this.#proposals.clear();
    this.#blocks.clear();
    this.#waiting.clear();
    this.round = 0;
    this.#step = "pause";
    this.#wait("pause");
  }

  /** Goes on where the process ended. */
  resume(): void {
    this.#waiting.clear();
    // The other waits begin anew with the votes that call for them.
    if (this.#step === "propose" || this.#step === "pause") this.#wait(this.#step);
  }

  /** Where this node stands: changes with everything that it does. */
  get standing(): string {
    return `${this.height}/${this.round} ${this.#step}`;
  }

  /** Who was heard to vote twice at this height. */
  get doubleVoters(): ReadonlySet<number> {
    return this.#votes.doubleVoters;
  }

  hear(message: { readonly votes?: readonly Vote[]; readonly proposals?: readonly Proposal[] }): void {
    for (const proposal of message.proposals ?? []) {
      if (proposal.height !== this.height) continue;
      this.#blocks.set(proposal.block.key, proposal.block);
      if (!this.#proposals.has(proposal.round)) this.#proposals.set(proposal.round, proposal);
    }
    for (const vote of message.votes ?? []) if (vote.height === this.height) this.#votes.add(vote);
  }

  /** Everything that a node which missed some of it needs. */
  known(): { readonly votes: readonly Vote[]; readonly proposals: readonly Proposal[] } {
    return { votes: this.#votes.all(), proposals: [...this.#proposals.values()] };
  }

  /** A wait is over. Whether that meant anything. */
  timeout(wait: Wait, height: number, round: number): boolean {
    if (height !== this.height || round !== this.round) return false;
    if (wait === "precommit") this.#enter(round + 1);
    else if (wait === this.#step && wait === "pause") this.#enter(0);
    else if (wait === this.#step && wait === "propose") this.#vote("prevote", undefined);
    else if (wait === this.#step && wait === "prevote") this.#vote("precommit", undefined);
    else return false;
    return true;
  }

  /** Does everything that what was heard allows. */
  async advance(): Promise<void> {
    while (await this.#applyRule());
  }

  async #applyRule(): Promise<boolean> {
    if (await this.#decide()) return true;
    const later = this.#votes.roundOfOthers(this.round);
    if (later !== undefined) {
      this.#enter(later);
      return true;
    }
    if (this.#step === "pause") return false;
    const { round } = this;
    if (this.#step === "propose") {
      if (!this.#proposals.has(round) && this.#host.isProposer(this.height, round)) return this.#propose();
      if (await this.#prevote()) return true;
    }
    if (this.#step !== "propose" && this.#lock()) return true;
    if (this.#step === "prevote" && this.#votes.hasQuorum("prevote", round, NIL)) {
      this.#vote("precommit", undefined);
      return true;
    }
    if (this.#step === "prevote" && this.#votes.hasQuorum("prevote", round)) this.#wait("prevote");
    if (this.#votes.hasQuorum("precommit", round)) this.#wait("precommit");
    return false;
  }

  async #decide(): Promise<boolean> {
    for (const round of this.#votes.precommitRounds()) {
      const key = this.#votes.quorumKey("precommit", round);
      const block = key === undefined ? undefined : this.#blocks.get(key);
      if (block === undefined) continue;
      const votes = this.#votes.of("precommit", round);
      const { height } = this;
      await this.#host.decide(block, votes);
      invariant(this.height === height + 1, "consensus: the next height has not begun");
      return true;
    }
    return false;
  }

  async #propose(): Promise<boolean> {
    const { height, round } = this;
    const block = this.#valid?.block ?? (await this.#host.prepare(height, round));
    const proposal: Proposal = { height, round, block, validRound: this.#valid?.round ?? -1 };
    this.#blocks.set(block.key, block);
    this.#proposals.set(round, proposal);
    this.#host.propose(proposal);
    return true;
  }

  async #prevote(): Promise<boolean> {
    const proposal = this.#proposals.get(this.round);
    if (proposal === undefined) return false;
    const { block, validRound } = proposal;
    const isFresh = validRound < 0;
    if (!isFresh && !(validRound < this.round && this.#votes.hasQuorum("prevote", validRound, block.key))) return false;
    const isFree = this.#lockedRound < 0 || this.#lockedKey === block.key || (!isFresh && this.#lockedRound <= validRound);
    const isRight = await this.#host.process(block);
    this.#vote("prevote", isRight && isFree ? block : undefined);
    return true;
  }

  /** More than two thirds prevoted a block in this round: it is locked, and precommitted if this node has not done so. */
  #lock(): boolean {
    const { round } = this;
    if (this.#valid?.round === round) return false;
    const key = this.#votes.quorumKey("prevote", round);
    const block = key === undefined ? undefined : this.#blocks.get(key);
    if (block === undefined) return false;
    this.#valid = { block, round };
    if (this.#step !== "prevote") return true;
    this.#lockedKey = block.key;
    this.#lockedRound = round;
    this.#vote("precommit", block);
    return true;
  }

  #enter(round: number): void {
    this.round = round;
    this.#step = "propose";
    this.#wait("propose");
  }

  #vote(type: Vote["type"], block: Block | undefined): void {
    this.#step = type;
    const { height, round } = this;
    const chosen = block === undefined ? {} : { blockId: block.blockId, block };
    this.#host.vote({ type, height, round, key: block?.key ?? NIL, ...chosen });
  }

  #wait(wait: Wait): void {
    const name = `${wait} ${this.round}`;
    if (this.#waiting.has(name)) return;
    this.#waiting.add(name);
    this.#host.wait(wait, this.height, this.round);
  }
}
