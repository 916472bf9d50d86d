/**
 * From blocks that CometBFT decides to blocks that are told of: each once, in order, when it is on disk together with its light block.
 *
 * The light block is fetched from the RPC while the block is executed. Where that fails (the RPC is not there yet, or for a while not any more),
 * blocks go on; what is missing is made up for when the RPC answers again, in order, and told from what is on disk, however many blocks
 * that took. Nothing of a block that is still to be told is let go meanwhile.
 * Source: design.md, "Drivers", "Proofs"; docs/internals/cometbft.md, "The bridge".
 */
import { type Application, type BlockStore, type CommittedBlock, type Finalized, recallOutcome } from "@xinglin/ledger";
import { Fault } from "@xinglin/primitives";
import type { BatchOperation } from "@xinglin/state";
import type { AbciBlock } from "../abci/handlers.ts";
import type { Fetched, LightBlocks } from "./light-blocks.ts";

/** How soon an RPC that did not answer is asked again. */
const AGAIN_MS = 250;

/** What a feed is made of. */
export interface BlockFeedOptions {
  readonly application: Pick<Application, "height" | "results" | "log">;
  readonly store: BlockStore;
  readonly light: LightBlocks;
  /** Whether the engine's RPC answers, as far as is known. */
  readonly answers: () => boolean;
  /** Hears of each block. */
  readonly onBlock: (block: CommittedBlock) => void;
  /** Hears before that of a block that was just committed. */
  readonly onLive: (block: Fetched) => void;
  /** What the engine says contradicts itself, or the disk failed. */
  readonly onFailed: (error: unknown) => void;
}

export class BlockFeed {
  readonly #options: BlockFeedOptions;
  /** Blocks up to here were told by an earlier process, or are part of a snapshot. */
  readonly #toldBefore: number;
  #fetching: { readonly height: number; readonly fetched: Promise<Fetched | undefined> } | undefined;
  #ready: Fetched | undefined;
  #catchingUp: Promise<void> | undefined;
  #stopped = false;

  constructor(options: BlockFeedOptions) {
    this.#options = options;
    this.#toldBefore = options.application.height;
  }

  /** Blocks from this height on are still needed once the one that is being committed is on disk. */
  get neededFrom(): number {
    return this.#ready?.height ?? this.#options.light.tip;
  }

  /** CometBFT has saved the block already: its light block is fetched while it is executed. */
  onDecided({ height, transactions }: AbciBlock): void {
    const { light, answers } = this.#options;
    this.#ready = undefined;
    this.#fetching = undefined;
    if (!answers() || height !== light.tip + 1) return;
    this.#fetching = { height, fetched: light.fetch(height, transactions).catch(() => undefined) };
  }

  /** What becomes durable with the block. */
  async rowsFor(height: number): Promise<readonly BatchOperation[]> {
    if (this.#fetching?.height !== height) return [];
    this.#ready = await this.#fetching.fetched;
    return this.#ready?.rows ?? [];
  }

  onCommitted({ height }: AbciBlock, finalized: Finalized): void {
    const ready = this.#ready;
    this.#ready = undefined;
    if (ready?.height === height) {
      this.#options.light.adopt(ready);
      this.#options.onLive(ready);
      this.#tell(ready, finalized);
    } else if (this.#options.answers()) void this.catchUp();
  }

  /** Fetches what is missing, in order, and tells of it. Resolves when nothing is missing, or nobody answers any more. */
  catchUp(): Promise<void> {
    this.#catchingUp ??= this.#fetchMissing()
      .catch(this.#options.onFailed)
      .finally(() => {
        this.#catchingUp = undefined;
      });
    return this.#catchingUp;
  }

  /** Resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#catchingUp;
  }

  async #fetchMissing(): Promise<void> {
    const { application, light } = this.#options;
    while (!this.#stopped && light.tip < application.height) {
      try {
        // CometBFT may have begun later, by a snapshot.
        const next = await light.next();
        if (next > application.height) return;
        await this.#fetch(next);
      } catch (error) {
        if (!(error instanceof Fault && error.code === "engine_unreachable")) throw error;
        // The engine ended: whoever starts it goes on here. Or it is busy.
        if (!this.#options.answers()) return;
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    }
  }

  async #fetch(height: number): Promise<void> {
    const { application, store, light } = this.#options;
    const transactions = await light.transactions(height);
    const fetched = await light.fetch(height, transactions);
    // It may have come with its block meanwhile.
    if (light.tip >= height) return;
    await store.write(fetched.rows);
    light.adopt(fetched);
    if (height <= this.#toldBefore) return;
    const outcome = recallOutcome({ results: (at) => application.results(at), log: application.log }, height, transactions);
    if (outcome !== undefined) this.#tell(fetched, outcome);
  }

  #tell({ height, time, lightBlock }: Fetched, finalized: CommittedBlock["finalized"]): void {
    this.#options.onBlock({ height, time, lightBlock, finalized });
  }
}
