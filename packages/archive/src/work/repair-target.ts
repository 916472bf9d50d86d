/** One store of a repair: where the lost pieces of a slot are written to. A store that fails is left, and the others go on. */
import { Fault } from "@xinglin/primitives";
import type { DocumentName, StagedPack, StoredPack } from "../store/store.ts";
import type { SlotInspection } from "./inspect-object.ts";

/** What a repair did to one store. */
export interface StoreRepair {
  readonly store: string;
  readonly pieces: number;
  /** Whether its whole pack was gone and written anew. */
  readonly wholePack: boolean;
  readonly documents: readonly DocumentName[];
}

/** A store that a repair left as it was, or half mended, and the code that says why: `disk_full`, `store_absent`. */
export interface StoreLeft {
  readonly store: string;
  readonly code: string;
}

/** Into a pack that is there, or, without one, a new one that `open` begins. */
export class RepairTarget {
  readonly inspection: SlotInspection;
  readonly store: string;
  readonly #pack: StoredPack | undefined;
  #stage: StagedPack | undefined;
  #code: string | undefined;
  #pieces = 0;
  readonly #documents: DocumentName[] = [];
  #isDone = false;

  constructor(inspection: SlotInspection, store: string, pack: StoredPack | undefined) {
    this.inspection = inspection;
    this.store = store;
    this.#pack = pack;
  }

  /** Whether there is something to write to. */
  get isOpen(): boolean {
    return this.#code === undefined;
  }

  /** Begins the new pack, if there is none. */
  open(begin: () => Promise<StagedPack>): Promise<void> {
    return this.#try(async () => {
      if (this.#pack === undefined) this.#stage = await begin();
    });
  }

  writePiece(position: number, piece: Uint8Array): Promise<void> {
    return this.#try(async () => {
      await (this.#stage === undefined ? this.#pack?.rewrite(position, piece) : this.#stage.write(position, piece));
      this.#pieces++;
    });
  }

  /** Writes a document if it was not right, once. */
  writeDocument(name: DocumentName, bytes: Uint8Array): Promise<void> {
    return this.#try(async () => {
      if (this.inspection[name] === "held" || this.#documents.includes(name)) return;
      await (this.#stage === undefined ? this.#pack?.rewriteDocument(name, bytes) : this.#stage.writeDocument(name, bytes));
      this.#documents.push(name);
    });
  }

  /** Waits for the disk, and publishes a new pack. */
  finish(packBytes: number): Promise<void> {
    return this.#try(async () => {
      await (this.#stage === undefined ? this.#pack?.settle(packBytes) : this.#stage.settle());
      await this.#stage?.publish();
      this.#isDone = true;
    });
  }

  /** Takes back what nobody should see: a new pack that is not whole. */
  async discard(): Promise<void> {
    const stage = this.#stage;
    this.#stage = undefined;
    await stage?.discard().catch(() => {}); // the store collects it later
  }

  /** What was done, if anything was and all of it is on the disk. */
  get done(): StoreRepair | undefined {
    const isNothing = this.#pieces === 0 && this.#documents.length === 0;
    if (!this.#isDone || isNothing) return undefined;
    return { store: this.store, pieces: this.#pieces, wholePack: this.#pack === undefined, documents: this.#documents };
  }

  /** That the store was left, and why. */
  get left(): StoreLeft | undefined {
    return this.#code === undefined ? undefined : { store: this.store, code: this.#code };
  }

  async #try(work: () => Promise<void>): Promise<void> {
    if (this.#code !== undefined) return;
    try {
      await work();
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      this.#code = error.code;
      await this.discard();
    }
  }
}
