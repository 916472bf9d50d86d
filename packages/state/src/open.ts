/**
 * Opens the authenticated map of a ledger. See contract.ts for what it promises and docs/internals/state.md for how.
 */
import type { VersionHeader } from "./block-record.ts";
import type { State, StateOptions } from "./contract.ts";
import { DATABASE_OPTIONS, type Database, readHeaders, readMeta } from "./database.ts";
import { LevelState } from "./level-state.ts";
import { HASH_BYTES } from "./memory.ts";

export { DATABASE_OPTIONS };

const DEFAULTS = { keepVersions: 1_000, cacheBytes: 256 * 1024 * 1024, windowBytes: 24 * 1024 * 1024 };
/** The version before the first block. */
const BEFORE: VersionHeader = { version: 0, height: 0, root: new Uint8Array(HASH_BYTES), rootRow: 0, windowStart: 1 };

/**
 * Opens the map in `db`, which the caller opened with `DATABASE_OPTIONS` and may share with rows that do not begin with 0x73.
 * Restores the last committed block exactly, after a crash too. Faults: `state_corrupt`, `state_format_unknown`.
 */
export async function openState(db: Database, options: StateOptions = {}): Promise<State> {
  const meta = readMeta(db);
  const headers = await readHeaders(db, meta.oldestVersion);
  if (meta.oldestVersion === 0) headers.unshift(BEFORE);
  return new LevelState(db, { ...DEFAULTS, ...options }, meta, headers);
}
