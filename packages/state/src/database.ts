/**
 * The state's side of the database that it shares with the block store: reads, and one atomic batch a block.
 */
import { statfs } from "node:fs/promises";
import { cbor, Fault, schema } from "@xinglin/primitives";
import type { ClassicLevel } from "classic-level";
import { decodeHeader, type VersionHeader } from "./block-record.ts";
import type { BatchOperation } from "./contract.ts";
import { HASH_BYTES } from "./memory.ts";
import { endOf, headerKey, IMPORT_KEY, META_KEY, RAW_KEY_OFFSET, rawKeyKey, STATE_PREFIX } from "./rows.ts";

export type Database = ClassicLevel<Uint8Array, Uint8Array>;

/**
 * Options for the `ClassicLevel` that `openState` is given: hashes do not compress; a write buffer of a dozen blocks and files as
 * large keep compaction from reading the same rows again and again; the figures are in docs/internals/state.md.
 */
export const DATABASE_OPTIONS = {
  keyEncoding: "view",
  valueEncoding: "view",
  compression: false,
  writeBufferSize: 32 * 1024 * 1024,
  maxFileSize: 16 * 1024 * 1024,
  cacheSize: 32 * 1024 * 1024,
} as const;

const FORMAT = 1;

/** Counters of the newest commit. */
export interface Meta {
  readonly height: number;
  readonly version: number;
  readonly keys: number;
  readonly nextRow: number;
  readonly nextValueId: number;
  /** Oldest version that can be read. */
  readonly oldestVersion: number;
  /** Oldest block record on disk. */
  readonly oldestRecord: number;
}

export const NOTHING: Meta = { height: 0, version: 0, keys: 0, nextRow: 1, nextValueId: 1, oldestVersion: 0, oldestRecord: 1 };

const format = schema.object({
  format: schema.uint(),
  height: schema.uint(),
  version: schema.uint(),
  keys: schema.uint(),
  nextRow: schema.uint(),
  nextValueId: schema.uint(),
  oldestVersion: schema.uint(),
  oldestRecord: schema.uint(),
});

export const encodeMeta = (meta: Meta): Uint8Array => cbor.encode({ format: FORMAT, ...meta });

/** The counters of the newest commit, or of that in `snapshot`. Throws `state_format_unknown`. */
export function readMeta(db: Database, snapshot?: ReturnType<Database["snapshot"]>): Meta {
  const bytes = db.getSync(META_KEY, snapshot === undefined ? {} : { snapshot });
  if (bytes === undefined) return NOTHING;
  const { format: found, ...meta } = format.parse(cbor.decodeTrusted(bytes));
  if (found !== FORMAT) throw new Fault("state_format_unknown", { found, known: FORMAT });
  return meta;
}

/** The version before the first block. */
const BEFORE: VersionHeader = { version: 0, height: 0, root: new Uint8Array(HASH_BYTES), rootRow: 0, windowStart: 1 };

/** Whether the database holds an unfinished import. */
export const isImportUnfinished = (db: Database): boolean => db.getSync(IMPORT_KEY) !== undefined;

/** The counters of the newest commit and the headers of the kept versions, oldest first. Throws `state_import_unfinished`. */
export async function readVersions(db: Database): Promise<{ meta: Meta; headers: VersionHeader[] }> {
  if (isImportUnfinished(db)) throw new Fault("state_import_unfinished");
  const meta = readMeta(db);
  const range = { gte: headerKey(meta.oldestVersion), lte: headerKey(2 ** 48 - 1) };
  const headers = meta.oldestVersion === 0 ? [BEFORE] : [];
  for await (const bytes of db.values(range)) headers.push(decodeHeader(bytes));
  return { meta, headers };
}

/** Raw keys with a prefix, in byte order. */
export async function readRawKeys(db: Database, prefix: string, after: string | undefined, limit: number): Promise<string[]> {
  const from = rawKeyKey(Buffer.from(prefix));
  const past = after === undefined ? undefined : rawKeyKey(Buffer.from(after));
  const range = past !== undefined && Buffer.compare(past, from) >= 0 ? { gt: past } : { gte: from };
  const rows = await db.keys({ ...range, lt: endOf(from), limit }).all();
  return rows.map((row) => Buffer.from(row.buffer, row.byteOffset + RAW_KEY_OFFSET, row.length - RAW_KEY_OFFSET).toString());
}

/** One synced batch of the state's rows and those of other owners. */
export class WriteBatch {
  rows = 0;
  bytes = 0;
  readonly #operations: BatchOperation[] = [];

  put(key: Uint8Array, value: Uint8Array): void {
    this.#operations.push({ type: "put", key, value });
    this.rows++;
    this.bytes += key.length + value.length;
  }

  delete(key: Uint8Array): void {
    this.#operations.push({ type: "del", key });
    this.rows++;
    this.bytes += key.length;
  }

  /** Adds the writes of another owner, whose keys must lie outside the state's range. */
  join(extra: readonly BatchOperation[]): void {
    for (const operation of extra) {
      if (operation.key[0] === STATE_PREFIX) throw new RangeError("keys that begin with 0x73 belong to the state");
      this.#operations.push(operation);
    }
  }

  /** Throws `disk_full` or `state_write_failed`; then `recoverDatabase` must run before the next write. */
  async write(db: Database): Promise<void> {
    try {
      await db.batch(this.#operations as never, { sync: true });
    } catch (cause) {
      throw writeFault(cause);
    }
  }
}

/** Room that opening again may take: the log becomes a table, under a new log. */
const RECOVERY_BYTES = 2 * DATABASE_OPTIONS.writeBufferSize;

/**
 * Opens the database again after a write that failed. LevelDB goes on after the torn end of such a write, and at the next opening
 * drops what follows it, synced or not: what is written without this step may be lost. Throws `disk_full` while there is no room.
 */
export async function recoverDatabase(db: Database): Promise<void> {
  const { bavail, bsize } = await statfs(db.location);
  if (bavail * bsize < RECOVERY_BYTES) throw new Fault("disk_full", {}, { retry: true });
  try {
    await db.close();
    await db.open();
  } catch (cause) {
    throw writeFault(cause);
  }
}

function writeFault(cause: unknown): Fault {
  const isFull = /no space left|ENOSPC|disk full|quota exceeded/i.test(messages(cause));
  return new Fault(isFull ? "disk_full" : "state_write_failed", {}, { cause, retry: true });
}

const messages = (error: unknown): string => (error instanceof Error ? `${error.message} ${messages(error.cause)}` : "");
