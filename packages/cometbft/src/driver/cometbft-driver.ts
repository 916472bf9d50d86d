/**
 * The driver whose blocks CometBFT agrees on with other validators. It owns the CometBFT process, answers its questions, keeps the light block of
 * every height in our own database, and tells of each block once both are on disk.
 *
 * A block's light block is fetched while the block is executed and becomes durable in the same batch. Blocks that CometBFT hands over before its
 * RPC is there (after a crash) are made up for afterwards, in order.
 * Source: design.md, "Drivers", "Proofs"; docs/internals/cometbft.md.
 */

import { type CommittedBlock, type Driver, type DriverSite, damageIn, type Finalized } from "@xinglin/ledger";
import { type Bytes, Fault, toHex } from "@xinglin/primitives";
import type { BatchOperation } from "@xinglin/state";
import type { AbciBlock } from "../abci/handlers.ts";
import { AbciServer } from "../abci/server.ts";
import { CONSENSUS_TIMES } from "../home/config-file.ts";
import { type Home, prepareHome } from "../home/home.ts";
import { publicKeyOf } from "../home/keys.ts";
import { consensusEnd } from "../process/engine-log.ts";
import { EngineProcess } from "../process/engine-process.ts";
import { type MachineLock, tryLock } from "../process/machine-lock.ts";
import { checkPortFree } from "../process/port.ts";
import { type RunFolder, runFolder } from "../process/run-folder.ts";
import { peerIdsOf } from "../rpc/decode-json.ts";
import { RpcClient } from "../rpc/rpc-client.ts";
import { BlockSize } from "./block-size.ts";
import { Bridge } from "./bridge.ts";
import { ClockWatch } from "./clock-watch.ts";
import { type Fetched, LightBlocks } from "./light-blocks.ts";
import { homeOptions, type NodeOptions, validatorLockName } from "./node-options.ts";
import { Pace } from "./pace.ts";
import { ReapWait } from "./reap-wait.ts";
import { snapshotMethods } from "./snapshots.ts";

/** A start that fails so often in a row is told to the caller. */
const STARTS = 3;
/** How often a starting engine is asked whether it answers. */
const ASK_MS = 50;
/** How often the engine is asked for its peers. */
const PEERS_MS = 5_000;
/** Without a new block for so many of the longest gaps (and at least so long), the ledger is said to be unavailable. */
const STALLED_GAPS = 3;
const STALLED_MS = 15_000;
/** Blocks that are remembered until their light blocks are fetched. */
const MAX_UNTOLD = 64;

/** The CometBFT of a node. */
export interface NodeEngine {
  readonly nodeId: string;
  /** While it runs. */
  readonly pid: number | undefined;
  kill(signal?: NodeJS.Signals): void;
  /** Ids of the nodes that it is connected to. Rejects with `engine_unreachable`. */
  peers(): Promise<readonly string[]>;
  /** Seconds by which this machine's clock is ahead of the chain's, negative if behind; undefined until the chain went on for some seconds. */
  readonly clockOffsetSeconds: number | undefined;
}

interface Untold {
  readonly block: AbciBlock;
  readonly finalized: Finalized;
}

export class CometbftDriver implements Driver {
  readonly #site: DriverSite;
  readonly #options: NodeOptions;
  readonly #listeners = new Set<(block: CommittedBlock) => void>();
  readonly #pace: Pace;
  readonly #reapWait = new ReapWait();
  readonly #clock: ClockWatch;
  readonly #stopped = Promise.withResolvers<void>();
  #light!: LightBlocks;
  #rpc!: RpcClient;
  #engine!: EngineProcess;
  #home: Home | undefined;
  readonly #closing: (() => unknown)[] = [];
  #untold: Untold[] = [];
  #fetching: { readonly height: number; readonly fetched: Promise<Fetched | undefined> } | undefined;
  #ready: Fetched | undefined;
  #following: Promise<void> | undefined;
  #answers = false;
  #relay = false;
  #fault: Fault | undefined;
  #lastBlockAt = performance.now();
  #stopping = false;
  #failed = false;

  constructor(site: DriverSite, options: NodeOptions) {
    this.#site = site;
    this.#options = options;
    const { proposeMs } = options.times ?? CONSENSUS_TIMES;
    this.#pace = new Pace({ application: site.application, proposeMs, gatherMs: options.gatherMs ?? 0 });
    this.#clock = new ClockWatch({
      clock: site.clock,
      monotonic: () => performance.now(),
      onOffset: (seconds) => options.onNotice?.({ event: "clock_differs", seconds }),
    });
    this.#stopped.promise.catch(() => {});
  }

  async start(): Promise<void> {
    const { p2p, binary } = this.#options;
    this.#closing.push((await this.#lockKey()).release);
    await checkPortFree(p2p.listen);
    const run = await runFolder(this.#site.directory);
    this.#closing.push(() => run.remove());
    const server = new AbciServer(this.#bridge(), { at: { path: run.pathOf("abci.sock") } });
    await server.listen();
    this.#closing.push(() => server.close());
    server.failed.catch((error: unknown) => this.#fail(error));
    const rpc = this.#options.rpc ?? { socketPath: run.pathOf("rpc.sock") };
    this.#home = await prepareHome(homeOptions(this.#site, this.#options, { proxyApp: server.address, rpc }));
    this.#rpc = new RpcClient(rpc);
    this.#closing.push(() => this.#rpc.close());
    const { chainId } = this.#site.application;
    this.#light = new LightBlocks(chainId, this.#site.store, this.#rpc);
    const { folder } = this.#home;
    const beforeStart = (): Promise<void> => this.#beforeStart(run);
    this.#engine = new EngineProcess({ binary, home: folder, logFile: `${folder}/engine.log`, beforeStart });
    this.#closing.push(() => this.#engine.stop());
    this.#engine.on("line", (line) => this.#onLine(line));
    this.#engine.on("exited", (exit) => this.#options.onNotice?.({ event: "engine_exited", ...exit }));
    this.#engine.start();
    await Promise.all([this.#untilAnswering(), this.#site.application.warmUp()]);
    await this.#untilProvable();
    this.#watchPeers();
  }

  notify(): void {
    this.#pace.notify();
    this.#reapWait.notify();
  }
  height(): number {
    return this.#light.tip;
  }
  provableHeight(): number {
    return Math.max(0, this.#light.tip - 1);
  }
  lightBlock(height: number): Bytes | undefined {
    return this.#light.lightBlock(height);
  }
  block(height: number): Bytes | undefined {
    return this.#light.block(height);
  }

  subscribe(listener: (block: CommittedBlock) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  fault(): Fault | undefined {
    if (this.#fault !== undefined) return this.#fault;
    const stalledMs = Math.max(STALLED_MS, this.#site.application.parameters().maxBlockGapSeconds * 1000 * STALLED_GAPS);
    const isStalled = performance.now() - this.#lastBlockAt > stalledMs;
    return isStalled ? new Fault("ledger_unavailable", {}, { retry: true }) : undefined;
  }

  stopped(): Promise<void> {
    return this.#stopped.promise;
  }

  async stop(): Promise<void> {
    if (this.#stopping) return this.#stopped.promise.catch(() => {});
    this.#stopping = true;
    this.#pace.release();
    this.#reapWait.release();
    // The engine first: it ends in order while its questions are still answered.
    for (const step of this.#closing.toReversed()) await step();
    await this.#following?.catch(() => {});
    this.#stopped.resolve();
  }

  /** This node's engine, for who looks after it, measures it, or tests what happens without it. */
  get engine(): NodeEngine {
    const engine = this.#engine;
    return {
      nodeId: this.#home?.nodeId ?? "",
      pid: engine.pid,
      kill: (signal) => engine.kill(signal),
      peers: async () => peerIdsOf(await this.#rpc.call("net_info")),
      clockOffsetSeconds: this.#clock.offsetSeconds,
    };
  }

  async #lockKey(): Promise<MachineLock> {
    const { validatorSeed: seed, machine } = this.#options;
    if (seed === undefined) return { release: async () => {} };
    const held = await tryLock(validatorLockName(publicKeyOf(seed), machine));
    if (held === undefined) throw new Fault("validator_key_in_use");
    return held;
  }

  async #beforeStart(run: RunFolder): Promise<void> {
    this.#answers = false;
    // A proposer that still waits on behalf of the process before would hold up the next one.
    this.#pace.notify();
    this.#reapWait.notify();
    await run.clear("rpc.sock");
  }

  #bridge(): Bridge {
    const { genesis, continuation, maxBlockOperations = 1_000, times = CONSENSUS_TIMES, choose, handOn } = this.#options;
    return new Bridge({
      application: this.#site.application,
      genesis,
      initialHeight: continuation?.initialHeight ?? 1,
      pace: this.#pace,
      reapWait: this.#reapWait,
      blockSize: new BlockSize(maxBlockOperations, times.proposeMs),
      checkRoom: () => this.#checkRoom(),
      relay: () => this.#relay,
      onRefused: ({ height, proposerAddress }, { code, facts }) =>
        this.#options.onNotice?.({ event: "proposal_refused", height, proposer: toHex(proposerAddress), code, facts }),
      onDecided: (block) => this.#onDecided(block),
      rowsFor: (height) => this.#rowsFor(height),
      onCommitted: (block, finalized) => this.#onCommitted(block, finalized),
      onFailed: (fault) => this.#fail(fault),
      // What is not kept here yet must still be had from CometBFT.
      retainHeight: (wanted) => Math.min(wanted, this.#light.tip),
      snapshots: snapshotMethods(this.#site.snapshots),
      ...(choose === undefined ? {} : { choose }),
      ...(handOn === undefined ? {} : { handOn }),
    });
  }

  #checkRoom(): void {
    this.#fault = this.#noRoom();
    if (this.#fault !== undefined) throw this.#fault;
  }

  #noRoom(): Fault | undefined {
    try {
      this.#site.checkRoom();
      return undefined;
    } catch (error) {
      if (error instanceof Fault) return error;
      throw error;
    }
  }

  /** CometBFT has saved the block already: its light block is fetched while it is executed. */
  #onDecided({ height, transactions }: AbciBlock): void {
    this.#ready = undefined;
    this.#fetching = undefined;
    if (!this.#answers || height !== this.#light.tip + 1) return;
    const fetched = this.#light.fetch(height, transactions).catch(() => undefined);
    this.#fetching = { height, fetched };
  }

  async #rowsFor(height: number): Promise<readonly BatchOperation[]> {
    if (this.#fetching?.height !== height) return [];
    this.#ready = await this.#fetching.fetched;
    return this.#ready?.rows ?? [];
  }

  #onCommitted(block: AbciBlock, finalized: Finalized): void {
    this.#lastBlockAt = performance.now();
    const ready = this.#ready;
    this.#ready = undefined;
    if (ready?.height === block.height) {
      this.#light.adopt(ready);
      this.#clock.onCommit(ready.votes);
      this.#tell(ready, finalized);
      return;
    }
    this.#untold.push({ block, finalized });
    if (this.#untold.length > MAX_UNTOLD) this.#untold.shift();
    if (this.#answers) this.#follow();
  }

  /** Fetches what is missing, in order. */
  #follow(): Promise<void> {
    this.#following ??= this.#fetchMissing().finally(() => {
      this.#following = undefined;
    });
    return this.#following;
  }

  async #fetchMissing(): Promise<void> {
    const { application, store } = this.#site;
    try {
      for (let next = await this.#light.next(); next <= application.height && !this.#stopping; next = this.#light.tip + 1) {
        const untold = this.#untold.find(({ block }) => block.height === next);
        const fetched = await this.#light.fetch(next, untold?.block.transactions);
        // It may have come with its block meanwhile.
        if (this.#light.tip >= next) continue;
        await store.write(fetched.rows);
        this.#light.adopt(fetched);
        this.#untold = this.#untold.filter(({ block }) => block.height > next);
        if (untold !== undefined) this.#tell(fetched, untold.finalized);
      }
    } catch (error) {
      // The engine ended meanwhile: goes on when it answers again.
      if (!(error instanceof Fault && error.code === "engine_unreachable")) this.#fail(error);
    }
  }

  #tell({ height, time, lightBlock }: Fetched, finalized: Finalized): void {
    for (const listener of this.#listeners) {
      try {
        listener({ height, time, lightBlock, finalized });
      } catch (error) {
        // The block stands whatever a listener makes of it; its mistake is reported as what it is.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  /** Each time that the engine was started, until it answers; then what is missing is fetched. */
  async #untilAnswering(): Promise<void> {
    const first = Promise.withResolvers<void>();
    this.#engine.on("exited", ({ inARow }) => {
      this.#answers = false;
      if (inARow >= STARTS) {
        // CometBFT ends, too, when it can't write: then that is what to say.
        const failed = new Fault("engine_failed", { exits: inARow, log: this.#engine.logFile }, { retry: true });
        this.#fault = this.#noRoom() ?? failed;
        first.reject(this.#fault);
      }
    });
    const ask = async (): Promise<void> => {
      const { pid } = this.#engine;
      while (!this.#stopping && this.#engine.pid === pid) {
        const answered = await this.#rpc.call("status").then(
          () => true,
          () => false,
        );
        if (answered) {
          this.#answers = true;
          this.#fault = undefined;
          await this.#follow();
          first.resolve();
          return;
        }
        await new Promise((resolve) => setTimeout(resolve, ASK_MS));
      }
    };
    this.#engine.on("started", () => void ask());
    this.#stopped.promise.then(first.resolve, first.reject);
    await first.promise;
  }

  async #untilProvable(): Promise<void> {
    if (this.provableHeight() >= 1) return;
    const reached = Promise.withResolvers<void>();
    const stop = this.subscribe(() => this.provableHeight() >= 1 && reached.resolve());
    this.#stopped.promise.then(reached.resolve, reached.reject);
    // A block may have come before the subscription.
    if (this.provableHeight() >= 1) reached.resolve();
    await reached.promise.finally(stop);
  }

  /** What peers handed on is handed on again where this node is not connected to all the others. */
  #watchPeers(): void {
    const timer = setInterval(async () => {
      if (!this.#answers) return;
      const peers = await this.#rpc.call("net_info").then(peerIdsOf, () => undefined);
      const others = Math.max(this.#options.p2p.peers.length, this.#light.validators.length - 1);
      if (peers !== undefined) this.#relay = peers.length < others;
    }, PEERS_MS);
    timer.unref();
    this.#closing.push(() => clearInterval(timer));
  }

  #onLine(line: string): void {
    const end = consensusEnd(line);
    if (end === "diverged") this.#fail(new Fault("state_diverged", { height: this.#site.application.height }));
    // For want of room on its disk perhaps. It would stay, and do nothing any more: what is the matter shows when it is started anew.
    else if (end === "stuck") this.#engine.kill();
  }

  #fail(error: unknown): void {
    if (this.#stopping || this.#failed) return;
    this.#failed = true;
    const damage = damageIn(error);
    if (damage !== undefined) this.#options.onNotice?.({ event: "damaged", code: damage.code, facts: damage.facts });
    this.#stopped.reject(error);
  }
}
