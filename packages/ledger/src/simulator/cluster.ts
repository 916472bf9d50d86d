/**
 * The nodes of one simulation with what lies between and around them: network, clocks, evidence, workload, referee. What happens next is planned
 * here and happens in `simulation.ts`. Source: design.md, "Drivers" (simulator).
 */
import { chainIdOf, decodeGenesis } from "@xinglin/contracts";
import type { Bytes } from "@xinglin/primitives";
import type { Finalized, Misbehaviour } from "../block.ts";
import type { Clock, Time } from "../block-time.ts";
import { Agenda, timeAfter } from "./agenda.ts";
import type { Block, ChainFacts } from "./block.ts";
import { isRefused, type Trick } from "./byzantine.ts";
import type { Wait } from "./consensus.ts";
import { GENESIS_TIME, genesisOf, keyOf, validatorName } from "./consortium.ts";
import { Evidence } from "./evidence.ts";
import { FaultPlan } from "./fault-plan.ts";
import { SimulatedMember } from "./member.ts";
import type { Letter, Message } from "./messages.ts";
import type { Mutation } from "./mutations.ts";
import { Network } from "./network.ts";
import { type NodeContext, SimulatedNode } from "./node.ts";
import { type Profile, profileOf } from "./profile.ts";
import { Random } from "./random.ts";
import { Referee } from "./referee.ts";
import { Tally } from "./tally.ts";
import { ValidatorSchedule } from "./validators.ts";
import type { StoredBlock, Witness } from "./witness.ts";
import { Workload } from "./workload.ts";
import type { SigningKey, World } from "./world.ts";

/** How a simulation differs from what its seed says. */
export interface SimulationOptions {
  readonly seed: number;
  readonly profile?: Partial<Profile>;
  readonly mutation?: Mutation;
  /** Told a line for every step. */
  readonly onTrace?: (line: string) => void;
  /** Runs this chain without faults and transactions of its own, at the time of this clock: see `driver.ts`. */
  readonly chain?: QuietChain;
}

/** A chain that somebody else uses. */
export interface QuietChain {
  readonly genesis: Bytes;
  /** Keys of the genesis' validators, in its order: one node each. */
  readonly keys: readonly SigningKey[];
  readonly clock: Clock;
}

/** Hears of a block that a node committed. */
export type CommitListener = (stored: StoredBlock, finalized: Finalized) => void;

/** What may be planned. */
export type Event =
  | { readonly kind: "letters"; readonly to: number; readonly letters: Letter[] }
  | { readonly kind: "wait"; readonly member: number; readonly wait: Wait; readonly height: number; readonly round: number }
  | { readonly kind: "look"; readonly member: number }
  | { readonly kind: "start"; readonly member: number }
  | { readonly kind: "submit" }
  | { readonly kind: "fault" }
  | { readonly kind: "join" };

/** How often a node looks whether it is stuck. */
export const LOOK_MS = 300;

export class Cluster implements World {
  readonly facts: ChainFacts;
  readonly keys: readonly SigningKey[];
  readonly mutation: Mutation | undefined;
  readonly workload: Workload;
  readonly profile: Profile;
  readonly members: readonly SimulatedMember[];
  readonly referee: Referee;
  readonly tally: Tally = new Tally();
  protected readonly agenda = new Agenda<Event>();
  protected readonly network: Network;
  protected readonly random: Random;
  protected readonly faults: FaultPlan;
  protected readonly skewMs: number[];
  /** Letters under way, by receiver and time of arrival. */
  readonly #mail = new Map<string, Letter[]>();
  readonly #evidence = new Evidence();
  readonly #listeners = new Map<number, CommitListener>();
  #areFaultsOn = true;
  protected isSubmitting = true;

  constructor({ seed, profile, mutation, chain }: SimulationOptions) {
    this.mutation = mutation;
    this.profile = { ...profileOf(new Random(seed, "profile")), ...profile };
    const { byzantine, doubleVoters } = this.profile;
    const bytes = chain?.genesis ?? genesisOf(this.profile);
    const { parameters, validators, time } = decodeGenesis(bytes);
    this.keys = chain?.keys ?? validators.map((_, i) => keyOf(validatorName(i)));
    this.facts = {
      chainId: chainIdOf(bytes),
      maxBlockBytes: parameters.maxBlockBytes,
      genesisTime: { seconds: time, nanos: 0 },
      schedule: new ValidatorSchedule(validators.map(({ publicKey, power }) => ({ publicKey, power }))),
    };
    this.random = new Random(seed, "world");
    this.network = new Network(new Random(seed, "network"), this.profile.network);
    this.faults = new FaultPlan(new Random(seed, "faults"), this.profile);
    this.skewMs = this.faults.skews();
    this.workload = new Workload(new Random(seed, "workload"), this.facts.chainId, parameters.maxValiditySeconds);
    this.referee = new Referee(this.facts, this.profile, new Random(seed, "referee"));
    const context: NodeContext = {
      genesis: bytes,
      facts: this.facts,
      profile: this.profile,
      mutation,
      witness: this.#witness(),
      areFaultsOn: () => this.#areFaultsOn,
    };
    this.members = validators.map((_, i) => {
      const node = new SimulatedNode(i, context, new Random(seed, `node ${i}`), chain?.clock ?? (() => this.#clock(i)));
      const faulty = { isByzantine: byzantine.includes(i), votesTwice: doubleVoters.includes(i) };
      return new SimulatedMember(node, this, new Random(seed, `member ${i}`), faulty);
    });
    if (chain !== undefined) this.calm();
    for (const { index } of this.members) {
      if (chain === undefined || index > 0) this.agenda.plan(index, { kind: "start", member: index });
      this.agenda.plan(LOOK_MS + index, { kind: "look", member: index });
    }
    this.agenda.plan(30, { kind: "submit" });
    this.agenda.plan(this.faults.nextMs(), { kind: "fault" });
  }

  /** Calls `listener` for every block that this node commits, after the referee has looked. Returns how to stop. */
  onCommitted(node: number, listener: CommitListener): () => void {
    this.#listeners.set(node, listener);
    return () => this.#listeners.delete(node);
  }

  #witness(): Witness {
    const { referee } = this;
    return {
      verdict: (...told) => referee.verdict(...told),
      finalized: (...told) => referee.finalized(...told),
      restarted: (...told) => referee.restarted(...told),
      dropped: (...told) => referee.dropped(...told),
      committed: (node, block, finalized) => {
        referee.committed(node, block);
        const stored = node.kept.blocks.get(block.header.height);
        if (finalized !== undefined && stored !== undefined) this.#listeners.get(node.index)?.(stored, finalized);
      },
    };
  }

  /** Ends all faults but those of faulty proposers. */
  protected calm(): void {
    this.#areFaultsOn = false;
    this.isSubmitting = false;
    this.network.heal();
  }

  get nowMs(): number {
    return this.agenda.nowMs;
  }
  get networkCounts(): Network["counts"] {
    return this.network.counts;
  }

  get tricks(): readonly Trick[] | undefined {
    return this.profile.tricks;
  }
  get relay(): boolean {
    return this.profile.relay;
  }
  get size(): number {
    return this.members.length;
  }
  areFaultsOn(): boolean {
    return this.#areFaultsOn;
  }
  committed(height: number): readonly Bytes[] {
    return this.referee.includedBelow(height);
  }
  areFaultyFew(height: number): boolean {
    const faulty = this.profile.byzantine.reduce((sum, i) => sum + (this.members[i] as SimulatedMember).powerOf(height, i), 0);
    return 3 * faulty < this.facts.schedule.at(height).total;
  }

  send(from: number, to: number, message: Message): void {
    for (const delayMs of this.network.send(from, to, this.nowMs)) {
      const name = `${to} ${this.nowMs + delayMs}`;
      const known = this.#mail.get(name);
      if (known !== undefined) known.push({ from, message });
      else {
        const letters = [{ from, message }];
        this.#mail.set(name, letters);
        this.agenda.plan(delayMs, { kind: "letters", to, letters });
      }
    }
  }
  /** What has arrived just now is on its way no longer. */
  protected delivered(to: number): void {
    this.#mail.delete(`${to} ${this.nowMs}`);
  }
  wait(member: number, wait: Wait, height: number, round: number, delayMs: number): void {
    this.agenda.plan(delayMs, { kind: "wait", member, wait, height, round });
  }
  tricked(_member: number, trick: Trick, block: Block): void {
    this.tally.add("proposal", trick);
    if (isRefused(trick)) this.referee.mustRefuse(block, trick);
  }
  prepared(member: number, block: Block): void {
    this.tally.add("proposal", "honest");
    this.referee.prepared((this.members[member] as SimulatedMember).node, block);
  }
  openEvidence(): readonly Misbehaviour[] {
    return this.#evidence.open(this.referee.height + 1);
  }
  foundDoubleVote(voter: number, height: number): void {
    if (this.#evidence.add((this.keys[voter] as SigningKey).publicKey, height)) this.tally.add("fault", "double_vote");
  }
  decided(member: number, stored: StoredBlock): void {
    this.referee.agreed(member, stored);
    this.#evidence.report(stored.block.misbehaviour);
  }

  #clock(node: number): Time {
    return timeAfter(GENESIS_TIME + 1, Math.max(0, this.nowMs + (this.skewMs[node] as number)));
  }
}
