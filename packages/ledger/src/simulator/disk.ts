/**
 * A disk that can be torn: a database in memory that behaves as LevelDB does when the power goes. A batch is written whole or not at all. A
 * synced batch that was acknowledged stays, and with it everything written before; of what was not synced the newest part is lost; of a
 * batch that was under way nobody knows. Source: LevelDB, `doc/log_format.md` and `doc/index.md` (synchronous writes); design.md, "Ledger".
 */
import { Bug, type Bytes, invariant } from "@xinglin/primitives";
import type { BatchOperation } from "@xinglin/state";
import { MemoryLevel } from "memory-level";
import type { Database } from "../database.ts";
import type { Random } from "./random.ts";

/** The power went while a batch was being written. */
export class PowerCut extends Error {}

/** How an injected mistake makes this disk worse than a disk may be: see `mutations.ts`. */
export type DiskMistake = "forgets_synced_batch" | "tears_batch";

/** What may happen to the next write. */
export type WriteFault = "power_cut_before" | "power_cut_after" | "write_fails";

const nameOf = (key: Bytes): string => Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString("latin1");

export class SimulatedDisk {
  readonly #random: Random;
  readonly #mistake: DiskMistake | undefined;
  /** What a crash leaves. */
  readonly #durable = new Map<string, Bytes>();
  /** Batches that were written and not yet synced, oldest first. */
  #unsynced: (readonly BatchOperation[])[] = [];
  #open: LossyLevel | undefined;
  #nextFault: WriteFault | undefined;
  /** Batches that were synced, and those that a crash took. */
  readonly counts = { synced: 0, lost: 0 };

  constructor(random: Random, mistake?: DiskMistake) {
    this.#random = random;
    this.#mistake = mistake;
  }

  /** Opens the database with what is on the disk; the one that was open before is dead. */
  async open(): Promise<Database> {
    this.#open?.kill();
    const level = new LossyLevel((operations, isSynced) => this.#write(operations, isSynced));
    this.#open = level;
    await level.open();
    await level.fill(this.#durable);
    // The engine's class adds only maintenance that nothing here asks for.
    return level as unknown as Database;
  }

  /** What happens to the next batch. */
  failNextWrite(fault: WriteFault): void {
    this.#nextFault = fault;
  }

  /** The power goes: what was not synced is lost from some point on. */
  cutPower(): void {
    this.#open?.kill();
    this.#open = undefined;
    this.#nextFault = undefined;
    const kept = this.#random.below(this.#unsynced.length + 1);
    this.counts.lost += this.#unsynced.length - kept;
    for (const batch of this.#unsynced.slice(0, kept)) this.#settle(batch);
    this.#unsynced = [];
  }

  #write(operations: readonly BatchOperation[], isSynced: boolean): void {
    const fault = this.#nextFault;
    this.#nextFault = undefined;
    if (fault === "write_fails") throw new Error("No space left on device");
    if (fault === "power_cut_before") throw new PowerCut();
    this.#unsynced.push(operations);
    if (isSynced) {
      this.counts.synced++;
      if (this.#mistake === "forgets_synced_batch" && fault === undefined && this.#random.chance(100)) return;
      if (this.#mistake === "tears_batch" && fault === "power_cut_after") {
        this.#unsynced.pop();
        this.#unsynced.push(operations.filter(() => this.#random.chance(500)));
      }
      for (const batch of this.#unsynced) this.#settle(batch);
      this.#unsynced = [];
    }
    if (fault === "power_cut_after") throw new PowerCut();
  }

  #settle(batch: readonly BatchOperation[]): void {
    for (const operation of batch) {
      if (operation.type === "put") this.#durable.set(nameOf(operation.key), operation.value);
      else this.#durable.delete(nameOf(operation.key));
    }
  }
}

/** Options as the engine has them. */
const OPTIONS = { keyEncoding: "view", valueEncoding: "view", storeEncoding: "view" } as const;

type Write = (operations: readonly BatchOperation[], isSynced: boolean) => void;

/** LevelDB's interface over memory. Values are copied on their way in and out, as the engine does. */
class LossyLevel extends MemoryLevel<Uint8Array, Uint8Array> {
  readonly #write: Write;
  #isDead = false;
  readonly location = ".";

  constructor(write: Write) {
    super(OPTIONS as never);
    this.#write = write;
  }

  kill(): void {
    this.#isDead = true;
  }

  /** Puts rows in without writing them to the disk they come from. */
  async fill(rows: ReadonlyMap<string, Bytes>): Promise<void> {
    const operations = [...rows].map(
      ([name, value]) => ({ type: "put", key: Buffer.from(name, "latin1"), value: value.slice() }) as const,
    );
    if (operations.length > 0) await this.#apply(operations);
  }

  override getSync(key: Uint8Array): Uint8Array | undefined {
    invariant(!this.#isDead, "disk: a process that ended reads");
    return super.getSync(key)?.slice();
  }

  override batch(operations?: unknown, options?: unknown): never {
    if (operations === undefined) throw new Bug("disk: chained batches are not simulated");
    return this.#batch(operations as readonly BatchOperation[], options as { sync?: boolean } | undefined) as never;
  }

  async #batch(operations: readonly BatchOperation[], options: { sync?: boolean } = {}): Promise<void> {
    invariant(!this.#isDead, "disk: a process that ended writes");
    const own = operations.map((operation) =>
      operation.type === "put"
        ? { type: operation.type, key: operation.key.slice(), value: operation.value.slice() }
        : { type: operation.type, key: operation.key.slice() },
    );
    this.#write(own, options.sync === true);
    await this.#apply(own);
  }

  #apply(operations: readonly BatchOperation[]): Promise<void> {
    return super.batch(operations as never, OPTIONS);
  }
}
