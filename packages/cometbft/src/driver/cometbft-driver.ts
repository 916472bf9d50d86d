/**
 * The driver whose blocks CometBFT agrees on with other validators: it owns the CometBFT process from its start to its end, and says what is the matter
 * when there are no blocks. What CometBFT asks is answered by the bridge; blocks are kept and told of by the feed.
 * Source: design.md, "Drivers", "Proofs"; docs/internals/cometbft.md.
 */

import { type MachineLock, tryLock } from "@xinglin/engines";
import { type CommittedBlock, type Driver, type DriverSite, damageIn } from "@xinglin/ledger";
import { type Bytes, Fault, toHex } from "@xinglin/primitives";
import { AbciServer } from "../abci/server.ts";
import { CONSENSUS_TIMES } from "../home/config-file.ts";
import { type Home, prepareHome } from "../home/home.ts";
import { publicKeyOf } from "../home/keys.ts";
import { consensusEnd } from "../process/engine-log.ts";
import { checkPortFree } from "../process/port.ts";
import { type RunFolder, runFolder } from "../process/run-folder.ts";
import { Availability } from "./availability.ts";
import { BlockFeed } from "./block-feed.ts";
import { BlockSize } from "./block-size.ts";
import { Bridge } from "./bridge.ts";
import { ClockWatch } from "./clock-watch.ts";
import { LightBlocks } from "./light-blocks.ts";
import { homeOptions, type NodeOptions, validatorLockName } from "./node-options.ts";
import { Pace } from "./pace.ts";
import { peerFilterOf } from "./peer-filter.ts";
import { ReapWait } from "./reap-wait.ts";
import { RunningEngine } from "./running-engine.ts";
import { snapshotMethods } from "./snapshots.ts";

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

export class CometbftDriver implements Driver {
  readonly #site: DriverSite;
  readonly #options: NodeOptions;
  readonly #listeners = new Set<(block: CommittedBlock) => void>();
  readonly #pace: Pace;
  readonly #reapWait = new ReapWait();
  readonly #clock: ClockWatch;
  readonly #availability: Availability;
  readonly #stopped = Promise.withResolvers<void>();
  #light!: LightBlocks;
  #feed!: BlockFeed;
  #engine!: RunningEngine;
  #home: Home | undefined;
  readonly #closing: (() => unknown)[] = [];
  #stopping = false;
  #failed = false;

  constructor(site: DriverSite, options: NodeOptions) {
    this.#site = site;
    this.#options = options;
    this.#availability = new Availability(site);
    this.#closing.push(() => this.#availability.stop());
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
    const { folder } = this.#home;
    this.#engine = new RunningEngine({
      binary,
      home: folder,
      logFile: `${folder}/engine.log`,
      rpc,
      others: () => Math.max(p2p.peers.length, this.#light.validators.length - 1),
      beforeStart: () => this.#beforeStart(run),
      onAnswering: () => this.#onAnswering(),
      onExited: (exit) => this.#options.onNotice?.({ event: "engine_exited", ...exit }),
      onLine: (line) => this.#onLine(line),
      onFailing: (fault) => this.#availability.onFailing(fault),
    });
    this.#light = new LightBlocks(this.#site.application.chainId, this.#site.store, this.#engine.rpc);
    this.#feed = new BlockFeed({
      ...this.#site,
      light: this.#light,
      answers: () => this.#engine.answers,
      onBlock: (block) => this.#tell(block),
      onLive: ({ votes }) => this.#clock.onCommit(votes),
      onFailed: (error) => this.#fail(error),
    });
    this.#closing.push(() => this.#engine.stop());
    const answering = Promise.race([this.#engine.start(), this.#stopped.promise]);
    await Promise.all([answering, this.#site.application.warmUp()]);
    await this.#untilProvable();
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
    return this.#availability.fault();
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
    await this.#feed?.stop(); // none before it was started
    this.#stopped.resolve();
  }

  /** This node's engine, for who looks after it, measures it, or tests what happens without it. */
  get engine(): NodeEngine {
    const engine = this.#engine;
    return {
      nodeId: this.#home?.nodeId ?? "",
      pid: engine.pid,
      kill: (signal) => engine.kill(signal),
      peers: () => engine.peers(),
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
      peers: peerFilterOf(this.#options, () => this.#site.application.committed),
      checkRoom: () => this.#availability.checkRoom(),
      relay: () => this.#engine.lacksPeers,
      onRefused: ({ height, proposerAddress }, { code, facts }) =>
        this.#options.onNotice?.({ event: "proposal_refused", height, proposer: toHex(proposerAddress), code, facts }),
      onDecided: (block) => this.#feed.onDecided(block),
      rowsFor: (height) => this.#feed.rowsFor(height),
      onCommitted: (block, finalized) => {
        this.#availability.onBlock();
        this.#feed.onCommitted(block, finalized);
      },
      onFailed: (error) => this.#fail(error),
      neededFrom: () => this.#feed.neededFrom,
      snapshots: snapshotMethods(this.#site.snapshots),
      ...(choose === undefined ? {} : { choose }),
      ...(handOn === undefined ? {} : { handOn }),
    });
  }

  #tell(block: CommittedBlock): void {
    for (const listener of this.#listeners) {
      try {
        listener(block);
      } catch (error) {
        // The block stands whatever a listener makes of it; its mistake is reported as what it is.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  async #onAnswering(): Promise<void> {
    this.#availability.onAnswering();
    await this.#feed.catchUp();
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
