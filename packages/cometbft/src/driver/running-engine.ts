/**
 * A node's CometBFT from outside: its process, whether its RPC answers, and which peers it has.
 * Source: docs/internals/cometbft.md, "The process".
 */
import { Fault } from "@xinglin/primitives";
import { type EngineExit, EngineProcess, type EngineProcessOptions } from "../process/engine-process.ts";
import { peerIdsOf } from "../rpc/decode-json.ts";
import { type RpcAddress, RpcClient } from "../rpc/rpc-client.ts";

/** A start that fails so often in a row is told to the caller. */
const STARTS = 3;
/** How often a starting engine is asked whether it answers. */
const ASK_MS = 50;
/** How often the engine is asked for its peers. */
const PEERS_MS = 5_000;

/** How an engine is run, and who hears what of it. */
export interface RunningEngineOptions extends EngineProcessOptions {
  readonly rpc: RpcAddress;
  /** Nodes that it should be connected to. */
  readonly others: () => number;
  /** The RPC answers, at the first start and after each that follows. */
  readonly onAnswering: () => Promise<void>;
  readonly onExited: (exit: EngineExit) => void;
  readonly onLine: (line: string) => void;
  /** It ended three times in a row, or more: what to say of it. */
  readonly onFailing: (fault: Fault) => Fault;
}

export class RunningEngine {
  readonly rpc: RpcClient;
  readonly #options: RunningEngineOptions;
  readonly #process: EngineProcess;
  readonly #first = Promise.withResolvers<void>();
  #watch: NodeJS.Timeout | undefined;
  #answers = false;
  #lacksPeers = false;
  #stopping = false;

  constructor(options: RunningEngineOptions) {
    this.#options = options;
    this.rpc = new RpcClient(options.rpc);
    const beforeStart = (): Promise<void> => {
      this.#answers = false;
      return options.beforeStart();
    };
    this.#process = new EngineProcess({ ...options, beforeStart });
    this.#process.on("line", options.onLine);
    this.#process.on("exited", (exit) => this.#onExited(exit));
    this.#process.on("started", () => void this.#untilAnswering());
  }

  /** Resolves when it answers for the first time. Rejects with what `onFailing` makes of `Fault("engine_failed")`, the process being tried again all the same. */
  async start(): Promise<void> {
    this.#watch = setInterval(() => void this.#lookForPeers(), PEERS_MS);
    this.#watch.unref();
    this.#process.start();
    await this.#first.promise;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    clearInterval(this.#watch);
    await this.#process.stop();
    this.rpc.close();
  }

  /** While it runs. */
  get pid(): number | undefined {
    return this.#process.pid;
  }
  /** Whether its RPC answers, as far as is known. */
  get answers(): boolean {
    return this.#answers;
  }
  /** Whether it is not connected to all that it should be. */
  get lacksPeers(): boolean {
    return this.#lacksPeers;
  }

  /** Ends it at once, as a crash would; it is started again. */
  kill(signal?: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** Ids of the nodes that it is connected to. Rejects with `engine_unreachable`. */
  async peers(): Promise<readonly string[]> {
    return peerIdsOf(await this.rpc.call("net_info"));
  }

  #onExited(exit: EngineExit): void {
    this.#answers = false;
    if (exit.inARow >= STARTS) {
      const facts = { exits: exit.inARow, log: this.#process.logFile };
      this.#first.reject(this.#options.onFailing(new Fault("engine_failed", facts, { retry: true })));
    }
    this.#options.onExited(exit);
  }

  async #untilAnswering(): Promise<void> {
    const { pid } = this.#process;
    while (!this.#stopping && this.#process.pid === pid) {
      const answered = await this.rpc.call("status").then(
        () => true,
        () => false,
      );
      if (answered) {
        this.#answers = true;
        await this.#options.onAnswering();
        this.#first.resolve();
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, ASK_MS));
    }
  }

  async #lookForPeers(): Promise<void> {
    if (!this.#answers) return;
    const peers = await this.peers().catch(() => undefined);
    if (peers !== undefined) this.#lacksPeers = peers.length < this.#options.others();
  }
}
