/**
 * Verifies signatures in batches off the main thread, so that a node keeps answering while a block's worth of them is checked.
 * Source: design.md, "Suites" (verified off the main thread and once a node).
 */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { Fault } from "@xinglin/primitives";
import type { WebauthnPolicy } from "../webauthn.ts";
import { packJobs, type VerifyJob } from "./verify-jobs.ts";

// Below this a batch is not worth cutting: crossing to a thread costs about as much as a signature.
const MIN_JOBS_A_PART = 32;

interface Part {
  readonly resolve: (answers: Uint8Array) => void;
  readonly reject: (error: Error) => void;
}
interface Thread {
  readonly worker: Worker;
  readonly parts: Map<number, Part>;
}

/** Threads that verify. They keep the process alive only while there is work; `close` ends them. */
export class VerifyPool {
  readonly #policy: WebauthnPolicy | undefined;
  readonly #threads: (Thread | undefined)[];
  #nextPart = 0;
  #closed = false;

  /** `workers` threads, by default one fewer than there are cores and at least one. `policy` is the passkeys' policy of the chain. */
  constructor(options: { readonly workers?: number; readonly policy?: WebauthnPolicy } = {}) {
    this.#policy = options.policy;
    this.#threads = new Array<Thread | undefined>(options.workers ?? Math.max(1, availableParallelism() - 1)).fill(undefined);
  }

  /**
   * Whether each signature is right, in the order of the jobs. A large batch is shared among the threads. Rejects with
   * `Fault("verify_pool_stopped")` if the pool was closed or a thread died; a later call starts a new thread.
   */
  async verify(jobs: readonly VerifyJob[]): Promise<boolean[]> {
    if (jobs.length === 0) return [];
    const size = Math.max(MIN_JOBS_A_PART, Math.ceil(jobs.length / this.#threads.length));
    const parts: Promise<Uint8Array>[] = [];
    for (let at = 0; at < jobs.length; at += size) parts.push(this.#send(jobs.slice(at, at + size)));
    return (await Promise.all(parts)).flatMap((answers) => Array.from(answers, (answer) => answer === 1));
  }

  /** Starts all threads, which takes each a good part of a second: nobody's signature has to wait for it. Rejects as `verify`. */
  async start(): Promise<void> {
    await Promise.all(Array.from(this.#threads, (_, slot) => this.#send([], slot)));
  }

  /** Ends all threads; work under way is rejected. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#threads.map((thread) => thread?.worker.terminate()));
  }

  #send(jobs: readonly VerifyJob[], slot = this.#leastBusy()): Promise<Uint8Array> {
    if (this.#closed) return Promise.reject(new Fault("verify_pool_stopped", {}, { retry: false }));
    this.#threads[slot] ??= this.#start(slot);
    const thread = this.#threads[slot] as Thread;
    const batch = this.#nextPart++;
    const packed = packJobs(jobs);
    return new Promise((resolve, reject) => {
      thread.parts.set(batch, { resolve, reject });
      thread.worker.ref();
      thread.worker.postMessage({ batch, packed, count: jobs.length }, [packed.buffer]);
    });
  }

  #leastBusy(): number {
    let best = 0;
    for (let i = 1; i < this.#threads.length; i++)
      if ((this.#threads[i]?.parts.size ?? 0) < (this.#threads[best]?.parts.size ?? 0)) best = i;
    return best;
  }

  #start(slot: number): Thread {
    const worker = new Worker(new URL("./verify-worker.ts", import.meta.url), { workerData: { policy: this.#policy } });
    const parts = new Map<number, Part>();
    worker.on("message", ({ batch, answers }: { batch: number; answers: Uint8Array }) => {
      parts.get(batch)?.resolve(answers);
      parts.delete(batch);
      if (parts.size === 0) worker.unref();
    });
    let cause: unknown;
    worker.on("error", (error) => {
      cause = error;
    });
    worker.on("exit", () => {
      this.#threads[slot] = undefined;
      for (const part of parts.values()) part.reject(new Fault("verify_pool_stopped", {}, { cause, retry: !this.#closed }));
    });
    worker.unref();
    return { worker, parts };
  }
}
