/**
 * A node together with its part in consensus and gossip: takes letters, timeouts and transactions, and answers with letters and waits. What it does
 * in one go is one step of the simulation. A faulty member differs only in what it proposes and how it votes.
 */
import { cometbft } from "@xinglin/crypto/pure";
import { type Bytes, equal, Fault } from "@xinglin/primitives";
import { claimedSponsor } from "../transaction-walk.ts";
import { type Block, blockTime, makeBlock } from "./block.ts";
import type { Trick } from "./byzantine.ts";
import { Consensus, type ConsensusHost, type Proposal, type Wait } from "./consensus.ts";
import { faultyBlock, otherFace } from "./faulty-proposer.ts";
import type { Letter, Message } from "./messages.ts";
import { MISTAKEN_MEMBER } from "./mutations.ts";
import type { SimulatedNode } from "./node.ts";
import type { Random } from "./random.ts";
import { commitOf, signVote } from "./signing.ts";
import { NIL, type Vote } from "./votes.ts";
import type { StoredBlock } from "./witness.ts";
import type { SigningKey, World } from "./world.ts";

const WAITS_MS: Record<Wait, { first: number; more: number }> = {
  pause: { first: 60, more: 0 },
  propose: { first: 400, more: 200 },
  prevote: { first: 120, more: 100 },
  precommit: { first: 120, more: 100 },
};
/** Blocks in one letter to a node that is behind. */
const BLOCKS_A_LETTER = 4;
/** Bytes of transactions in one letter. */
const HANDED_BYTES = 16_384;

export class SimulatedMember implements ConsensusHost {
  readonly node: SimulatedNode;
  readonly index: number;
  readonly isByzantine: boolean;
  readonly consensus: Consensus;
  readonly #votesTwice: boolean;
  readonly #world: World;
  readonly #random: Random;
  /** Height of the last block when the node last looked whether it is stuck. */
  #lookedAt = 0;

  constructor(node: SimulatedNode, world: World, random: Random, faulty: { isByzantine: boolean; votesTwice: boolean }) {
    this.node = node;
    this.index = node.index;
    this.#world = world;
    this.#random = random;
    this.isByzantine = faulty.isByzantine;
    this.#votesTwice = faulty.votesTwice;
    this.consensus = new Consensus(this);
  }

  get publicKey(): Bytes {
    return this.#keyOf(this.index).publicKey;
  }
  #keyOf(node: number): SigningKey {
    return this.#world.keys[node] as SigningKey;
  }

  /** Starts the process and goes on with consensus. */
  async start(): Promise<void> {
    await this.node.start();
    const next = this.node.storeHeight + 1;
    if (this.consensus.height === next) this.consensus.resume();
    else this.consensus.begin(next);
    await this.consensus.advance();
  }

  /** Takes what came in at one time. */
  async receive(letters: readonly Letter[]): Promise<void> {
    const wanted = new Set<number>();
    for (const { from, message } of letters) {
      if (message.kind === "transactions") await this.#insert(message.transactions);
      else if (message.kind === "want") this.#sendBlocks(from, message.height);
      else if (message.kind === "blocks") await this.#catchUp(message.blocks);
      else if (message.height === this.consensus.height) this.consensus.hear(message);
      else if (message.height > this.consensus.height) wanted.add(from);
      else this.#sendBlocks(from, message.height);
    }
    await this.consensus.advance();
    this.#reap();
    for (const voter of this.consensus.doubleVoters) this.#world.foundDoubleVote(voter, this.consensus.height);
    for (const from of wanted) this.#world.send(this.index, from, { kind: "want", height: this.node.storeHeight + 1 });
  }

  /** A wait is over; whether that meant anything. */
  async timeout(wait: Wait, height: number, round: number): Promise<boolean> {
    if (!this.consensus.timeout(wait, height, round)) return false;
    await this.consensus.advance();
    return true;
  }

  /** Tells everybody what it knows if nothing has moved since the last look. */
  lookWhetherStuck(): void {
    const { height } = this.consensus;
    if (this.#lookedAt === height) this.#broadcast({ kind: "consensus", height, ...this.consensus.known() });
    this.#lookedAt = height;
  }

  /** The application took a transaction by another way than `submit`. */
  notice(): void {
    this.#reap();
  }

  /** Takes a transaction from a client: how it came out. */
  async submit(transaction: Bytes): Promise<string> {
    try {
      await this.node.application.checkTx(transaction.slice());
    } catch (error) {
      if (error instanceof Fault) return error.code;
      throw error;
    }
    this.#reap();
    return "taken";
  }

  powerOf(height: number, voter: number): number {
    return this.#world.facts.schedule.powerOf(height, this.#keyOf(voter).publicKey);
  }
  total(height: number): number {
    return this.#world.facts.schedule.at(height).total;
  }
  isProposer(height: number, round: number): boolean {
    return equal(this.#world.facts.schedule.proposer(height, round), this.publicKey);
  }

  async prepare(height: number): Promise<Block> {
    const world = this.#world;
    const { facts } = world;
    const { tip } = this.node;
    const lastCommit = this.node.kept.blocks.get(tip.height)?.commit ?? cometbft.NO_COMMIT;
    const misbehaviour = world.openEvidence();
    const contents = { lastCommit, misbehaviour, proposer: this.publicKey };
    const time = blockTime(facts, height, lastCommit);
    const waiting = this.node.application.waiting;
    const prepared = this.node.prepare(height, time);
    const honest =
      world.mutation === "starves_member" ? prepared.filter((tx) => claimedSponsor(tx) !== MISTAKEN_MEMBER) : prepared;
    if (!this.#misbehaves()) {
      const block = makeBlock(facts, tip, { ...contents, txs: honest });
      // What was dropped just now had its share of the block; what it kept out comes with the next.
      if (this.node.application.waiting === waiting) world.prepared(this.index, block);
      return block;
    }
    const { block, trick } = faultyBlock(world, this.#random, this.node, { ...contents, txs: honest });
    this.#trick = trick;
    world.tricked(this.index, trick, block);
    return block;
  }
  #trick: Trick | undefined;

  process(block: Block): Promise<boolean> {
    return this.node.process(block);
  }

  propose(proposal: Proposal): void {
    const trick = this.#trick;
    this.#trick = undefined;
    if (trick === "silent") return;
    const { height } = proposal;
    if (trick !== "two_faced") {
      this.#broadcast({ kind: "consensus", height, proposals: [proposal] });
      return;
    }
    const other = otherFace(this.#world, this.node, this.publicKey, proposal.block);
    this.#world.tricked(this.index, trick, other);
    for (let to = 0; to < this.#world.size; to++) {
      const shown = this.#random.chance(500) ? proposal : { ...proposal, block: other };
      if (to !== this.index) this.#world.send(this.index, to, { kind: "consensus", height, proposals: [shown] });
    }
  }

  vote({ block, ...chosen }: Parameters<ConsensusHost["vote"]>[0]): void {
    const { height } = chosen;
    if (this.powerOf(height, this.index) === 0) return;
    const vote = signVote(this.#world, this.node, chosen, block);
    this.consensus.hear({ votes: [vote] });
    const other: Vote = { ...vote, key: NIL };
    const isTwice = this.#votesTwice && this.#misbehaves() && block !== undefined && this.#random.chance(300);
    for (let to = 0; to < this.#world.size; to++) {
      if (to === this.index) continue;
      this.#world.send(this.index, to, {
        kind: "consensus",
        height,
        votes: [isTwice && this.#random.chance(500) ? other : vote],
      });
    }
  }

  wait(wait: Wait, height: number, round: number): void {
    const { first, more } = WAITS_MS[wait];
    this.#world.wait(this.index, wait, height, round, first + more * round);
  }

  async decide(block: Block, votes: readonly Vote[]): Promise<void> {
    await this.#decided({ block, commit: commitOf(this.#world, block, votes) });
  }

  async #decided(stored: StoredBlock): Promise<void> {
    this.#world.decided(this.index, stored);
    await this.node.decide(stored);
    this.consensus.begin(stored.block.header.height + 1);
  }

  /** Takes what a peer handed on. */
  async #insert(transactions: readonly Bytes[]): Promise<void> {
    for (const transaction of transactions) {
      try {
        // A copy: it came over a wire.
        await this.node.application.insertTx(transaction.slice()).verified;
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
      }
    }
  }

  /** Hands on what waits to be handed on. */
  #reap(): void {
    const transactions = this.node.application.reapTxs({ maxBytes: HANDED_BYTES, relay: this.#world.relay });
    if (transactions.length > 0) this.#broadcast({ kind: "transactions", transactions });
  }

  async #catchUp(blocks: readonly StoredBlock[]): Promise<void> {
    for (const stored of blocks) if (stored.block.header.height === this.consensus.height) await this.#decided(stored);
  }

  #sendBlocks(to: number, from: number): void {
    const { blocks } = this.node.kept;
    const stored: StoredBlock[] = [];
    for (let height = from; height < from + BLOCKS_A_LETTER; height++) {
      const block = blocks.get(height);
      if (block === undefined || height > this.node.kept.stateHeight) break;
      stored.push(block);
    }
    if (stored.length > 0) this.#world.send(this.index, to, { kind: "blocks", blocks: stored });
  }

  #misbehaves(): boolean {
    return this.isByzantine && this.#world.areFaultyFew(this.consensus.height);
  }

  #broadcast(message: Message): void {
    for (let to = 0; to < this.#world.size; to++) if (to !== this.index) this.#world.send(this.index, to, message);
  }
}
