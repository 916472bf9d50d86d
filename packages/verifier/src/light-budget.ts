/**
 * What following a chain has cost in the last day, kept where a client keeps its blocks: a page that is opened often looks no more often than one that
 * stays open. A look is counted before it begins, so one that is broken off is not free.
 * Source: requirement A9 (at most 1 MB a day for a followed chain).
 */
import { DAILY_BYTES } from "./light-follow.ts";

const DAY_SECONDS = 86_400;
/** What a look is taken to cost before one was seen: the first asks every node. */
const FIRST_LOOK_BYTES = 60_000;

/** One look: when it began, seconds UTC, and what it cost. */
export interface Look {
  readonly at: number;
  readonly bytes: number;
}

/** Where looks are kept. What it can't keep lasts as long as the client. */
export interface LookStore {
  load(): Promise<readonly Look[]>;
  save(looks: readonly Look[]): Promise<void>;
}

export class LightBudget {
  readonly #store: LookStore;
  readonly #now: () => number;
  readonly #dailyBytes: number;
  #begun: Look | undefined;

  /** `now`: seconds UTC. Another client of the same store, in a second window, is counted too. */
  constructor(store: LookStore, now: () => number, dailyBytes = DAILY_BYTES) {
    this.#store = store;
    this.#now = now;
    this.#dailyBytes = dailyBytes;
  }

  /** Seconds until a look may begin so that no 24 hours cost more than the budget; 0 for now. */
  async due(): Promise<number> {
    const looks = await this.#lastDay();
    let over = looks.reduce((sum, { bytes }) => sum + bytes, 0) + expected(looks) - this.#dailyBytes;
    let freeAt = this.#now();
    // The oldest are a day old first.
    for (const { at, bytes } of looks) {
      if (over <= 0) break;
      over -= bytes;
      freeAt = at + DAY_SECONDS;
    }
    return Math.max(0, freeAt - this.#now());
  }

  /** Counts a look that begins, with what it may cost. */
  async begin(): Promise<void> {
    const looks = await this.#lastDay();
    this.#begun = { at: this.#now(), bytes: expected(looks) };
    await this.#store.save([...looks, this.#begun]);
  }

  /** It has ended and cost `bytes`. */
  async end(bytes: number): Promise<void> {
    const begun = this.#begun;
    if (begun === undefined) return;
    this.#begun = undefined;
    const looks = await this.#lastDay();
    const index = looks.findIndex((look) => look.at === begun.at && look.bytes === begun.bytes);
    await this.#store.save(looks.map((look, i) => (i === index ? { at: begun.at, bytes } : look)));
  }

  /** Of the last 24 hours, oldest first. After the clock was set back, looks that seem to be ahead are kept as made now. */
  async #lastDay(): Promise<readonly Look[]> {
    const now = this.#now();
    const all = await this.#store.load();
    const looks = all
      .filter(({ at }) => at > now - DAY_SECONDS)
      .map(({ at, bytes }) => ({ at: Math.min(at, now), bytes }))
      .sort((a, b) => a.at - b.at);
    if (all.some(({ at }) => at > now)) await this.#store.save(looks);
    return looks;
  }
}

/** The dearest look that is known. */
const expected = (looks: readonly Look[]): number =>
  looks.length === 0 ? FIRST_LOOK_BYTES : Math.max(...looks.map(({ bytes }) => bytes));
