/**
 * The ledger as the API, the command line and a consortium use it: submit a transaction, learn what came of it, read and prove the state.
 * Source: design.md, "Ledger"; requirements A1, A2, C10.
 */
import { type AuditEntry, chainIdOf, decodeAuditEntry, decodeTransaction, type Parameters } from "@xinglin/contracts";
import { type Bytes, Fault, invariant } from "@xinglin/primitives";
import { backupDatabase } from "./backup.ts";
import { type Clock, systemClock, type Time } from "./block-time.ts";
import { idKeyOf } from "./candidate.ts";
import { type Core, type CoreOptions, openCore } from "./core.ts";
import type { CommittedBlock, ValidatorKey } from "./driver.ts";
import { type ProvenEntry, type ProvenValue, proveEntry, proveValue } from "./entry-proof.ts";
import type { MempoolLimits } from "./mempool.ts";
import { operationResult, type Receipt, type ReceiptStage, Waiters } from "./receipts.ts";

/** What `openLedger` needs. */
export interface LedgerOptions {
  /** The data folder; made if it is not there. Of one process at a time. */
  readonly directory: string;
  /** Canonical bytes of the genesis document. */
  readonly genesis: Bytes;
  /** The key of the genesis' only validator. */
  readonly validator: ValidatorKey;
  /** Where block times come from; by default the clock of this machine. */
  readonly clock?: Clock;
  /** Threads that verify signatures; by default one fewer than there are cores, at least one. */
  readonly verifyWorkers?: number;
  /** Bounds of what may wait for a block. */
  readonly mempool?: MempoolLimits;
  /** How long the first transaction of a block waits for company. */
  readonly gatherMs?: number;
  /** Heights below the newest that can still be proved. */
  readonly keepVersions?: number;
  /** Free bytes of the data folder's disk, for tests. */
  readonly freeBytes?: (directory: string) => number;
}

/** A transaction that waits for its block. */
export interface Submission {
  /** SHA-256 of the signed body. */
  readonly id: Bytes;
}

/** An entry of the audit log by its place over all epochs. */
export interface SequencedEntry {
  readonly sequence: number;
  readonly entry: Bytes;
}

/** What a subscriber hears of each block: it is final, and the state up to `provable` can be proved. */
export interface BlockNotice {
  readonly height: number;
  readonly time: Time;
  readonly entries: readonly SequencedEntry[];
  readonly provable: number;
}

export interface Ledger {
  readonly chainId: string;
  readonly genesis: Bytes;
  /** Height of the newest final block. */
  height(): number;
  /** Newest height whose state can be proved. */
  provableHeight(): number;
  /** What governance may change, as of the newest block. */
  parameters(): Parameters;
  /**
   * Takes a transaction. Rejects with a `Fault` that says why it is turned away: `malformed`, an admission code of the rules, `already_known`,
   * `signature_wrong`, `over_quota`, or with retry `mempool_full`, `mempool_quota`, `disk_full`, `ledger_unavailable`.
   */
  submit(transaction: Bytes): Promise<Submission>;
  /**
   * What came of a transaction, once it is committed or provable. Known for as long as the transaction could be valid (`maxValiditySeconds`), over
   * restarts too; older ones stand in the audit log. Rejects with `transaction_unknown`, `expired`, an admission code if it was dropped, `ledger_unavailable`,
   * or the reason of `signal`.
   */
  receipt(id: Bytes, waitUntil: ReceiptStage, signal?: AbortSignal): Promise<Receipt>;
  /** Newest committed value of a state key. */
  get(key: string): Bytes | undefined;
  /** Proves a state key's value or absence, by default at the newest provable height. Throws `not_provable_yet`, `state_pruned`. */
  prove(key: string, height?: number): ProvenValue;
  /** Proves an audit entry. Throws `unknown_entry`, `not_provable_yet`. */
  proveEntry(sequence: number): ProvenEntry;
  /** At most `limit` audit entries from sequence `from` on. */
  entries(from: number, limit: number): Iterable<SequencedEntry>;
  /** Audit entries so far. */
  entryCount(): number;
  /** Protobuf bytes of a light block, undefined if there is none at this height. */
  lightBlock(height: number): Bytes | undefined;
  newestLightBlock(): Bytes;
  /** Protobuf bytes of a block. */
  block(height: number): Bytes | undefined;
  /** Calls `listener` for every block from now on, in order. Returns how to stop. */
  subscribe(listener: (notice: BlockNotice) => void): () => void;
  /** Copies the ledger as it is now into an empty folder, while it goes on. Rejects with `backup_target_not_empty`, `disk_full`. */
  backup(directory: string): Promise<void>;
  /** Finishes the block under way and closes the folder. What waits in the mempool is forgotten. */
  close(): Promise<void>;
}

/** How often a ledger whose disk failed tries again. */
const REOPEN_MS = 1_000;
/** Entries that are kept decoded for receipts that are asked for right away. */
const MAX_RECENT = 10_000;

/**
 * Opens a data folder as a solo ledger and starts making blocks; the genesis is provable when this resolves. Rejects with `Fault`: `malformed`,
 * `genesis_invalid`, `not_the_validator`, `ledger_locked`, `wrong_chain_folder`, `wrong_genesis_folder`, `wrong_format_folder`, `disk_full`,
 * `storage_failed`, `state_corrupt`.
 */
export async function openLedger(options: LedgerOptions): Promise<Ledger> {
  const ledger = new SoloLedger(options);
  await ledger.open();
  return ledger;
}

const unavailable = (retry: boolean): Fault => new Fault("ledger_unavailable", {}, { retry });

class SoloLedger implements Ledger {
  readonly chainId: string;
  readonly genesis: Bytes;
  readonly #options: CoreOptions;
  readonly #waiters = new Waiters();
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

  constructor(options: LedgerOptions) {
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
    for (const { first, entries } of this.#recent) {
      const entry = entries[sequence - first];
      if (entry !== undefined) return entry;
    }
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

  /** A disk that failed may recover; anything else is a bug, and stopping is better than going on. */
  #onFailure(core: Core, error: unknown): void {
    this.#core = undefined;
    if (!(error instanceof Fault))
      queueMicrotask(() => {
        throw error;
      });
    else {
      this.#unavailable = error;
      for (const bytes of core.application.waitingTransactions()) this.#orphans.set(idKeyOf(decodeTransaction(bytes).id), bytes);
      const before = this.#reopening;
      this.#reopening = (async () => {
        await before;
        await core.close();
        await this.#reopen();
      })();
    }
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
