/**
 * The ledger's audit log as the read model's source, and the loop that keeps the read model up with it.
 * Source: design.md, "Read model".
 */
import type { AuditEntry, Operation } from "@xinglin/contracts";
import { nodeSha256 } from "@xinglin/crypto/node";
import type { FeedItem, ReadModel, Source } from "@xinglin/index";
import { decodeBlock, type Ledger } from "@xinglin/ledger";
import { type Bytes, cbor, Fault, invariant, toHex } from "@xinglin/primitives";

/** Entries that are put together without letting other work in between. */
const STRETCH_ENTRIES = 100;

/**
 * Reads entries with their operations from `ledger`. The bytes are the ledger's own, checked when their block was made, so they are not
 * checked again here.
 */
export function ledgerSource(ledger: Ledger): Source {
  return {
    chain: ledger.chainId,
    size: async () => ledger.entryCount(),
    first: async () => ledger.firstEntry(),
    async read(from, limit) {
      const items: FeedItem[] = [];
      let block: BlockOperations | undefined;
      for (const { sequence, entry: entryBytes } of ledger.entries(from, limit)) {
        const entry = cbor.decodeTrusted(entryBytes) as AuditEntry;
        if (block?.height !== entry.height) block = new BlockOperations(ledger, entry.height);
        items.push({ sequence, entryBytes, operation: block.operation(entry) });
        if (items.length % STRETCH_ENTRIES === 0) await nextTurn();
      }
      return items;
    },
  };
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The operations of one block, by the id of their transaction. */
class BlockOperations {
  readonly height: number;
  readonly #bodies = new Map<string, Bytes>();
  #last: { id: string; operations: readonly Operation[] } | undefined;

  constructor(ledger: Ledger, height: number) {
    this.height = height;
    const block = ledger.block(height);
    invariant(block !== undefined, "projection: the block of an entry is missing");
    for (const bytes of decodeBlock(block).txs) {
      const { body } = cbor.decodeTrusted(bytes) as { body: Bytes };
      this.#bodies.set(toHex(nodeSha256(body)), body);
    }
  }

  operation(entry: AuditEntry): Operation {
    const id = toHex(entry.transaction);
    if (this.#last?.id !== id) {
      const body = this.#bodies.get(id);
      invariant(body !== undefined, "projection: the transaction of an entry is missing");
      this.#last = { id, operations: (cbor.decodeTrusted(body) as { operations: Operation[] }).operations };
    }
    const operation = this.#last.operations[entry.index];
    invariant(operation !== undefined, "projection: the operation of an entry is missing");
    return operation;
  }
}

const RETRY_MS = 1_000;

/** Keeps a read model up with its ledger from construction until `stop`. */
export class Projection {
  readonly #ledger: Ledger;
  readonly #index: ReadModel;
  readonly #onFault: (code: string) => void;
  readonly #listeners = new Set<() => void>();
  readonly #unsubscribe: () => void;
  #running: Promise<void> | undefined;
  #stopped = false;
  #retry: NodeJS.Timeout | undefined;

  /** `onFault` is told the code of what kept the projection from going on; it tries again by itself. */
  constructor(ledger: Ledger, index: ReadModel, onFault: (code: string) => void) {
    this.#ledger = ledger;
    this.#index = index;
    this.#onFault = onFault;
    this.#unsubscribe = ledger.subscribe(() => this.#wake());
    this.#wake();
  }

  /** Calls `listener` after each step forward, and after each block. Returns how to stop. */
  onProgress(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves when every entry that is committed now is projected. Rejects with `Fault("index_behind")` after `timeoutMs`. */
  async caughtUp(timeoutMs: number): Promise<void> {
    const wanted = this.#ledger.entryCount();
    if (this.#index.sequence >= wanted) return;
    await new Promise<void>((resolve, reject) => {
      const finish = (settle: () => void): void => {
        clearTimeout(timer);
        stop();
        settle();
      };
      const stop = this.onProgress(() => {
        if (this.#index.sequence >= wanted) finish(resolve);
      });
      const timer = setTimeout(() => finish(() => reject(new Fault("index_behind", {}, { retry: true }))), timeoutMs);
      this.#wake();
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#retry);
    this.#unsubscribe();
    await this.#running;
  }

  #wake(): void {
    if (this.#stopped || this.#running !== undefined) return;
    const size = this.#size();
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
      this.#tell();
      // What was committed while this pass was ending.
      if (this.#retry === undefined && this.#size() > size) this.#wake();
    });
  }

  async #run(): Promise<void> {
    try {
      await this.#index.catchUp();
    } catch (error) {
      if (this.#stopped) return;
      this.#onFault(error instanceof Fault ? error.code : "internal");
      this.#retry = setTimeout(() => {
        this.#retry = undefined;
        this.#wake();
      }, RETRY_MS);
    }
  }

  #size(): number {
    try {
      return this.#stopped ? 0 : this.#ledger.entryCount();
    } catch {
      return 0; // the ledger is closed, or away for a while: its next block wakes this again
    }
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
