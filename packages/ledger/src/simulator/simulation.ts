/**
 * One seed: whole nodes, their network and their faults under a virtual clock, step by step, watched by the referee. Equal seeds give equal traces.
 * Source: design.md, "Drivers" (simulator); style.md, "Tests".
 */
import { createHash, type Hash } from "node:crypto";
import { chainIdOf, decodeGenesis } from "@xinglin/contracts";
import { type Bytes, equal, toHex } from "@xinglin/primitives";
import type { Finalized, Misbehaviour } from "../block.ts";
import type { Clock, Time } from "../block-time.ts";
import { Agenda, timeAfter } from "./agenda.ts";
import type { Block, ChainFacts } from "./block.ts";
import { isRefused, type Trick } from "./byzantine.ts";
import type { Wait } from "./consensus.ts";
import { GENESIS_TIME, genesisOf, keyOf, validatorName } from "./consortium.ts";
import { Evidence } from "./evidence.ts";
import { FaultPlan, type OutsideFault } from "./fault-plan.ts";
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
import { mustHold } from "./violation.ts";
import { Crash, type StoredBlock, type Witness } from "./witness.ts";
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

type Event =
  | { readonly kind: "letters"; readonly to: number; readonly letters: Letter[] }
  | { readonly kind: "wait"; readonly member: number; readonly wait: Wait; readonly height: number; readonly round: number }
  | { readonly kind: "look"; readonly member: number }
  | { readonly kind: "start"; readonly member: number }
  | { readonly kind: "submit" }
  | { readonly kind: "fault" }
  | { readonly kind: "join" };

/** How often a node looks whether it is stuck. */
const LOOK_MS = 300;

export class Simulation implements World {
  readonly facts: ChainFacts;
  readonly keys: readonly SigningKey[];
  readonly mutation: Mutation | undefined;
  readonly workload: Workload;
  readonly profile: Profile;
  readonly members: readonly SimulatedMember[];
  readonly referee: Referee;
  readonly tally: Tally = new Tally();
  readonly #agenda = new Agenda<Event>();
  readonly #network: Network;
  readonly #random: Random;
  readonly #faults: FaultPlan;
  readonly #skewMs: number[];
  readonly #trace: Hash = createHash("sha256");
  readonly #onTrace: ((line: string) => void) | undefined;
  /** Letters under way, by receiver and time of arrival. */
  readonly #mail = new Map<string, Letter[]>();
  readonly #evidence = new Evidence();
  readonly #listeners = new Map<number, CommitListener>();
  #areFaultsOn = true;
  #isSubmitting = true;
  steps = 0;

  constructor({ seed, profile, mutation, onTrace, chain }: SimulationOptions) {
    this.mutation = mutation;
    this.#onTrace = onTrace;
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
    this.#random = new Random(seed, "world");
    this.#network = new Network(new Random(seed, "network"), this.profile.network);
    this.#faults = new FaultPlan(new Random(seed, "faults"), this.profile);
    this.#skewMs = this.#faults.skews();
    this.workload = new Workload(new Random(seed, "workload"), this.facts.chainId);
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
    if (chain !== undefined) this.#calm();
    for (const { index } of this.members) {
      if (chain === undefined || index > 0) this.#agenda.plan(index, { kind: "start", member: index });
      this.#agenda.plan(LOOK_MS + index, { kind: "look", member: index });
    }
    this.#agenda.plan(30, { kind: "submit" });
    this.#agenda.plan(this.#faults.nextMs(), { kind: "fault" });
  }

  /** Takes so many steps: each is one go of one node from which something followed, or one act from outside. */
  async run(steps: number): Promise<void> {
    for (const end = this.steps + steps; this.steps < end; ) await this.next();
  }

  /**
   * Ends all faults but those of faulty proposers, and runs until whatever waits in an honest node is in a block or known to be over. Throws a `Violation` if
   * that takes more than `heights` heights, or if the nodes do not come together.
   */
  async heal(heights: number = 6 * this.members.length + 20): Promise<void> {
    this.#calm();
    for (const { index, node } of this.members) if (!node.isUp) this.#agenda.plan(1, { kind: "start", member: index });
    const honest = this.members.filter(({ isByzantine }) => !isByzantine);
    const from = this.referee.height;
    const isOwed = (): boolean => honest.some(({ node }) => !node.isUp || node.application.waiting > 0);
    const areTogether = (): boolean =>
      this.members.every(({ node }) => node.isUp && node.application.height >= from + 2) &&
      new Set(this.members.map(({ node }) => node.application.height)).size === 1;
    const most = this.steps + 60 * heights * this.members.length;
    while (isOwed() || !areTogether()) {
      mustHold(
        this.referee.height <= from + heights,
        () => `after ${heights} heights without faults something still waits for a block`,
      );
      mustHold(this.steps < most, "without faults the chain does not go on");
      await this.next();
    }
    const [first, ...others] = this.members as [SimulatedMember, ...SimulatedMember[]];
    for (const { node } of others)
      mustHold(equal(node.application.appHash, first.node.application.appHash), "the nodes do not agree in the end");
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

  #calm(): void {
    this.#areFaultsOn = false;
    this.#isSubmitting = false;
    this.#network.heal();
  }

  /** Hash over everything that happened so far. */
  traceHash(): string {
    return this.#trace.copy().digest("hex");
  }
  get nowMs(): number {
    return this.#agenda.nowMs;
  }
  get networkCounts(): Network["counts"] {
    return this.#network.counts;
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
  committed(): readonly Bytes[] {
    return this.referee.included;
  }
  areFaultyFew(height: number): boolean {
    const faulty = this.profile.byzantine.reduce((sum, i) => sum + (this.members[i] as SimulatedMember).powerOf(height, i), 0);
    return 3 * faulty < this.facts.schedule.at(height).total;
  }

  send(from: number, to: number, message: Message): void {
    for (const delayMs of this.#network.send(from, to, this.nowMs)) {
      const name = `${to} ${this.nowMs + delayMs}`;
      const known = this.#mail.get(name);
      if (known !== undefined) known.push({ from, message });
      else {
        const letters = [{ from, message }];
        this.#mail.set(name, letters);
        this.#agenda.plan(delayMs, { kind: "letters", to, letters });
      }
    }
  }
  wait(member: number, wait: Wait, height: number, round: number, delayMs: number): void {
    this.#agenda.plan(delayMs, { kind: "wait", member, wait, height, round });
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
    return timeAfter(GENESIS_TIME + 1, Math.max(0, this.nowMs + (this.#skewMs[node] as number)));
  }

  /** Lets the next planned event happen. */
  async next(): Promise<void> {
    const event = this.#agenda.next();
    mustHold(event !== undefined, "nothing is planned any more");
    const what = await this.#happen(event);
    if (what === undefined) return;
    this.steps++;
    const line = `${this.steps} ${this.nowMs}ms ${what}`;
    this.#trace.update(`${line}\n`);
    this.#onTrace?.(line);
  }

  /** What happened, or undefined if nothing did. */
  async #happen(event: Event): Promise<string | undefined> {
    switch (event.kind) {
      case "letters": {
        this.#mail.delete(`${event.to} ${this.nowMs}`);
        const kinds = event.letters.map(({ from, message }) => `${message.kind} from ${from}`).join(", ");
        const before = this.#standing(event.to);
        const what = await this.#act(event.to, (member) => member.receive(event.letters), kinds);
        // To hear a vote of which nothing follows is no step, nor is a transaction that a peer hands on.
        return before === this.#standing(event.to) ? undefined : what;
      }
      case "wait": {
        let isDue = false;
        const what = await this.#act(
          event.member,
          async (member) => {
            isDue = await member.timeout(event.wait, event.height, event.round);
          },
          `waited for ${event.wait} of ${event.height}/${event.round}`,
        );
        return isDue ? what : undefined;
      }
      case "look": {
        this.#agenda.plan(LOOK_MS, event);
        const { node } = this.members[event.member] as SimulatedMember;
        if (node.isUp) (this.members[event.member] as SimulatedMember).lookWhetherStuck();
        return undefined;
      }
      case "start": {
        const { node } = this.members[event.member] as SimulatedMember;
        if (node.isUp) return undefined;
        return this.#act(event.member, (member) => member.start(), "starts", true);
      }
      case "submit":
        return this.#submit();
      case "fault":
        if (!this.#areFaultsOn) return undefined;
        this.#agenda.plan(this.#faults.nextMs(), { kind: "fault" });
        return this.#inflict(
          this.#faults.next(
            this.members.map(({ node }) => node.isUp),
            this.#network.isSplit,
          ),
        );
      case "join":
        if (!this.#network.isSplit) return undefined;
        this.#network.join();
        return "the network is whole again";
    }
  }

  #standing(index: number): string {
    const { node, consensus } = this.members[index] as SimulatedMember;
    return node.isUp ? consensus.standing : "down";
  }

  /** Lets a node do something; it may die of it. */
  async #act(
    index: number,
    act: (member: SimulatedMember) => Promise<void>,
    what: string,
    isStart = false,
  ): Promise<string | undefined> {
    const member = this.members[index] as SimulatedMember;
    if (!member.node.isUp && !isStart) return undefined;
    try {
      await act(member);
      this.referee.afterStep(member.node);
      const { application } = member.node;
      return `node ${index} at ${application.height} ${toHex(application.appHash).slice(0, 8)}: ${what}`;
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      this.tally.add("crash", error.point);
      this.#stop(member);
      return `node ${index} died ${error.point}: ${what}`;
    }
  }

  #stop({ node, index }: SimulatedMember): void {
    node.stop();
    this.#agenda.plan(this.#faults.downMs(), { kind: "start", member: index });
  }

  async #submit(): Promise<string | undefined> {
    if (!this.#isSubmitting) return undefined;
    this.#agenda.plan(this.#random.between(1, this.profile.submitEveryMs), { kind: "submit" });
    const up = this.members.filter(({ node }) => node.isUp);
    if (up.length === 0) return undefined;
    const { index, node } = this.#random.pick(up);
    const { application } = node;
    const { height } = application;
    const time = application.results(height)?.time.seconds ?? GENESIS_TIME;
    const sent = this.workload.next(application.committed, time, height + 1);
    let outcome = "";
    const what = await this.#act(
      index,
      async (member) => {
        outcome = await member.submit(sent.bytes);
      },
      `a client sends ${sent.what}`,
    );
    mustHold(sent.bad === undefined || outcome !== "taken", `node ${index} took a transaction that is ${sent.bad}`);
    this.tally.add("submission", outcome);
    return `${what}, ${outcome}`;
  }

  #inflict(fault: OutsideFault | undefined): string | undefined {
    if (fault === undefined) return undefined;
    this.tally.add("fault", fault.kind);
    if (fault.kind === "kill") {
      this.#stop(this.members[fault.node] as SimulatedMember);
      return `node ${fault.node} is killed`;
    }
    if (fault.kind === "split") {
      this.#network.split(fault.parts);
      this.#agenda.plan(fault.lastsMs, { kind: "join" });
      return `the network falls into ${fault.parts.join("")}`;
    }
    this.#skewMs[fault.node] = fault.skewMs;
    return `the clock of node ${fault.node} is wrong by ${fault.skewMs} ms`;
  }
}
