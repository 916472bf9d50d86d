/**
 * One member's node: the real application over a real state on a simulated disk, and below it what CometBFT keeps and does. A crash takes the
 * process with both; what they had synced stays, and at the next start the two heights are compared and blocks replayed.
 * Source: CometBFT v0.40 `internal/consensus/replay.go` (Handshaker), `state/execution.go` (ApplyBlock); spec, ABCI++ (crash recovery).
 */
import type { cometbft } from "@xinglin/crypto/pure";
import { Fault } from "@xinglin/primitives";
import { openState, type State } from "@xinglin/state";
import { Application } from "../application.ts";
import { resultsHash } from "../block-results.ts";
import { nextBlockTime, type Time } from "../block-time.ts";
import { readRow } from "../database.ts";
import { type Block, type ChainFacts, inputOf, isWellFormed, type Tip } from "./block.ts";
import { PowerCut, SimulatedDisk } from "./disk.ts";
import { diskMistake, type Mutation, mistakenInput, mistakenVerdict } from "./mutations.ts";
import type { Profile } from "./profile.ts";
import type { Random } from "./random.ts";
import { Crash, type CrashPoint, type StoredBlock, type Witness } from "./witness.ts";

/** What all nodes share. */
export interface NodeContext {
  readonly genesis: Uint8Array;
  readonly facts: ChainFacts;
  readonly profile: Profile;
  readonly mutation: Mutation | undefined;
  readonly witness: Witness;
  /** Whether faults are still being injected. */
  areFaultsOn(): boolean;
}

/** What CometBFT keeps on its own, synced. */
interface Kept {
  readonly blocks: Map<number, StoredBlock>;
  readonly responses: Map<number, { readonly appHash: Uint8Array; readonly resultsHash: Uint8Array }>;
  /** The height that CometBFT's own state has reached: after the application's commit. */
  stateHeight: number;
}

export class SimulatedNode {
  readonly index: number;
  readonly disk: SimulatedDisk;
  readonly kept: Kept = { blocks: new Map(), responses: new Map(), stateHeight: 0 };
  readonly #context: NodeContext;
  readonly #random: Random;
  readonly #now: () => Time;
  #application: Application | undefined;
  #state: State | undefined;
  #attached: Application | undefined;
  #acknowledged = 0;
  #lastTime: Time | undefined;

  constructor(index: number, context: NodeContext, random: Random, now: () => Time) {
    this.index = index;
    this.#context = context;
    this.#random = random;
    this.#now = now;
    this.disk = new SimulatedDisk(random, diskMistake(context.mutation));
  }

  get isUp(): boolean {
    return this.#application !== undefined;
  }
  /** From the next start on the node runs on an application that somebody else opened, or again on its own. */
  attach(application: Application | undefined): void {
    this.#attached = application;
  }
  /** Of a node that is up. */
  get application(): Application {
    if (this.#application === undefined) throw new Error("simulator: a node that is down was asked");
    return this.#application;
  }
  /** Undefined where somebody else opened it. */
  get state(): State | undefined {
    return this.#state;
  }
  now(): Time {
    return this.#now();
  }

  /** Height of the newest block in CometBFT's store. */
  get storeHeight(): number {
    return this.kept.blocks.size;
  }

  /** What the next header says of what came before. */
  get tip(): Tip {
    const height = this.kept.stateHeight;
    const { blockId } = this.kept.blocks.get(height)?.commit ?? NOTHING;
    return { height, blockId, ...(this.kept.responses.get(height) ?? this.#genesisResponse()) };
  }

  /** Starts the process: opens the disk, compares heights, replays. May crash again meanwhile. */
  async start(): Promise<void> {
    const { witness } = this.#context;
    const application = this.#attached ?? (await this.#open());
    this.#application = application;
    const applied = application.height;
    const { stateHeight } = this.kept;
    await witness.restarted(this, this.#acknowledged);
    if (applied > stateHeight) {
      // The commit had happened, and nobody was told.
      this.kept.stateHeight = applied;
      witness.committed(this, (this.kept.blocks.get(applied) as StoredBlock).block, undefined);
    }
    this.#lastTime = application.results(applied)?.time;
    for (let height = applied + 1; height <= this.storeHeight; height++) {
      this.#mayCrash("during_replay");
      await this.#apply((this.kept.blocks.get(height) as StoredBlock).block);
    }
  }

  async #open(): Promise<Application> {
    const { profile, genesis, witness } = this.#context;
    const database = await this.disk.open();
    const state = await openState(database, {
      keepVersions: profile.keepVersions,
      cacheBytes: profile.stateCacheBytes,
      windowBytes: profile.stateWindowBytes,
    });
    this.#state = state;
    return new Application({
      genesis,
      state,
      read: (key) => readRow(database, key),
      expectedTime: () => nextBlockTime(this.#now(), this.#lastTime),
      mempool: profile.mempool,
      verifyWorkers: 0,
      onDropped: (idKey, fault) => witness.dropped(this.index, idKey, fault),
    });
  }

  /** The process is gone. */
  stop(): void {
    this.#application = undefined;
    this.#state = undefined;
    this.disk.cutPower();
  }

  /** PrepareProposal. */
  prepare(height: number, time: Time): Uint8Array[] {
    this.#mayCrash("before_prepare");
    const { facts, profile } = this.#context;
    const maxBytes = facts.maxBlockBytes - PROPOSAL_OVERHEAD_BYTES;
    const maxOperations = profile.blockOperations;
    const txs = this.application.prepareProposal({ height, time, maxBytes, maxOperations });
    this.#mayCrash("after_prepare");
    return txs;
  }

  /** What CometBFT checks of a proposal, and then ProcessProposal. */
  async process(block: Block): Promise<boolean> {
    const { facts, mutation, witness } = this.#context;
    if (!isWellFormed(facts, this.tip, block)) {
      witness.verdict(this.index, block, false, undefined);
      return false;
    }
    this.#mayCrash("before_process");
    const input = inputOf(facts, block);
    const fault = await this.application.processProposal(input);
    const isRight = mistakenVerdict(mutation, this.index, input, fault);
    witness.verdict(this.index, block, isRight, fault);
    this.#mayCrash("after_process");
    return isRight;
  }

  /** A block is final: into the store, then FinalizeBlock and Commit. */
  async decide(stored: StoredBlock): Promise<void> {
    this.kept.blocks.set(stored.block.header.height, stored);
    await this.#apply(stored.block);
  }

  async #apply(block: Block): Promise<void> {
    const { facts, mutation, witness } = this.#context;
    const { height, time } = block.header;
    const { application } = this;
    this.#mayCrash("before_finalize");
    const input = mistakenInput(mutation, this.index, inputOf(facts, block), this.#now());
    const finalized = await application.finalizeBlock(input);
    witness.finalized(this.index, block, finalized);
    const { appHash, results } = finalized;
    this.kept.responses.set(height, { appHash, resultsHash: resultsHash(results) });
    this.#mayCrash("between_finalize_and_commit");
    await this.#commit(application);
    this.#acknowledged = height;
    this.#lastTime = time;
    this.#mayCrash("after_commit");
    this.kept.stateHeight = height;
    witness.committed(this, block, finalized);
  }

  async #commit(application: Application): Promise<void> {
    const { profile } = this.#context;
    const isTorn = this.#context.areFaultsOn() && this.#random.chance(profile.tornWrite);
    if (isTorn) this.disk.failNextWrite(this.#random.pick(["power_cut_before", "power_cut_after", "write_fails"]));
    try {
      await application.commit();
    } catch (error) {
      // The process of a node whose disk fails ends; at the next start it is known what was written.
      if (isTorn && isOfDisk(error)) throw new Crash("in_commit_write");
      throw error;
    }
  }

  #mayCrash(point: CrashPoint): void {
    const { crash } = this.#context.profile;
    const odds = point === "during_replay" ? REPLAY_CRASHES * crash : crash;
    if (this.#context.areFaultsOn() && this.#random.chance(odds)) throw new Crash(point);
  }

  #genesisResponse(): { appHash: Uint8Array; resultsHash: Uint8Array } {
    return { appHash: EMPTY_ROOT, resultsHash: resultsHash([]) };
  }
}

/** Replays are rare, and so that nodes die in them too, they are as much more dangerous. */
const REPLAY_CRASHES = 8;
/** Room for header, last commit and framing in a block. */
const PROPOSAL_OVERHEAD_BYTES = 4_096;
/** The root of a state without entries. */
const EMPTY_ROOT = new Uint8Array(32);
const NOTHING: { readonly blockId: cometbft.BlockId } = {
  blockId: { hash: new Uint8Array(0), partSetHeader: { total: 0, hash: new Uint8Array(0) } },
};

const isOfDisk = (error: unknown): boolean =>
  (error instanceof Fault && (error.code === "disk_full" || error.code === "state_write_failed")) || error instanceof PowerCut;
