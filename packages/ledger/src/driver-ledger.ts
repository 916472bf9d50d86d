/**
 * The ledger over any driver: the facade over an open folder, and what happens when its disk fails.
 * Source: design.md, "Ledger" (Drivers).
 */
import { type AuditEntry, chainIdOf, decodeAuditEntry, decodeTransaction, type Parameters } from "@xinglin/contracts";
import { type Bytes, Fault, invariant } from "@xinglin/primitives";
import { backupDatabase } from "./backup.ts";
import { systemClock } from "./block-time.ts";
import { idKeyOf } from "./candidate.ts";
import { type Core, type CoreOptions, openCore } from "./core.ts";
import { damageIn } from "./damage.ts";
import type { CommittedBlock, DriverFactory } from "./driver.ts";
import { type ProvenEntry, type ProvenValue, proveEntry, proveValue } from "./entry-proof.ts";
import type { BlockNotice, Ledger, LedgerOptions, SequencedEntry, Submission } from "./ledger.ts";
import { operationResult, type Receipt, type ReceiptStage, Waiters } from "./receipts.ts";

/** How often a ledger whose disk failed tries again. */
const REOPEN_MS = 1_000;
/** Entries that are kept decoded for receipts that are asked for right away. */
const MAX_RECENT = 2_000;

/** What `openDriverLedger` needs: what every ledger does, and what makes its driver. */
export interface DriverLedgerOptions extends Omit<LedgerOptions, "validator" | "gatherMs"> {
  /** The kind of driver; a data folder stays with its kind. */
  readonly kind: string;
  readonly driver: DriverFactory;
}

/**
 * Opens a data folder on a driver and goes on with its chain; the genesis is provable when this resolves. Rejects with `Fault`: `malformed`,
 * `genesis_invalid`, `ledger_locked`, `wrong_chain_folder`, `wrong_genesis_folder`, `wrong_format_folder`, `wrong_driver_folder`, `disk_full`,
 * `storage_failed`, `state_corrupt`, and what the driver rejects with.
 */
export async function openDriverLedger(options: DriverLedgerOptions): Promise<Ledger> {
  const ledger = new DriverLedger(options);
  await ledger.open();
  return ledger;
}

const unavailable = (retry: boolean): Fault => new Fault("ledger_unavailable", {}, { retry });

class DriverLedger implements Ledger {
  readonly chainId: string;
  readonly genesis: Bytes;
  readonly #options: CoreOptions;
  readonly #waiters = new Waiters(() => this.#stalled());
  readonly #listeners = new Set<(notice: BlockNotice) => void>();
  /** Decoded entries of the newest blocks, oldest first. */
  #recent: { readonly first: number; readonly entries: readonly AuditEntry[] }[] = [];
  #core: Core | undefined;
  /** Blocks that were made while the folder was being opened. */
  readonly #early: CommittedBlock[] = [];
  #unavailable: Fault | undefined;
  #closed = false;
  #reopening: Promise<void> | undefined;
  /** Accepted before the disk failed and not yet waiting again, by id. */
  readonly #orphans = new Map<string, Bytes>();

  constructor(options: DriverLedgerOptions) {
    this.chainId = chainIdOf(options.genesis);
    this.genesis = options.genesis.slice();
    this.#options = {
      ...options,
      clock: options.clock ?? systemClock,
      onDropped: (idKey, fault) => this.#waiters.onDropped(idKey, fault),
      onBlock: (block) => {
        if (this.#core === undefined) this.#early.push(block);
        else this.#onBlock(block);
      },
    };
  }

  async open(): Promise<void> {
    const core = await openCore(this.#options);
    this.#core = core;
    this.#unavailable = undefined;
    // Blocks that recovery made: who hears of one can read it now.
    for (const block of this.#early.splice(0)) this.#onBlock(block);
    core.driver.stopped().catch((error: unknown) => this.#onFailure(core, error));
  }

  height(): number {
    return this.#open.driver.height();
  }
  provableHeight(): number {
    return this.#open.driver.provableHeight();
  }
  parameters(): Parameters {
    return this.#open.application.parameters();
  }

  async submit(transaction: Bytes): Promise<Submission> {
    const core = this.#writable();
    const { application, driver } = core;
    // The caller may use its buffer again.
    const taken = await application.checkTx(transaction.slice()).catch((error: unknown) => {
      // The ledger was closed, or is being opened again, while the signature was checked.
      throw error instanceof Fault && error.code === "verify_pool_stopped" ? unavailable(!this.#closed) : error;
    });
    // It went into the mempool of a ledger that had failed meanwhile: nobody will look there again.
    if (this.#core !== core) throw unavailable(!this.#closed);
    driver.notify();
    return { id: taken.transaction.id };
  }

  async receipt(id: Bytes, waitUntil: ReceiptStage, signal?: AbortSignal): Promise<Receipt> {
    signal?.throwIfAborted();
    const { application } = this.#open;
    if (application.find(id) === undefined) {
      const idKey = idKeyOf(id);
      if (!application.isWaiting(idKey) && !this.#orphans.has(idKey)) throw new Fault("transaction_unknown");
      await this.#waiters.committed(id, signal);
      await this.#reopening;
    }
    const receipt = this.#receiptOf(id);
    if (waitUntil === "provable" && this.provableHeight() < receipt.height) await this.#waiters.provable(receipt.height, signal);
    return receipt;
  }

  get(key: string): Bytes | undefined {
    return this.#open.state.get(key);
  }
  prove(key: string, height?: number): ProvenValue {
    return proveValue(this.#open, key, height);
  }
  proveEntry(sequence: number): ProvenEntry {
    return proveEntry(this.#open, sequence);
  }

  *entries(from: number, limit: number): Iterable<SequencedEntry> {
    for (let sequence = from; sequence < from + limit; sequence++) {
      const entry = this.#open.application.log.entry(sequence);
      if (entry === undefined) return;
      yield { sequence, entry };
    }
  }
  entryCount(): number {
    return this.#open.application.log.length;
  }
  firstEntry(): number {
    return this.#open.application.firstEntry;
  }

  lightBlock(height: number): Bytes | undefined {
    return this.#open.driver.lightBlock(height);
  }
  newestLightBlock(): Bytes {
    const newest = this.lightBlock(this.height());
    invariant(newest !== undefined, "ledger: the newest block has no light block");
    return newest;
  }
  block(height: number): Bytes | undefined {
    return this.#open.driver.block(height);
  }

  subscribe(listener: (notice: BlockNotice) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async backup(directory: string): Promise<void> {
    const { database, identity } = this.#open;
    await backupDatabase(database, identity, directory);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (let last: unknown; last !== this.#reopening; ) {
      last = this.#reopening;
      await last;
    }
    const core = this.#core;
    this.#core = undefined;
    await core?.close();
    this.#waiters.close();
  }

  get #open(): Core {
    if (this.#core === undefined) throw this.#unavailable ?? unavailable(!this.#closed);
    return this.#core;
  }

  #writable(): Core {
    const core = this.#open;
    const fault = core.driver.fault();
    if (fault !== undefined) throw fault;
    return core;
  }

  /** That no blocks come; what the disk is the cause of passes, and nobody is sent away for it. */
  #stalled(): Fault | undefined {
    const fault = this.#core?.driver.fault();
    return fault?.code === "ledger_unavailable" ? fault : undefined;
  }

  #receiptOf(id: Bytes): Receipt {
    const { application } = this.#open;
    const found = application.find(id);
    if (found === undefined) throw new Fault("transaction_unknown");
    const { height, time, index, first, operations } = found;
    const results = Array.from({ length: operations }, (_, i) => {
      const sequence = first + i;
      return operationResult(this.#entry(sequence), sequence, application.log.place(sequence));
    });
    return { id, height, time, index, results };
  }

  #entry(sequence: number): AuditEntry {
    // Most are asked for when their block has just become final: the newest come first.
    const recent = this.#recent.findLast(({ first }) => first <= sequence);
    const known = recent?.entries[sequence - recent.first];
    if (known !== undefined) return known;
    const bytes = this.#open.application.log.entry(sequence);
    invariant(bytes !== undefined, "ledger: an audit entry is missing");
    return decodeAuditEntry(bytes);
  }

  #onBlock({ height, time, finalized }: CommittedBlock): void {
    const { entries, ids } = finalized;
    const [firstEntry] = entries;
    if (firstEntry !== undefined) {
      this.#recent.push({ first: firstEntry.sequence, entries: entries.map(({ entry }) => entry) });
      let kept = this.#recent.reduce((sum, block) => sum + block.entries.length, 0);
      while (kept > MAX_RECENT && this.#recent.length > 1) kept -= this.#recent.shift()?.entries.length ?? 0;
    }
    const provable = Math.max(0, height - 1);
    this.#waiters.onCommitted(ids, provable);
    if (this.#listeners.size === 0) return;
    const notice = { height, time, entries: entries.map(({ sequence, bytes }) => ({ sequence, entry: bytes })), provable };
    for (const listener of this.#listeners) listener(notice);
  }

  /** A disk that failed may recover; damage stays, and the ledger stopped; anything else is a bug. */
  #onFailure(core: Core, error: unknown): void {
    this.#core = undefined;
    const damage = damageIn(error);
    if (damage !== undefined) {
      this.#unavailable = damage;
      this.#waiters.close(damage);
      this.#reopening = core.close();
    } else if (error instanceof Fault) {
      this.#unavailable = error;
      for (const bytes of core.application.waitingTransactions()) this.#orphans.set(idKeyOf(decodeTransaction(bytes).id), bytes);
      const before = this.#reopening;
      this.#reopening = (async () => {
        await before;
        await core.close();
        await this.#reopen();
      })();
    } else
      queueMicrotask(() => {
        throw error;
      });
  }

  async #reopen(): Promise<void> {
    while (!this.#closed && this.#core === undefined) {
      try {
        await this.open();
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        this.#unavailable = error;
        await new Promise((resolve) => setTimeout(resolve, REOPEN_MS));
      }
    }
    await this.#resubmit();
  }

  /** Nothing that was accepted is lost by a failure, unless its validity is over or a block has it after all. */
  async #resubmit(): Promise<void> {
    for (const [idKey, bytes] of this.#orphans) {
      if (this.#core === undefined) return; // failed again: the next opening goes on
      const { id } = decodeTransaction(bytes);
      if (this.#core.application.find(id) !== undefined) this.#waiters.onCommitted([id], 0);
      else {
        const fault = await this.submit(bytes).then(
          () => undefined,
          (error: Fault) => error,
        );
        if (fault?.retry === true) return;
        if (fault !== undefined && fault.code !== "already_known") this.#waiters.onDropped(idKey, fault);
      }
      this.#orphans.delete(idKey);
    }
  }
}
