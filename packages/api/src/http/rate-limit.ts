/** A token bucket for each client address. Source: requirement on limits of the API; "token bucket", RFC 2697 in spirit. */

const MAX_CLIENTS = 10_000;

export class RateLimit {
  readonly #perMs: number;
  readonly #burst: number;
  readonly #now: () => number;
  readonly #buckets = new Map<string, { tokens: number; at: number }>();

  constructor(perSecond: number, burst: number, now: () => number) {
    this.#perMs = perSecond / 1000;
    this.#burst = burst;
    this.#now = now;
  }

  /** Whether one more request of `client` is within its rate; counts it if so. */
  take(client: string): boolean {
    const now = this.#now();
    let bucket = this.#buckets.get(client);
    if (bucket === undefined) {
      if (this.#buckets.size >= MAX_CLIENTS) this.#forgetIdle(now);
      bucket = { tokens: this.#burst, at: now };
      this.#buckets.set(client, bucket);
    }
    bucket.tokens = Math.min(this.#burst, bucket.tokens + Math.max(0, now - bucket.at) * this.#perMs);
    bucket.at = now;
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  }

  /** Full buckets say nothing; if all are in use, the oldest goes. */
  #forgetIdle(now: number): void {
    for (const [client, { tokens, at }] of this.#buckets)
      if (tokens + (now - at) * this.#perMs >= this.#burst) this.#buckets.delete(client);
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size >= MAX_CLIENTS && oldest !== undefined) this.#buckets.delete(oldest);
  }
}
