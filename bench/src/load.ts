/**
 * The load of the ledger's suites as the measuring side sees it, and the yardstick beside their figures. The thread itself is `ledger-load.ts`.
 */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { decodeTransaction } from "@xinglin/contracts";
import { verifySync } from "@xinglin/crypto/node";
import { invariant } from "@xinglin/primitives";
import { HOSPITALS, type Kind, keyOf } from "./ledger-chain.ts";
import type { LoadAnswer, LoadRequest } from "./ledger-load.ts";

/** Milliseconds on the clock that all threads and processes of this machine share. */
export const onCommonClock = (): number => performance.timeOrigin + performance.now();

type Pace = Extract<LoadRequest, { pace: unknown }>["pace"];

/** What makes load: a thread that signs transactions, and says when each is due. */
export class Load {
  readonly #worker: Worker;
  /** Records are of so many patients. */
  patients: number;
  readonly #next = new Map<Kind, number>();
  readonly #first: number;
  /** CPU seconds of the load's thread so far. */
  cpuSeconds = 0;

  /** Records are of the first `patients`; numbers begin at `first`, so that loads of several nodes do not meet. */
  constructor(chain: string, patients: number, first = 0) {
    this.patients = patients;
    this.#first = first;
    this.#worker = new Worker(new URL("./ledger-load.ts", import.meta.url), { workerData: { chain } });
  }

  /** So many transactions that were not made before, of so many operations where they hold records. */
  async make(kind: Kind, count: number, operations = 1): Promise<Uint8Array[]> {
    // In operations: envelopes of other sizes go on after the last record.
    const from = Math.ceil(this.made(kind) / operations);
    this.#next.set(kind, (from + count) * operations);
    this.#worker.postMessage({ make: kind, from, count, patients: this.patients, operations } satisfies LoadRequest);
    const answer = await this.#answer();
    invariant("packed" in answer, "load: an answer to another question");
    this.cpuSeconds = answer.cpuSeconds;
    return Array.from(answer.ends, (end, i) => answer.packed.subarray(answer.ends[i - 1] ?? 0, end));
  }

  /** How many of this kind were made so far; of records, the operations. */
  made(kind: Kind): number {
    return this.#next.get(kind) ?? this.#first;
  }

  /** Calls `send` for each of `count` transactions once it is due, with the time at which it was. Resolves when all are sent. */
  async pace({ perSecond, count, ...when }: Pace, send: (index: number, dueAt: number) => void): Promise<void> {
    let sent = 0;
    this.#worker.postMessage({ pace: { perSecond, count, ...when } } satisfies LoadRequest);
    await new Promise<void>((resolve) => {
      const onDue = (answer: LoadAnswer): void => {
        invariant("due" in answer, "load: an answer to another question");
        this.cpuSeconds = answer.cpuSeconds;
        for (; sent < answer.due; sent++) send(sent, answer.start + (sent * 1_000) / perSecond);
        if (sent < count) return;
        this.#worker.off("message", onDue);
        resolve();
      };
      this.#worker.on("message", onDue);
    });
  }

  close(): Promise<number> {
    return this.#worker.terminate();
  }

  async #answer(): Promise<LoadAnswer> {
    const [answer] = (await once(this.#worker, "message")) as [LoadAnswer];
    return answer;
  }
}

/** Verifications a second of one core over these transactions, by the implementation that decides block validity. */
export function verifyRate(transactions: readonly Uint8Array[]): number {
  const jobs = transactions.map((transaction, i) => ({
    ...decodeTransaction(transaction),
    key: keyOf(HOSPITALS[i % HOSPITALS.length]!).publicKey,
  }));
  const start = performance.now();
  for (const { key, bodyBytes, signature } of jobs)
    invariant(verifySync("ed25519", key, bodyBytes, signature), "a signature of the load is wrong");
  return (1_000 * jobs.length) / (performance.now() - start);
}
