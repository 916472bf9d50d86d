/**
 * The wallet's place in this browser. IndexedDB keeps `CryptoKey` objects as they are, so a private key is stored without ever being bytes
 * that a script could read. Source: W3C Indexed Database 3.0; W3C WebCrypto, section 13.
 */
import { Fault } from "@xinglin/primitives";
import type { Holding } from "./holding.ts";

const DATABASE = "xinglin-wallet";
const TABLE = "holdings";

/** All holdings of this browser, and the means to change them. Throws `Fault("wallet_unavailable")` where the browser keeps nothing. */
export interface WalletStore {
  all(): Promise<Holding[]>;
  put(holding: Holding): Promise<void>;
  remove(patient: string): Promise<void>;
  /** Forgets everything, keys included. */
  clear(): Promise<void>;
}

/** Opens the wallet, and asks the browser not to throw it away when it runs short of space. */
export async function openWalletStore(): Promise<WalletStore> {
  const database = await open();
  void navigator.storage?.persist?.();
  const change = (work: (table: IDBObjectStore) => void): Promise<void> =>
    new Promise((resolve, reject) => {
      const transaction = database.transaction(TABLE, "readwrite");
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(unavailable(transaction.error));
      work(transaction.objectStore(TABLE));
    });
  return {
    all: () =>
      new Promise((resolve, reject) => {
        const request = database.transaction(TABLE).objectStore(TABLE).getAll();
        request.onsuccess = () => resolve(request.result as Holding[]);
        request.onerror = () => reject(unavailable(request.error));
      }),
    put: (holding) => change((table) => table.put(holding)),
    remove: (patient) => change((table) => table.delete(patient)),
    clear: () => change((table) => table.clear()),
  };
}

const unavailable = (cause: unknown): Fault => new Fault("wallet_unavailable", {}, { cause });

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    if (globalThis.indexedDB === undefined) return reject(unavailable(undefined));
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(TABLE, { keyPath: "patient" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(unavailable(request.error));
  });
}
