/**
 * Opens the authenticated map of a ledger. See contract.ts for what it promises and docs/internals/state.md for how.
 */
import type { State, StateOptions } from "./contract.ts";
import { DATABASE_OPTIONS, type Database, readVersions } from "./database.ts";
import { LevelState } from "./level-state.ts";

export { DATABASE_OPTIONS };

const DEFAULTS = { keepVersions: 1_000, cacheBytes: 256 * 1024 * 1024, windowBytes: 24 * 1024 * 1024 };
/**
 * Opens the map in `db`, which the caller opened with `DATABASE_OPTIONS` and may share with rows that do not begin with 0x73.
 * Restores the last committed block exactly, after a crash too. Faults: `state_corrupt`, `state_format_unknown`, `state_import_unfinished`.
 */
export async function openState(db: Database, options: StateOptions = {}): Promise<State> {
  const { meta, headers } = await readVersions(db);
  return new LevelState(db, { ...DEFAULTS, ...options }, meta, headers);
}
