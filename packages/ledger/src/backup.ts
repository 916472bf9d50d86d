/**
 * A consistent copy of a ledger that is running: every row as of one instant, which is always between two blocks.
 * Source: design.md, "Ledger"; the story's `backup` and `restore`.
 */
import { mkdir, readdir } from "node:fs/promises";
import { type Bytes, Fault } from "@xinglin/primitives";
import type { Database, FolderIdentity } from "./database.ts";
import { openDatabase, storageFault, writeBatch } from "./database.ts";

/** Rows are copied in pieces of about this size. */
const PIECE_BYTES = 4 * 1024 * 1024;

/**
 * Copies `database` into `directory`, which must be empty or not there; a copy that failed must not be used. Throws `Fault`:
 * `backup_target_not_empty`, `disk_full`, `storage_failed`. A copy holds the last-signed record of its instant: never run it while the
 * original goes on, or two blocks of one height would be signed.
 */
export async function backupDatabase(database: Database, identity: FolderIdentity, directory: string): Promise<void> {
  const snapshot = database.snapshot();
  try {
    await mkdir(directory, { recursive: true });
    if ((await readdir(directory)).length > 0) throw new Fault("backup_target_not_empty");
    const copy = await openDatabase(directory, identity);
    try {
      await copyRows(database, copy, snapshot);
    } finally {
      await copy.close();
    }
  } catch (error) {
    throw storageFault(error);
  } finally {
    await snapshot.close();
  }
}

async function copyRows(from: Database, to: Database, snapshot: ReturnType<Database["snapshot"]>): Promise<void> {
  let piece: { type: "put"; key: Bytes; value: Bytes }[] = [];
  let bytes = 0;
  for await (const [key, value] of from.iterator({ snapshot, fillCache: false })) {
    piece.push({ type: "put", key, value });
    bytes += key.length + value.length;
    if (bytes < PIECE_BYTES) continue;
    await writeBatch(to, piece);
    piece = [];
    bytes = 0;
  }
  await writeBatch(to, piece);
}
