/** How often what happened: so that a test can show that every kind of fault came up. */
export class Tally {
  readonly #counts = new Map<string, number>();

  add(kind: string, name: string, times = 1): void {
    const key = `${kind}/${name}`;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + times);
  }

  of(kind: string, name: string): number {
    return this.#counts.get(`${kind}/${name}`) ?? 0;
  }

  /** Adds another's counts to these. */
  join(counts: Iterable<readonly [string, number]>): void {
    for (const [key, times] of counts) this.#counts.set(key, (this.#counts.get(key) ?? 0) + times);
  }

  /** `kind/name` and count, in the order of the names. */
  entries(): [string, number][] {
    return [...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1));
  }
}
