/** How fast stores answer, learnt while they do: who is asked first, and when another is asked for a late one. */

const NEWEST = 64;
/** Before anything is known. */
const FIRST_DELAY_MS = 300;
const LEAST_DELAY_MS = 30;
const MOST_DELAY_MS = 3_000;
/** A store is late when it takes so many times what the middle one takes. */
const LATE_FACTOR = 3;
/** One that failed is not asked for so long. */
const REST_MS = 5_000;
/** A slow one is tried again now and then: it may have recovered. */
const RETRY_EVERY = 16;

export class Pace {
  readonly #newest: number[] = [];
  readonly #byStore = new Map<string, { ms: number; restUntil: number; passedOver: number }>();

  /** After so many milliseconds another store is asked. */
  get delayMs(): number {
    if (this.#newest.length === 0) return FIRST_DELAY_MS;
    const middle = this.#newest.toSorted((a, b) => a - b)[this.#newest.length >> 1] as number;
    return Math.min(MOST_DELAY_MS, Math.max(LEAST_DELAY_MS, LATE_FACTOR * middle));
  }

  /** A store answered rightly. */
  answered(store: string, ms: number): void {
    this.#newest.push(ms);
    if (this.#newest.length > NEWEST) this.#newest.shift();
    this.#learn(store, ms);
  }

  /** A store was given up after so long: it takes that long at least. */
  late(store: string, ms: number): void {
    this.#learn(store, ms);
  }

  /** A store failed, or showed something wrong. */
  failed(store: string, now: number): void {
    this.#of(store).restUntil = now + REST_MS;
  }

  /** What a store's next answer will take; unknown ones are taken for middling. */
  expectedMs(store: string): number {
    return this.#byStore.get(store)?.ms ?? 0;
  }

  /** Whether a store is worth waiting for. Counts how often it is not, so that it gets a chance in the end. */
  isWorthAsking(store: string, now: number): boolean {
    const known = this.#byStore.get(store);
    if (known === undefined) return true;
    if (now < known.restUntil) return false;
    if (known.ms <= this.delayMs || ++known.passedOver % RETRY_EVERY === 0) return true;
    return false;
  }

  #learn(store: string, ms: number): void {
    const known = this.#of(store);
    known.ms = known.ms === 0 ? ms : 0.7 * known.ms + 0.3 * ms;
  }

  #of(store: string): { ms: number; restUntil: number; passedOver: number } {
    const known = this.#byStore.get(store) ?? { ms: 0, restUntil: 0, passedOver: 0 };
    this.#byStore.set(store, known);
    return known;
  }
}
