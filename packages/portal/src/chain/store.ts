/**
 * What this browser remembers of the chain: the verified blocks, the other members' nodes it has heard of, and checkpoints that a person gave.
 * Source: requirement A9; W3C Indexed Database 3.0.
 */
import type { Checkpoint } from "@xinglin/client";
import type { LightStore, Look, LookStore } from "@xinglin/verifier";

const DATABASE = "xinglin-chain";
const TABLE = "kept";

/** One chain's part of the database. Where the browser keeps nothing, it lasts as long as the page. */
export interface ChainStore {
  readonly light: LightStore;
  peers(): Promise<readonly string[]>;
  keepPeers(peers: readonly string[]): Promise<void>;
  checkpoint(): Promise<Checkpoint | undefined>;
  keepCheckpoint(checkpoint: Checkpoint): Promise<void>;
  /** What looks at the chain cost lately. */
  readonly looks: LookStore;
}

/** Opens what is remembered of a chain. */
export function openChainStore(chain: string): ChainStore {
  const database = open();
  const read = async <T>(name: string): Promise<T | undefined> => {
    const found = await database;
    if (found === undefined) return memory.get(`${chain}/${name}`) as T | undefined;
    return new Promise((resolve) => {
      const request = found.transaction(TABLE).objectStore(TABLE).get(`${chain}/${name}`);
      request.onsuccess = () => resolve(request.result as T | undefined);
      request.onerror = () => resolve(undefined);
    });
  };
  const write = async (name: string, value: unknown): Promise<void> => {
    const found = await database;
    memory.set(`${chain}/${name}`, value);
    if (found === undefined) return;
    await new Promise<void>((resolve) => {
      const transaction = found.transaction(TABLE, "readwrite");
      transaction.oncomplete = () => resolve();
      // Full or forbidden: the next visit starts from the trust again.
      transaction.onabort = () => resolve();
      transaction.objectStore(TABLE).put(value, `${chain}/${name}`);
    });
  };
  return {
    light: { load: () => read<Uint8Array>("light"), save: (bytes) => write("light", bytes) },
    peers: async () => (await read<string[]>("peers")) ?? [],
    keepPeers: (peers) => write("peers", [...peers]),
    checkpoint: () => read<Checkpoint>("checkpoint"),
    keepCheckpoint: (checkpoint) => write("checkpoint", checkpoint),
    looks: { load: async () => (await read<readonly Look[]>("looks")) ?? [], save: (looks) => write("looks", looks) },
  };
}

/** Forgets everything of every chain. */
export async function forgetChains(): Promise<void> {
  memory.clear();
  const database = await open();
  if (database === undefined) return;
  await new Promise<void>((resolve) => {
    const transaction = database.transaction(TABLE, "readwrite");
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => resolve();
    transaction.objectStore(TABLE).clear();
  });
}

const memory = new Map<string, unknown>();

function open(): Promise<IDBDatabase | undefined> {
  return new Promise((resolve) => {
    if (globalThis.indexedDB === undefined) return resolve(undefined);
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(TABLE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => resolve(undefined);
  });
}
