/** What a round learns of each store: whether it is there, what it was asked for, what it lost, and why repairs had to leave it. */
import type { ArchiveReport } from "@xinglin/api";

interface Known {
  readonly isPresent: boolean;
  readonly awayMs: number;
  drawn: number;
  lost: number;
  /** Also when only a document beside a pack was. */
  hasLost: boolean;
}

export class StoreSums {
  readonly #goneMs: number;
  readonly #stores = new Map<string, Known>();
  readonly #left = new Map<string, { code: string; objects: number }>();

  constructor(goneMs: number) {
    this.#goneMs = goneMs;
  }

  /** One of the consortium's stores, and for how long it has been away. */
  found(store: string, isPresent: boolean, awayMs: number): void {
    this.#stores.set(store, { isPresent, awayMs, drawn: 0, lost: 0, hasLost: false });
  }

  isThere(store: string): boolean {
    return this.#stores.get(store)?.isPresent === true;
  }

  /** Whether what lay there is to be rebuilt elsewhere: withdrawn, of a member that was suspended, or away for too long. */
  isGone(store: string): boolean {
    const known = this.#stores.get(store);
    return known === undefined || (!known.isPresent && known.awayMs >= this.#goneMs);
  }

  /** Pieces that were asked of a store, and whether the documents were there. */
  looked({ store, drawn, held, documents = true }: { store: string; drawn: number; held: number; documents?: boolean }): void {
    const known = this.#stores.get(store);
    if (known === undefined) return;
    known.drawn += drawn;
    known.lost += drawn - held;
    known.hasLost ||= held < drawn || !documents;
  }

  /** Stores that a repair could not write to. */
  left(stores: readonly { readonly store: string; readonly code: string }[]): void {
    for (const { store, code } of stores) this.#left.set(store, { code, objects: (this.#left.get(store)?.objects ?? 0) + 1 });
  }

  /** How many stores are there and lost something. */
  get thatLost(): number {
    return [...this.#stores.values()].filter(({ isPresent, hasLost }) => isPresent && hasLost).length;
  }

  report(): Pick<ArchiveReport, "drawn" | "lost" | "stores" | "left"> {
    const stores = [...this.#stores].map(([store, { isPresent, drawn, lost }]) => ({
      store,
      state: isPresent ? ("there" as const) : this.isGone(store) ? ("gone" as const) : ("away" as const),
      drawn,
      lost,
    }));
    return {
      drawn: stores.reduce((sum, { drawn }) => sum + drawn, 0),
      lost: stores.reduce((sum, { state, lost }) => sum + (state === "there" ? lost : 0), 0),
      stores,
      left: [...this.#left].map(([store, why]) => ({ store, ...why })),
    };
  }
}
