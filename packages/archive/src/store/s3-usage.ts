/**
 * How much the archive keeps below a prefix, for quotas. A listing answers that with one request for every thousand keys, so each thread
 * keeps the sum for some minutes and adds what it writes itself. What others write meanwhile, and parts of theirs that no listing shows, come in
 * with the next listing.
 */
import type { S3Bucket } from "./s3-bucket.ts";
import { PACKS } from "./s3-layout.ts";

const KEPT_MS = 10 * 60_000;
/** Listings at once where one page does not hold all: object ids are random, so their first digits share the keys evenly. */
const DIGITS = [..."0123456789abcdef"];

const known = new Map<string, { bytes: number; readonly atMs: number }>();

/** The bytes below one store's `packs/`. */
export class S3Usage {
  readonly #bucket: S3Bucket;
  readonly #name: string;

  /** `name` is the same for all who look at the same prefix. */
  constructor(bucket: S3Bucket, name: string) {
    this.#bucket = bucket;
    this.#name = name;
  }

  /** Bytes as far as this thread knows. */
  async bytes(): Promise<number> {
    const kept = known.get(this.#name);
    if (kept !== undefined && performance.now() - kept.atMs < KEPT_MS) return kept.bytes;
    const counted = { bytes: await this.#count(), atMs: performance.now() };
    known.set(this.#name, counted);
    return counted.bytes;
  }

  /** Notes bytes that this thread wrote, or removed if fewer than 0. */
  add(bytes: number): void {
    const kept = known.get(this.#name);
    if (kept !== undefined) kept.bytes = Math.max(0, kept.bytes + bytes);
  }

  async #count(): Promise<number> {
    const first = await this.#bucket.page(PACKS, 1_000);
    if (first.next === undefined) return first.entries.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const sums = await Promise.all(DIGITS.map((digit) => this.#countBelow(PACKS + digit)));
    return sums.reduce((sum, bytes) => sum + bytes, 0);
  }

  async #countBelow(start: string): Promise<number> {
    let sum = 0;
    for await (const { sizeBytes } of this.#bucket.list(start)) sum += sizeBytes;
    return sum;
  }
}
