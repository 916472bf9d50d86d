/**
 * Looks whether a member's own stores come and go while its node runs. One that is back may hold what ended meanwhile: guests find it away until
 * that is erased.
 * Source: requirements D2, D8; docs/internals/archive.md, "At another member's", "The end of an object".
 */
import type { Store } from "@xinglin/archive";
import { whyAway } from "./stores.ts";

/** What an operator should know of a store of this node. */
export type StoreNotice =
  | { readonly event: "store_away"; readonly store: string; readonly code: string }
  | { readonly event: "store_back"; readonly store: string; readonly erasedPacks: number };

/** What a watch is made of. */
export interface StoreWatchOptions {
  readonly stores: readonly Store[];
  /** Those that were away when the node started, by id, with why. */
  readonly away: ReadonlyMap<string, string>;
  /** Erases of a store that is back what has ended; returns how many packs. */
  readonly erase: (store: Store) => Promise<number>;
  /** Told which stores guests must not see, whenever these change. */
  readonly onAway: (ids: readonly string[]) => void;
  readonly onNotice?: (notice: StoreNotice) => void;
  readonly everyMs?: number;
}

/** A watch that runs. */
export interface StoreWatch {
  /** Looks once, now. */
  look(): Promise<void>;
  close(): Promise<void>;
}

/** A disk is mounted by hand: half a minute is soon enough, and costs a bucket one request. */
const EVERY_MS = 30_000;

/** Begins to look. */
export function watchStores(options: StoreWatchOptions): StoreWatch {
  const { stores, erase, onAway, onNotice = () => {}, everyMs = EVERY_MS } = options;
  const away = new Map(options.away);

  async function lookAt(store: Store): Promise<void> {
    const { id } = store;
    const [before, code] = [away.get(id), await whyAway(store)];
    if (code === before) return;
    if (code === undefined) {
      let erasedPacks: number;
      try {
        await store.collect();
        erasedPacks = await erase(store);
      } catch {
        return; // gone again, or the read model does not answer: it stays away until a look gets through
      }
      away.delete(id);
      onAway([...away.keys()]);
      onNotice({ event: "store_back", store: id, erasedPacks });
      return;
    }
    away.set(id, code);
    onAway([...away.keys()]);
    onNotice({ event: "store_away", store: id, code });
  }

  let looking: Promise<void> = Promise.resolve();
  const look = (): Promise<void> => {
    looking = looking.then(async () => {
      for (const store of stores) await lookAt(store);
    });
    return looking;
  };
  for (const [store, code] of away) onNotice({ event: "store_away", store, code });
  let due = true;
  const timer = setInterval(() => {
    if (!due) return; // the last one is still under way: a server that hangs
    due = false;
    void look().finally(() => {
      due = true;
    });
  }, everyMs);
  timer.unref();
  return {
    look,
    async close() {
      clearInterval(timer);
      await looking;
    },
  };
}
