/** Packs of a lent store that are being read: opened once for many requests, and closed when others are wanted more. */
import type { Store, StoredPack } from "../store/store.ts";

const MAX_OPEN = 64;
/** A medium may be taken away under an open connection: it is asked anew after so long. A pack of a disk says itself, at each use, that it was. */
const MAX_AGE_MS = 5_000;

interface Entry {
  readonly pack: Promise<StoredPack | undefined>;
  readonly openedAt: number;
  /** Known once it is open. */
  found: StoredPack | undefined;
  using: number;
  dropped: boolean;
}

export class OpenPacks {
  readonly #store: Store;
  /** In the order of their last use. */
  readonly #open = new Map<string, Entry>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** Lets `work` use an object's pack; `undefined` if the store has none. */
  async use<T>(object: string, work: (pack: StoredPack) => Promise<T>): Promise<T | undefined> {
    const known = this.#open.get(object);
    if (known !== undefined && !isGood(known)) this.drop(object);
    const entry = this.#open.get(object) ?? this.#opened(object);
    this.#open.delete(object);
    this.#open.set(object, entry);
    entry.using++;
    try {
      const pack = await entry.pack;
      entry.found = pack;
      if (pack === undefined) this.drop(object);
      return pack === undefined ? undefined : await work(pack);
    } catch (error) {
      this.drop(object); // the medium may be back at the next request
      throw error;
    } finally {
      entry.using--;
      this.#closeIfDone(entry);
      for (const old of this.#open.keys()) {
        if (this.#open.size <= MAX_OPEN) break;
        this.drop(old);
      }
    }
  }

  /** Forgets an object's pack: it was removed, or replaced. */
  drop(object: string): void {
    const entry = this.#open.get(object);
    if (entry === undefined) return;
    this.#open.delete(object);
    entry.dropped = true;
    this.#closeIfDone(entry);
  }

  close(): void {
    for (const object of [...this.#open.keys()]) this.drop(object);
  }

  #opened(object: string): Entry {
    return {
      pack: this.#store.open(Buffer.from(object, "hex")),
      openedAt: performance.now(),
      found: undefined,
      using: 0,
      dropped: false,
    };
  }

  #closeIfDone(entry: Entry): void {
    if (!entry.dropped || entry.using > 0) return;
    entry.using = Number.POSITIVE_INFINITY; // once
    void entry.pack.then((pack) => pack?.close()).catch(() => undefined);
  }
}

const isGood = ({ openedAt, found }: Entry): boolean =>
  performance.now() - openedAt <= MAX_AGE_MS && found?.isCurrent?.() !== false;
