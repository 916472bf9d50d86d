/**
 * A network of validators on this machine's loopback: of each a Node process and its CometBFT, as on hosts of their own. Trials send load at all of
 * them and tell what became of it and what CPU it took, by process and thread.
 */
import { type ChildProcess, fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { type CometbftLedgerOptions, nodeIdOf } from "@xinglin/cometbft";
import { nodeEd25519Signer } from "@xinglin/crypto/node";
import { cometbft } from "@xinglin/crypto/pure";
import { freePorts } from "@xinglin/engines/testing";
import { equal, invariant } from "@xinglin/primitives";
import { FILLING_OPERATIONS, genesisBytes, HOSPITALS, type Kind } from "./ledger-chain.ts";
import { onCommonClock } from "./load.ts";
import { type Cpu, cpuOf, difference } from "./network-cpu.ts";
import type { NodeAnswers, NodeQuestion, Sent } from "./network-node.ts";
import type { Shares } from "./network-profile.ts";

/** What became of a trial. */
export interface Trial {
  readonly operations: number;
  readonly offeredPerSecond: number;
  /** Transactions. */
  readonly committed: number;
  readonly turnedAway: number;
  /** From the first that was due until the last was committed. */
  readonly seconds: number;
  readonly latencies: readonly number[];
  readonly committedAt: readonly number[];
  /** When each block was there on the first node. */
  readonly blocksAt: readonly number[];
  readonly startAt: number;
  readonly cpu: Cpu;
}

export interface NetworkOptions {
  readonly binary: string;
  readonly directory: string;
  readonly validators: number;
  readonly patients: number;
  readonly optionsOf?: (index: number) => Partial<CometbftLedgerOptions>;
}

/** Numbers of one node's load: more than it ever sends, and even, so that the two members take turns on every node. */
const NUMBERS_A_NODE = 1e9;
const START_DELAY_MS = 60;
const JOIN_ASK_MS = 50;

interface Node {
  readonly child: ChildProcess;
  enginePid: number;
}

export class Network {
  readonly genesis: Uint8Array;
  readonly #options: NetworkOptions;
  readonly #nodes: Node[] = [];
  #patients = 0;
  #fillings = 0;
  readonly #peers: { readonly id: string; readonly address: string }[] = [];

  private constructor(options: NetworkOptions, genesis: Uint8Array) {
    this.#options = options;
    this.genesis = genesis;
  }

  /** Starts the validators and registers the patients. */
  static async start(options: NetworkOptions): Promise<Network> {
    const seeds = Array.from({ length: options.validators }, () => new Uint8Array(randomBytes(32)));
    const network = new Network(options, genesisBytes(seeds.map((seed) => nodeEd25519Signer(seed).publicKey)));
    try {
      const ports = await freePorts(seeds.length);
      await Promise.all(seeds.map((seed, index) => network.#open(ports[index]!, seed)));
      await network.fillTo(options.patients);
      return network;
    } catch (error) {
      await network.stop();
      throw error;
    }
  }

  get size(): number {
    return this.#options.validators;
  }

  /** Starts one more node, which validates nothing, and resolves once it is where the others were. Returns how many seconds that took. */
  async join(options: Partial<CometbftLedgerOptions> = {}): Promise<number> {
    const [port] = await freePorts(1);
    const { height } = await this.tip(0);
    const start = performance.now();
    const index = await this.#open(port!, undefined, options);
    while ((await this.tip(index)).height < height) await new Promise((resolve) => setTimeout(resolve, JOIN_ASK_MS));
    return (performance.now() - start) / 1_000;
  }

  tip(index: number): Promise<NodeAnswers["tip"]> {
    return this.ask(index, { ask: "tip" });
  }

  folderOf(index: number): string {
    return join(this.#options.directory, `node-${index}`);
  }

  async #open(port: number, validatorSeed?: Uint8Array, own: Partial<CometbftLedgerOptions> = {}): Promise<number> {
    const nodeSeed = new Uint8Array(randomBytes(32));
    const index = this.#nodes.length;
    const child = fork(new URL("./network-node.ts", import.meta.url), {
      serialization: "advanced",
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    const node: Node = { child, enginePid: 0 };
    this.#nodes.push(node);
    // One line for each pair: the later node dials.
    const peers = [...this.#peers];
    this.#peers.push({ id: nodeIdOf(nodeSeed), address: `127.0.0.1:${port}` });
    const { binary, directory, optionsOf } = this.#options;
    const { enginePid } = await this.ask(index, {
      ask: "open",
      first: index * NUMBERS_A_NODE,
      options: {
        binary,
        directory: join(directory, `node-${index}`),
        genesis: this.genesis,
        ...(validatorSeed === undefined ? {} : { validatorSeed }),
        nodeSeed,
        p2p: { listen: `127.0.0.1:${port}`, peers, open: true, loopback: true },
        ...optionsOf?.(index),
        ...own,
      },
    });
    node.enginePid = enginePid;
    return index;
  }

  /** Registers patients until there are so many; records are of any of them from then on. */
  async fillTo(patients: number): Promise<void> {
    // All who sign have as many patients.
    const wanted = Math.ceil(patients / (FILLING_OPERATIONS * HOSPITALS.length)) * HOSPITALS.length;
    const count = wanted - this.#fillings;
    this.#fillings = wanted;
    this.#patients = patients;
    await this.ask(0, { ask: "make", kind: "patients", count, operations: 1, patients });
    const { turnedAway } = await this.ask(0, { ask: "drive", window: 4, milliseconds: 3_600_000 });
    invariant(turnedAway === 0, "network: patients were turned away");
    await this.checkEqual();
  }

  /** Signs `perNode` transactions on each validator, not measured. */
  async make(kind: Kind, perNode: number, operations = 1): Promise<void> {
    await this.#all({ ask: "make", kind, count: Math.ceil(perNode), operations, patients: this.#patients });
  }

  /** Open loop: what was made, at `perSecond` transactions over all nodes. */
  async pace(perSecond: number, operations = 1): Promise<Trial> {
    const startAt = onCommonClock() + START_DELAY_MS;
    const ask = { ask: "pace", perSecond: perSecond / this.#options.validators, startAt } as const;
    return this.#trial(operations, perSecond, startAt, () => this.#all(ask));
  }

  /** Closed loop: `window` transactions of each node on the way for so long. */
  async drive(window: number, milliseconds: number, operations = 1): Promise<Trial> {
    return this.#trial(operations, 0, onCommonClock(), () => this.#all({ ask: "drive", window, milliseconds }));
  }

  /** CPU seconds that nothing but waiting took, over so long. */
  async idle(milliseconds: number): Promise<Cpu> {
    const before = await this.#cpu();
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    return difference(await this.#cpu(), before);
  }

  /** The main thread of node `index` while `work` runs, by part. */
  async profile(index: number, work: () => Promise<unknown>): Promise<Shares> {
    await this.ask(index, { ask: "profile", on: true });
    await work();
    return this.ask(index, { ask: "profile", on: false });
  }

  /** Throws unless all nodes come to the same block at the same height. Returns the height. */
  async checkEqual(): Promise<number> {
    for (let tries = 0; tries < 200; tries++) {
      const tips = await Promise.all(this.#nodes.map((_, index) => this.tip(index)));
      const [first] = tips;
      if (tips.every(({ height }) => height === first?.height)) {
        const hashes = tips.map(({ block }) => cometbft.headerHash(cometbft.decodeLightBlock(block).header));
        invariant(
          hashes.every((hash) => equal(hash, hashes[0]!)),
          "network: nodes differ",
        );
        invariant(
          tips.every(({ entries }) => entries === first?.entries),
          "network: logs differ",
        );
        return first?.height ?? 0;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error("network: nodes do not come to the same height");
  }

  async stop(): Promise<void> {
    await Promise.allSettled(
      this.#nodes.map(async ({ child }, index) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const exited = once(child, "exit");
        await this.ask(index, { ask: "close" });
        await exited;
      }),
    );
  }

  async ask<Name extends keyof NodeAnswers>(
    index: number,
    question: Extract<NodeQuestion, { readonly ask: Name }>,
  ): Promise<NodeAnswers[Name]> {
    const { child } = this.#nodes[index]!;
    const answer = await new Promise<Record<string, unknown>>((resolve) => {
      const onExit = (): void => onMessage({ failed: "it ended" });
      const onMessage = (message: unknown): void => {
        child.off("exit", onExit);
        child.off("message", onMessage);
        resolve(message as Record<string, unknown>);
      };
      child.once("exit", onExit);
      child.once("message", onMessage);
      child.send(question);
    });
    if ("failed" in answer) throw new Error(`node ${index}: ${answer.failed}`);
    return answer[question.ask] as NodeAnswers[Name];
  }

  /** Asks all validators. */
  #all<Name extends keyof NodeAnswers>(question: Extract<NodeQuestion, { readonly ask: Name }>): Promise<NodeAnswers[Name][]> {
    return Promise.all(Array.from({ length: this.#options.validators }, (_, index) => this.ask<Name>(index, question)));
  }

  async #trial(operations: number, offeredPerSecond: number, startAt: number, work: () => Promise<Sent[]>): Promise<Trial> {
    const before = await this.#cpu();
    const sent = await work();
    const cpu = difference(await this.#cpu(), before);
    const committedAt = sent.flatMap((one) => Array.from(one.committedAt));
    return {
      operations,
      offeredPerSecond,
      committed: committedAt.length,
      turnedAway: sent.reduce((sum, one) => sum + one.turnedAway, 0),
      seconds: (committedAt.reduce((last, at) => Math.max(last, at), startAt) - startAt) / 1_000,
      latencies: sent.flatMap((one) => Array.from(one.latencies)),
      committedAt,
      blocksAt: Array.from(sent[0]!.blocksAt),
      startAt,
      cpu,
    };
  }

  async #cpu(): Promise<Cpu> {
    const tips = await Promise.all(this.#nodes.map((_, index) => this.tip(index)));
    const load = tips.reduce((sum, { loadCpuSeconds }) => sum + loadCpuSeconds, 0);
    return cpuOf({
      nodes: this.#nodes.map(({ child }) => child.pid!),
      engines: this.#nodes.map(({ enginePid }) => enginePid),
      load,
    });
  }
}
