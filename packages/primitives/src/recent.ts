/**
 * What was used lately, bounded in number.
 */

/**
 * A map that keeps the newest `atMost` entries at least by half: when the young half is full it becomes the old one, and what that held is
 * forgotten. Reading an old entry makes it young. Cheaper than forgetting the oldest one by one, because a `Map` from whose front much was
 * deleted finds its first entry by walking the holes.
 */
export class Recent<Key, Value extends NonNullable<unknown>> {
  readonly #half: number;
  #young = new Map<Key, Value>();
  #old = new Map<Key, Value>();

  /** Holds at most `atMost` entries, and the newest `atMost / 2` of them for sure. */
  constructor(atMost: number) {
    this.#half = Math.max(1, Math.floor(atMost / 2));
  }

  /** The value of `key`, unless it was forgotten or never set. */
  get(key: Key): Value | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  /** Sets the value of `key`, and makes it the newest. */
  set(key: Key, value: Value): void {
    if (this.#young.size >= this.#half && !this.#young.has(key)) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }

  /** Forgets `key`. */
  delete(key: Key): void {
    this.#young.delete(key);
    this.#old.delete(key);
  }
}
