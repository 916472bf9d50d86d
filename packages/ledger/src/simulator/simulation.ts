/**
 * One seed: whole nodes and their faults under a virtual clock, step by step, watched by the referee. Equal seeds give equal traces.
 * Source: design.md, "Drivers" (simulator); style.md, "Tests".
 */
import { createHash, type Hash } from "node:crypto";
import { decodeTransaction } from "@xinglin/contracts";
import { equal, toHex } from "@xinglin/primitives";
import { Cluster, type Event, LOOK_MS, type SimulationOptions } from "./cluster.ts";
import { GENESIS_TIME } from "./consortium.ts";
import type { OutsideFault } from "./fault-plan.ts";
import type { SimulatedMember } from "./member.ts";
import { mustHold } from "./violation.ts";
import { Crash } from "./witness.ts";

export class Simulation extends Cluster {
  readonly #trace: Hash = createHash("sha256");
  readonly #onTrace: ((line: string) => void) | undefined;
  /** Steps so far. */
  steps = 0;

  constructor(options: SimulationOptions) {
    super(options);
    this.#onTrace = options.onTrace;
  }

  /** Takes so many steps: each is one go of one node from which something followed, or one act from outside. */
  async run(steps: number): Promise<void> {
    for (const end = this.steps + steps; this.steps < end; ) await this.next();
  }

  /**
   * Ends all faults but those of faulty proposers, and runs until whatever waits in an honest node is in a block or known to be over. Throws a `Violation` if
   * that takes more heights than six rotations and 20, and twice as many as what waits fills (of one member in a node that alone has it, at each of that node's
   * turns a member's quota), or if the nodes do not come together.
   */
  async heal(): Promise<void> {
    this.calm();
    for (const { index, node } of this.members) if (!node.isUp) this.agenda.plan(1, { kind: "start", member: index });
    const honest = this.members.filter(({ isByzantine }) => !isByzantine);
    const from = this.referee.height;
    const { blockOperations, memberQuota } = this.profile;
    const waiting = operationsIn(honest);
    const turns = Math.ceil(waiting.ofBusiestMember / memberQuota) * this.members.length;
    const heights = 6 * this.members.length + 20 + 2 * (Math.ceil(waiting.all / blockOperations) + turns);
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

  /** Hash over everything that happened so far. */
  traceHash(): string {
    return this.#trace.copy().digest("hex");
  }
  /** Lets the next planned event happen. */
  async next(): Promise<void> {
    const event = this.agenda.next();
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
        this.delivered(event.to);
        const kinds = event.letters.map(({ from, message }) => `${message.kind} from ${from}`).join(", ");
        const before = this.#standing(event.to);
        const what = await this.#act(event.to, (member) => member.receive(event.letters), kinds);
        // To hear a vote of which nothing follows is no step, nor is a transaction that a peer hands on.
        return before === this.#standing(event.to) ? undefined : what;
      }
      case "wait": {
        // Who dies of it did something.
        let isDue = true;
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
        this.agenda.plan(LOOK_MS, event);
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
        if (!this.areFaultsOn()) return undefined;
        this.agenda.plan(this.faults.nextMs(), { kind: "fault" });
        return this.#inflict(
          this.faults.next(
            this.members.map(({ node }) => node.isUp),
            this.network.isSplit,
          ),
        );
      case "join":
        if (!this.network.isSplit) return undefined;
        this.network.join();
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
    this.agenda.plan(this.faults.downMs(), { kind: "start", member: index });
  }

  async #submit(): Promise<string | undefined> {
    if (!this.isSubmitting) return undefined;
    this.agenda.plan(this.random.between(1, this.profile.submitEveryMs), { kind: "submit" });
    const up = this.members.filter(({ node }) => node.isUp);
    if (up.length === 0) return undefined;
    const { index, node } = this.random.pick(up);
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
    if (outcome === "taken" && node.isUp) this.referee.taken(index, sent.bytes);
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
      this.network.split(fault.parts);
      this.agenda.plan(fault.lastsMs, { kind: "join" });
      return `the network falls into ${fault.parts.join("")}`;
    }
    this.skewMs[fault.node] = fault.skewMs;
    return `the clock of node ${fault.node} is wrong by ${fault.skewMs} ms`;
  }
}

/** Operations that wait in these members' mempools, each counted once. */
function operationsIn(members: readonly SimulatedMember[]): { readonly all: number; readonly ofBusiestMember: number } {
  const waiting = members.flatMap(({ node }) => (node.isUp ? node.application.waitingTransactions() : []));
  const byName = new Map(waiting.map((bytes) => [Buffer.from(bytes).toString("latin1"), bytes]));
  const bySponsor = new Map<string, number>();
  for (const bytes of byName.values()) {
    const { sponsor, operations } = decodeTransaction(bytes).body;
    bySponsor.set(sponsor, (bySponsor.get(sponsor) ?? 0) + operations.length);
  }
  const counts = [...bySponsor.values()];
  return { all: counts.reduce((sum, count) => sum + count, 0), ofBusiestMember: Math.max(0, ...counts) };
}
