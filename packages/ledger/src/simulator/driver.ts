/**
 * A driver whose other validators are simulated: the ledger of one member in a real data folder, agreeing over a virtual network with whole nodes on
 * simulated disks, under the same model of CometBFT and the same referee as the simulation. Nothing happens while there is nothing to decide.
 * Source: design.md, "Drivers" (simulator).
 */
import { cometbft } from "@xinglin/crypto/pure";
import { type Bytes, equal, Fault } from "@xinglin/primitives";
import type { Finalized } from "../block.ts";
import { DEFAULT_MEMPOOL } from "../core.ts";
import type { CommittedBlock, Driver, DriverFactory, DriverSite } from "../driver.ts";
import type { QuietChain } from "./cluster.ts";
import type { SimulatedMember } from "./member.ts";
import { Simulation } from "./simulation.ts";
import type { StoredBlock } from "./witness.ts";

/** Heartbeats come a little early, so that making them does not make the newest header too old. */
const HEARTBEAT_SHARE = 0.8;
/** How often a driver without room looks again. */
const ROOM_CHECK_MS = 1_000;
/** The node that the ledger runs on. */
const OURS = 0;

/** The validators of one chain; they outlive the folder's being closed and opened again, as other members' nodes do. */
export class SimulatedValidators {
  readonly #simulation: Simulation;

  /** `seed` decides the order in which things happen; the genesis has one validator for each key. */
  constructor(seed: number, chain: QuietChain) {
    const profile = { byzantine: [], doubleVoters: [], mempool: DEFAULT_MEMPOOL, keepVersions: 1_000, blockOperations: 1_000 };
    this.#simulation = new Simulation({ seed, chain, profile });
  }

  /** Makes the driver of the first validator's folder, each time that it is opened. */
  readonly driver: DriverFactory = (site) => new SimulatorDriver(this.#simulation, site);
}

class SimulatorDriver implements Driver {
  readonly #simulation: Simulation;
  readonly #site: DriverSite;
  readonly #member: SimulatedMember;
  readonly #listeners = new Set<(block: CommittedBlock) => void>();
  readonly #forget: () => void;
  #fault: Fault | undefined;
  #isStopping = false;
  /** Whether blocks are being made just now, and whether somebody asked for more meanwhile. */
  #pumping: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #ended = Promise.withResolvers<void>();

  constructor(simulation: Simulation, site: DriverSite) {
    this.#simulation = simulation;
    this.#site = site;
    this.#member = simulation.members[OURS] as SimulatedMember;
    this.#forget = simulation.onCommitted(OURS, (stored, finalized) => this.#tell(stored, finalized));
    // Who asks `stopped` hears of a failure; nobody has to.
    this.#ended.promise.catch(() => {});
  }

  async start(): Promise<void> {
    this.#member.node.attach(this.#site.application);
    await this.#member.start();
    // The genesis becomes state in the first block and provable by the second.
    while (this.provableHeight() === 0 || this.#isBusy()) await this.#simulation.next();
    this.#planHeartbeat();
  }

  notify(): void {
    this.#member.notice();
    this.#pump(() => this.#isBusy());
  }

  height(): number {
    return this.#member.node.kept.stateHeight;
  }
  provableHeight(): number {
    return Math.max(0, this.height() - 1);
  }

  lightBlock(height: number): Bytes | undefined {
    const stored = this.#stored(height);
    return stored === undefined ? undefined : this.#lightBlockOf(stored);
  }
  block(height: number): Bytes | undefined {
    return this.#stored(height)?.block.bytes;
  }

  subscribe(listener: (block: CommittedBlock) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  fault(): Fault | undefined {
    return this.#fault;
  }
  stopped(): Promise<void> {
    return this.#ended.promise;
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    clearTimeout(this.#timer);
    await this.#pumping;
    this.#forget();
    this.#member.node.stop();
    this.#ended.resolve();
  }

  /** Whether something waits, or a state that no header vouches for yet. */
  #isBusy(): boolean {
    const { application, kept } = this.#member.node;
    const newest = kept.blocks.get(this.height());
    return application.waiting > 0 || newest === undefined || !equal(newest.block.header.appHash, application.appHash);
  }

  /** Lets things happen for as long as `isWanted`, a few at a turn of the event loop. */
  #pump(isWanted: () => boolean): void {
    if (this.#pumping !== undefined || this.#isStopping || !this.#hasRoom()) return;
    const pumping = (async () => {
      while (!this.#isStopping && isWanted()) {
        await this.#simulation.next();
        await new Promise(setImmediate);
      }
    })();
    this.#pumping = pumping.then(
      () => {
        this.#pumping = undefined;
        this.#planHeartbeat();
      },
      (error: unknown) => {
        this.#isStopping = true;
        this.#member.node.stop();
        this.#ended.reject(error);
      },
    );
  }

  #planHeartbeat(): void {
    clearTimeout(this.#timer);
    if (this.#isStopping) return;
    const gapMs = this.#site.application.parameters().maxBlockGapSeconds * HEARTBEAT_SHARE * 1_000;
    this.#timer = setTimeout(() => {
      const before = this.height();
      this.#pump(() => this.height() === before || this.#isBusy());
    }, gapMs);
  }

  #hasRoom(): boolean {
    try {
      this.#site.checkRoom();
      this.#fault = undefined;
      return true;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      this.#fault = error;
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#pump(() => this.#isBusy()), ROOM_CHECK_MS);
      return false;
    }
  }

  #stored(height: number): StoredBlock | undefined {
    return height <= this.height() ? this.#member.node.kept.blocks.get(height) : undefined;
  }

  #lightBlockOf({ block: { header }, commit }: StoredBlock): Bytes {
    const { validators } = this.#simulation.facts.schedule.at(header.height);
    return cometbft.encodeLightBlock({ header, commit, validators });
  }

  #tell(stored: StoredBlock, finalized: Finalized): void {
    const { height, time } = stored.block.header;
    const block: CommittedBlock = { height, time, lightBlock: this.#lightBlockOf(stored), finalized };
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
}
