/**
 * The data folder of a ledger: one database for blocks, log and state, opened by one process at a time.
 * Source: design.md, "Ledger" (State, Drivers).
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type Bytes, cbor, equal, Fault, schema, toHex, utf8 } from "@xinglin/primitives";
import { type BatchOperation, DATABASE_OPTIONS, discardImport, isImportUnfinished } from "@xinglin/state";
import { ClassicLevel } from "classic-level";
import { LEAVING_ROWS } from "./joined.ts";
import { storageKeys } from "./storage-keys.ts";

/** Version of the layout; another one is not opened. */
const FORMAT = 1;
const DATABASE_FOLDER = "ledger.db";
const FIRST_DRIVER = "solo";

/** The database that block store and state share. */
export type Database = ClassicLevel<Uint8Array, Uint8Array>;

const folderShape = schema.object({ format: schema.uint(), chain: schema.text(64), genesis: schema.bytes(32) });
/** Which chain a folder belongs to; `genesis` is the hash of the genesis document, `driver` the kind of driver that makes its blocks. */
export interface FolderIdentity {
  readonly chain: string;
  readonly genesis: Bytes;
  readonly driver: string;
}

/**
 * Opens (or creates) the database of a data folder. Throws `Fault`: `ledger_locked` when another process has it open, `disk_full`,
 * `storage_failed`, `state_corrupt`, or `wrong_chain_folder`, `wrong_genesis_folder`, `wrong_format_folder`, `wrong_driver_folder` when the folder belongs to
 * something else.
 */
export async function openDatabase(directory: string, identity: FolderIdentity): Promise<Database> {
  const database: Database = new ClassicLevel(join(directory, DATABASE_FOLDER), DATABASE_OPTIONS);
  try {
    await mkdir(directory, { recursive: true });
    await database.open();
  } catch (error) {
    throw storageFault(error);
  }
  try {
    await checkFolder(database, identity);
    // A node that was stopped while it took in a snapshot begins anew.
    if (isImportUnfinished(database)) await discardImport(database, LEAVING_ROWS);
  } catch (error) {
    await database.close();
    throw error;
  }
  return database;
}

async function checkFolder(database: Database, { chain, genesis, driver }: FolderIdentity): Promise<void> {
  const bytes = readRow(database, storageKeys.folder);
  if (bytes === undefined) {
    const value = cbor.encode({ format: FORMAT, chain, genesis });
    await writeBatch(database, [
      { type: "put", key: storageKeys.folder, value },
      { type: "put", key: storageKeys.driver, value: utf8(driver) },
    ]);
    return;
  }
  const found = folderShape.parse(cbor.decodeTrusted(bytes));
  if (found.format !== FORMAT) throw new Fault("wrong_format_folder", { found: found.format, supported: FORMAT });
  if (found.chain !== chain) throw new Fault("wrong_chain_folder", { found: found.chain, wanted: chain });
  if (!equal(found.genesis, genesis))
    throw new Fault("wrong_genesis_folder", { found: toHex(found.genesis), wanted: toHex(genesis) });
  // Folders from before there was a choice are solo.
  const kind = readRow(database, storageKeys.driver);
  const foundDriver = kind === undefined ? FIRST_DRIVER : new TextDecoder().decode(kind);
  if (foundDriver !== driver) throw new Fault("wrong_driver_folder", { found: foundDriver, wanted: driver });
}

/** The value of a row, as a plain `Uint8Array`. */
export function readRow(database: Database, key: Bytes): Bytes | undefined {
  const value = database.getSync(key);
  return value === undefined ? undefined : new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
}

/** Writes all or nothing, synced. Rejects with `Fault("disk_full" | "storage_failed")`. */
export async function writeBatch(database: Database, operations: readonly BatchOperation[]): Promise<void> {
  try {
    await database.batch([...operations], { sync: true });
  } catch (error) {
    throw storageFault(error);
  }
}

/** What a failure of the database means to the one who runs it. Faults pass through. */
export function storageFault(error: unknown): Fault {
  if (error instanceof Fault) return error;
  const told = messages(error);
  if (/LEVEL_CORRUPTION/.test(told)) return new Fault("state_corrupt", {}, { cause: error });
  if (/LEVEL_LOCKED/.test(told)) return new Fault("ledger_locked", {}, { cause: error });
  if (/No space left|ENOSPC|quota exceeded|EDQUOT/i.test(told)) return new Fault("disk_full", {}, { cause: error, retry: true });
  return new Fault("storage_failed", {}, { cause: error });
}

function messages(error: unknown): string {
  const { message, code, cause } = error as { message?: string; code?: string; cause?: unknown };
  return `${code ?? ""} ${message ?? ""} ${cause === undefined ? "" : messages(cause)}`;
}
