/**
 * Signatures are verified once a node, in batches, off the main thread. What was found right is remembered under the hash of the whole
 * transaction and the keys it was checked with, so that a block costs no second verification; a key that changed meanwhile is another
 * question and is asked anew. Source: design.md, "Suites".
 */

import type { WebauthnPolicy } from "@xinglin/crypto";
import { type VerifyJob, VerifyPool, verifySync } from "@xinglin/crypto/node";
import { type Bytes, Recent } from "@xinglin/primitives";
import { idKeyOf } from "./candidate.ts";

/** Remembered signatures: about 20 MB at this number. */
const MAX_REMEMBERED = 100_000;
/** A batch under way and one that is packed behind it: the worker never waits. */
const BATCHES_UNDER_WAY = 2;
/** Transactions of a batch, so that what is more urgent does not wait long behind what was sent before: 17 ms of Ed25519, more of others. */
const MOST_A_BATCH = 256;

/** Who asks, the most urgent first: a block that is being decided on, a caller of this node, a peer that hands on. */
const ASKERS = ["block", "own", "peer"] as const;
export type Asker = (typeof ASKERS)[number];

interface Asked {
  readonly name: string;
  readonly jobs: readonly VerifyJob[];
  readonly resolve: (right: boolean) => void;
  readonly reject: (error: unknown) => void;
}

/** All signatures of one transaction: they are right together or not at all. */
export interface SignedTransaction {
  /** SHA-256 of the whole transaction. */
  readonly hash: Bytes;
  readonly jobs: readonly VerifyJob[];
}

export class SignatureChecks {
  /** Undefined where signatures are verified on this thread. */
  readonly #pool: VerifyPool | undefined;
  readonly #policy: WebauthnPolicy;
  /** Found right lately. */
  readonly #right = new Recent<string, true>(MAX_REMEMBERED);
  readonly #asked: { readonly [A in Asker]: Asked[] } = { block: [], own: [], peer: [] };
  #underWay = 0;
  #scheduled = false;

  /** With so many threads; with 0 on this one, at once. */
  constructor(policy: WebauthnPolicy, workers?: number) {
    this.#policy = policy;
    if (workers !== 0) this.#pool = new VerifyPool({ policy, ...(workers === undefined ? {} : { workers }) });
  }

  /** Whether the signatures are right; rejects with `Fault("verify_pool_stopped")` when the ledger closes. The more urgent are checked first. */
  check(signed: SignedTransaction, asker: Asker = "block"): Promise<boolean> {
    const pool = this.#pool;
    if (pool === undefined) return Promise.resolve(this.checkNow(signed));
    const name = nameOf(signed);
    if (this.#right.get(name)) return Promise.resolve(true);
    return new Promise((resolve, reject) => {
      this.#asked[asker].push({ name, jobs: signed.jobs, resolve, reject });
      if (this.#scheduled) return;
      this.#scheduled = true;
      // What arrives in the same turn of the event loop shares a batch.
      setImmediate(() => {
        this.#scheduled = false;
        this.#send(pool);
      });
    });
  }

  /** The same at once, on this thread: for what a block brings that nobody could ask for before. */
  checkNow(signed: SignedTransaction): boolean {
    const name = nameOf(signed);
    if (this.#right.get(name)) return true;
    const right = signed.jobs.every((job) => verifySync(job.suite, job.publicKey, job.message, job.signature, this.#policy));
    if (right) this.#right.set(name, true);
    return right;
  }

  /** Starts the threads before there is work for them. */
  async start(): Promise<void> {
    await this.#pool?.start();
  }

  async close(): Promise<void> {
    await this.#pool?.close();
  }

  #send(pool: VerifyPool): void {
    while (this.#underWay < BATCHES_UNDER_WAY) {
      const asked = this.#nextBatch();
      if (asked.length === 0) return;
      this.#underWay++;
      void this.#verify(pool, asked).finally(() => {
        this.#underWay--;
        this.#send(pool);
      });
    }
  }

  #nextBatch(): Asked[] {
    const batch: Asked[] = [];
    for (const asker of ASKERS) batch.push(...this.#asked[asker].splice(0, MOST_A_BATCH - batch.length));
    return batch;
  }

  async #verify(pool: VerifyPool, asked: readonly Asked[]): Promise<void> {
    try {
      const answers = await pool.verify(asked.flatMap(({ jobs }) => jobs));
      let at = 0;
      for (const { name, jobs, resolve } of asked) {
        const right = answers.slice(at, at + jobs.length).every((answer) => answer);
        at += jobs.length;
        if (right) this.#right.set(name, true);
        resolve(right);
      }
    } catch (error) {
      for (const { reject } of asked) reject(error);
    }
  }
}

const nameOf = ({ hash, jobs }: SignedTransaction): string => {
  let name = idKeyOf(hash);
  for (const { publicKey } of jobs) name += idKeyOf(publicKey);
  return name;
};
