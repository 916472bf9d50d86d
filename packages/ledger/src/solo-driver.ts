/**
 * One validator in this process, making real CometBFT headers and commits.
 *
 * Order of writes for a block: first its bytes and "about to sign this hash at this height", synced; then the signature; then commit,
 * state, log and results in one synced batch; only then anyone hears of it. After a crash in between, the saved block is executed and
 * signed again, to the same bytes: two different blocks of one height are never signed.
 *
 * When blocks are made: the first transaction waits `gatherMs` for company, and while one block is executed and written the next
 * gathers, so blocks grow with the load. A block that changed the state is followed at once by the one whose header proves it. An idle
 * chain makes a block every `maxBlockGapSeconds`, so that the newest header is never older.
 *
 * A solo key can rewrite the chain's history: nobody else signs. Pages and evidence say so.
 * Source: design.md, "Drivers", "Proofs", "Time".
 */
import { cometbft } from "@xinglin/crypto/pure";
import { type Bytes, cbor, equal, Fault, invariant, schema } from "@xinglin/primitives";
import type { Application } from "./application.ts";
import { decodeBlock } from "./block-bytes.ts";
import { resultsHash } from "./block-results.ts";
import { type Clock, millisecondsBetween, nextBlockTime } from "./block-time.ts";
import type { BlockStore, CommittedBlock, Driver, ValidatorKey } from "./driver.ts";
import { BLOCK_OVERHEAD_BYTES, makeBlock, type SoloBlock, type SoloChain, signBlock, type Tip, withId } from "./solo-block.ts";
import { storageKeys } from "./storage-keys.ts";
import { Wake } from "./wake.ts";

/** How long the first transaction waits for company. */
const GATHER_MS = 3;
/**
 * Operations in a block. Bounds how long one takes, whatever the quota of the members: under a backlog blocks of a tenth of a second follow
 * each other, instead of fewer long ones that nobody's transaction gets past.
 */
const MAX_BLOCK_OPERATIONS = 1_000;
/** Heartbeats come a little early, so that writing them does not make the newest header too old. */
const HEARTBEAT_SHARE = 0.8;
/** How often a driver without room looks again. */
const ROOM_CHECK_MS = 1_000;

const lastSignedShape = schema.object({ height: schema.uint(), hash: schema.bytes(32) });

export interface SoloOptions {
  readonly application: Application;
  readonly store: BlockStore;
  readonly validator: ValidatorKey;
  readonly clock: Clock;
  readonly gatherMs?: number;
  readonly maxBlockOperations?: number;
  /** Asked before each block: throws `Fault("disk_full")` when there is no room for one. */
  readonly checkRoom?: () => void;
}

/** The newest block; `headerAppHash` is the app hash that its own header holds, of the state before it. */
interface SoloTip extends Tip {
  readonly headerAppHash: Bytes;
}

export class SoloDriver implements Driver {
  readonly #options: SoloOptions;
  readonly #chain: SoloChain;
  readonly #listeners = new Set<(block: CommittedBlock) => void>();
  readonly #wake = new Wake();
  #tip: SoloTip;
  #fault: Fault | undefined;
  #stopping = false;
  #running: Promise<void> | undefined;

  constructor(options: SoloOptions) {
    const { genesis, chainId } = options.application;
    const [validator] = genesis.validators;
    if (genesis.validators.length !== 1 || validator === undefined || !equal(validator.publicKey, options.validator.publicKey))
      throw new Fault("not_the_validator", { validators: genesis.validators.length });
    // With more seats a vote could give one to somebody whose signature this driver never gets.
    const { maxSeats } = options.application.parameters().election;
    if (maxSeats !== 1) throw new Fault("not_for_one_validator", { seats: maxSeats });
    options.application.keepOneSeat();
    this.#options = options;
    const { publicKey, power } = validator;
    this.#chain = { chainId, maxBlockBytes: genesis.parameters.maxBlockBytes, validator: { publicKey, power } };
    this.#tip = this.#readTip();
  }

  async start(): Promise<void> {
    await this.#finishSavedBlock();
    // The genesis becomes state in the first block and provable by the second.
    while (this.provableHeight() === 0 || this.#needsProof()) await this.#produce();
    this.#running = this.#run();
    // Who asks `stopped` hears of a failure; nobody has to.
    this.#running.catch(() => {});
  }

  notify(): void {
    this.#wake.up();
  }

  height(): number {
    return this.#tip.height;
  }

  provableHeight(): number {
    return Math.max(0, this.#tip.height - 1);
  }

  lightBlock(height: number): Bytes | undefined {
    return height <= this.#tip.height ? this.#options.store.read(storageKeys.lightBlock(height)) : undefined;
  }

  block(height: number): Bytes | undefined {
    return height <= this.#tip.height ? this.#options.store.read(storageKeys.block(height)) : undefined;
  }

  subscribe(listener: (block: CommittedBlock) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async stopped(): Promise<void> {
    await this.#running;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wake.up();
    await this.#running?.catch(() => {});
  }

  fault(): Fault | undefined {
    return this.#fault;
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      if (!this.#needsProof()) await this.#waitForReason();
      if (this.#stopping) return;
      if (this.#hasRoom()) await this.#produce();
      else await this.#wake.wait(ROOM_CHECK_MS);
    }
  }

  /** Until there is a transaction that has waited for company, or the chain has been idle for too long, or the driver stops. */
  async #waitForReason(): Promise<void> {
    const { application, gatherMs = GATHER_MS } = this.#options;
    while (!this.#stopping && application.waiting === 0) {
      const left = this.#untilHeartbeat();
      // A timer that ran out counts although the clock may say otherwise: it may have been set back.
      if (left <= 0 || (await this.#wake.wait(left)) === "timeout") return;
    }
    if (!this.#stopping && gatherMs > 0) await new Promise((resolve) => setTimeout(resolve, gatherMs));
  }

  #untilHeartbeat(): number {
    const { clock, application } = this.#options;
    const gapMs = application.parameters().maxBlockGapSeconds * HEARTBEAT_SHARE * 1000;
    const age = this.#tip.time === undefined ? gapMs : millisecondsBetween(this.#tip.time, clock());
    return Math.min(gapMs, gapMs - age);
  }

  /** Whether the last block changed the state, so that no header holds its app hash yet. */
  #needsProof(): boolean {
    return !equal(this.#tip.headerAppHash, this.#options.application.appHash);
  }

  #hasRoom(): boolean {
    try {
      this.#options.checkRoom?.();
      this.#fault = undefined;
      return true;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      this.#fault = error;
      return false;
    }
  }

  async #produce(): Promise<void> {
    const { application, clock, store, maxBlockOperations = MAX_BLOCK_OPERATIONS } = this.#options;
    const height = this.#tip.height + 1;
    const time = nextBlockTime(clock(), this.#tip.time);
    const maxBytes = this.#chain.maxBlockBytes - BLOCK_OVERHEAD_BYTES;
    const txs = application.prepareProposal({ height, time, maxBytes, maxOperations: maxBlockOperations });
    const block = makeBlock(this.#chain, this.#tip, time, txs);
    const saved = store.write([
      { type: "put", key: storageKeys.block(height), value: block.bytes },
      { type: "put", key: storageKeys.lastSigned, value: cbor.encode({ height, hash: block.blockId.hash }) },
    ]);
    // Heard of when it is awaited, after the execution that runs meanwhile.
    saved.catch(() => {});
    await this.#decide(block, saved);
  }

  /** Executes a block, signs it once it is saved, and makes both final. */
  async #decide(block: SoloBlock, saved: Promise<void>): Promise<void> {
    const { application, validator } = this.#options;
    const { header, txs, blockId } = block;
    const { height, time } = header;
    const finalized = await application.finalizeBlock({ height, time, transactions: txs });
    invariant(finalized.validatorUpdates.length === 0, "solo: a chain of one seat changed its validators");
    let commit: cometbft.Commit;
    try {
      await saved;
      commit = await signBlock(this.#chain.chainId, block, validator);
    } catch (error) {
      application.abandon();
      throw error;
    }
    const lightBlock = cometbft.encodeLightBlock({ header, commit, validators: [this.#chain.validator] });
    await application.commit([{ type: "put", key: storageKeys.lightBlock(height), value: lightBlock }]);
    const { appHash, results } = finalized;
    this.#tip = { height, time, blockId, commit, appHash, resultsHash: resultsHash(results), headerAppHash: header.appHash };
    this.#tell({ height, time, lightBlock, finalized });
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

  /** A crash may have left a block that is saved, perhaps signed, and not applied: this very block comes next. */
  async #finishSavedBlock(): Promise<void> {
    const { store } = this.#options;
    const signed = store.read(storageKeys.lastSigned);
    if (signed === undefined) return;
    const { height, hash } = lastSignedShape.parse(cbor.decodeTrusted(signed));
    if (height <= this.#tip.height) return;
    const bytes = store.read(storageKeys.block(height));
    invariant(height === this.#tip.height + 1 && bytes !== undefined, "solo: a block that may have been signed is missing");
    const { header, txs } = decodeBlock(bytes);
    const block = withId(header, txs, bytes);
    invariant(equal(block.blockId.hash, hash), "solo: the saved block is not the one that may have been signed");
    await this.#decide(block, Promise.resolve());
  }

  #readTip(): SoloTip {
    const { application, store } = this.#options;
    const { height, appHash } = application;
    if (height === 0) {
      const nothing = new Uint8Array(0);
      const { NO_BLOCK: blockId, NO_COMMIT: commit } = cometbft;
      return { height, time: undefined, blockId, commit, appHash, resultsHash: resultsHash([]), headerAppHash: nothing };
    }
    const bytes = store.read(storageKeys.lightBlock(height));
    const results = application.results(height);
    invariant(bytes !== undefined && results !== undefined, "solo: the newest block is missing");
    const { header, commit } = cometbft.decodeLightBlock(bytes);
    const { time, appHash: headerAppHash } = header;
    return {
      height,
      time,
      blockId: commit.blockId,
      commit,
      appHash,
      resultsHash: resultsHash(results.transactions),
      headerAppHash,
    };
  }
}
