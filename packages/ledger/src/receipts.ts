/**
 * What came of a transaction, told once it is committed or provable, as long as the replay window remembers it.
 * Source: requirement C10; design.md, "Execution", "Proofs".
 */
import type { AuditEntry } from "@xinglin/contracts";
import { type Bytes, Fault } from "@xinglin/primitives";
import type { LogPlace } from "./audit-log.ts";
import type { Time } from "./block-time.ts";
import { idKeyOf } from "./candidate.ts";

/** How far a transaction must be before its receipt is given. */
export type ReceiptStage = "committed" | "provable";

/** The outcome of one operation and where the audit log has it. */
export interface OperationResult extends Pick<AuditEntry, "outcome" | "code" | "facts" | "reason" | "subject"> {
  readonly operation: string;
  /** Place over all epochs: what `proveEntry` takes. */
  readonly sequence: number;
  readonly epoch: number;
  /** Index within the epoch's tree. */
  readonly logIndex: number;
}

/** What came of a transaction; `index` is its place in the block. */
export interface Receipt {
  readonly id: Bytes;
  readonly height: number;
  readonly time: Time;
  readonly index: number;
  readonly results: readonly OperationResult[];
}

export function operationResult(entry: AuditEntry, sequence: number, { epoch, index }: LogPlace): OperationResult {
  const { operation, outcome, code, facts, reason, subject } = entry;
  return {
    operation,
    outcome,
    ...(code === undefined ? {} : { code }),
    ...(facts === undefined ? {} : { facts }),
    ...(reason === undefined ? {} : { reason }),
    subject,
    sequence,
    epoch,
    logIndex: index,
  };
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (fault: unknown) => void;
}

/** How often who waits is looked after while there are no blocks. */
const LOOK_MS = 500;

/** Those who wait for a transaction to be committed, or for a height to be provable. */
export class Waiters {
  /** Why nobody can be told anything just now, if so. */
  readonly #unavailable: () => Fault | undefined;
  #watch: NodeJS.Timeout | undefined;
  readonly #byId = new Map<string, Waiter[]>();
  #byHeight: (Waiter & { readonly height: number })[] = [];

  constructor(unavailable: () => Fault | undefined = () => undefined) {
    this.#unavailable = unavailable;
  }

  /** Resolves when the transaction is committed; rejects when it is dropped, `signal` aborts, or the ledger is unavailable. */
  committed(id: Bytes, signal?: AbortSignal): Promise<void> {
    const idKey = idKeyOf(id);
    return this.#waiting(signal, (waiter) => {
      const waiters = this.#byId.get(idKey);
      if (waiters === undefined) this.#byId.set(idKey, [waiter]);
      else waiters.push(waiter);
      return () => {
        const left = this.#byId.get(idKey)?.filter((other) => other !== waiter) ?? [];
        if (left.length === 0) this.#byId.delete(idKey);
        else this.#byId.set(idKey, left);
      };
    });
  }

  /** Resolves when `height` is provable; rejects when `signal` aborts, or the ledger is unavailable. */
  provable(height: number, signal?: AbortSignal): Promise<void> {
    return this.#waiting(signal, ({ resolve, reject }) => {
      const waiter = { resolve, reject, height };
      this.#byHeight.push(waiter);
      return () => {
        this.#byHeight = this.#byHeight.filter((other) => other !== waiter);
      };
    });
  }

  onCommitted(ids: readonly Bytes[], provableHeight: number): void {
    if (this.#byId.size > 0) {
      for (const id of ids) {
        const idKey = idKeyOf(id);
        for (const { resolve } of this.#byId.get(idKey) ?? []) resolve();
        this.#byId.delete(idKey);
      }
    }
    if (this.#byHeight.length === 0) return;
    const ready = this.#byHeight.filter(({ height }) => height <= provableHeight);
    this.#byHeight = this.#byHeight.filter(({ height }) => height > provableHeight);
    for (const { resolve } of ready) resolve();
  }

  onDropped(idKey: string, fault: Fault): void {
    for (const { reject } of this.#byId.get(idKey) ?? []) reject(fault);
    this.#byId.delete(idKey);
  }

  /** Nobody will be told any more: who waits hears why. */
  close(fault = new Fault("ledger_unavailable", {}, { retry: true })): void {
    for (const idKey of [...this.#byId.keys()]) this.onDropped(idKey, fault);
    for (const { reject } of this.#byHeight) reject(fault);
    this.#byHeight = [];
  }

  #waiting(signal: AbortSignal | undefined, add: (waiter: Waiter) => () => void): Promise<void> {
    const promise = waiting(signal, add);
    this.#watch ??= setInterval(() => this.#look(), LOOK_MS).unref();
    return promise;
  }

  #look(): void {
    const fault = this.#unavailable();
    if (fault !== undefined) this.close(fault);
    if (this.#byId.size > 0 || this.#byHeight.length > 0) return;
    clearInterval(this.#watch);
    this.#watch = undefined;
  }
}

/** A promise that `add` settles, taken back when `signal` aborts. */
function waiting(signal: AbortSignal | undefined, add: (waiter: Waiter) => () => void): Promise<void> {
  signal?.throwIfAborted();
  return new Promise<void>((resolve, reject) => {
    const settle = (how: () => void) => () => {
      signal?.removeEventListener("abort", abort);
      how();
    };
    const takeBack = add({ resolve: settle(resolve), reject: (fault) => settle(() => reject(fault))() });
    const abort = (): void => {
      takeBack();
      reject(signal?.reason);
    };
    signal?.addEventListener("abort", abort, { once: true });
  });
}
