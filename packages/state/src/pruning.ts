/**
 * Forgetting versions: a block's record lists what the block made stale; once no kept version is older than the block, those rows
 * go in the batch of a later block. Records stay a little longer, since leaf pages of kept versions may lag behind.
 */
import { decodeStale, type VersionHeader } from "./block-record.ts";
import type { WriteBatch } from "./database.ts";
import { blockKey, headerKey, pageKey, valueKey } from "./rows.ts";

/** So that a jump in height does not make one block delete many thousand rows; the rest follows with the next blocks. */
const MOST_VERSIONS_A_BLOCK = 4;

/** The version that serves a height: the newest at or below it. Undefined if it is older than all that are kept. */
export function versionAt(headers: readonly VersionHeader[], height: number): VersionHeader | undefined {
  let low = 0;
  let high = headers.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((headers[middle] as VersionHeader).height <= height) low = middle + 1;
    else high = middle;
  }
  return headers[low - 1];
}

export interface Kept {
  readonly oldestVersion: number;
  readonly oldestRecord: number;
}

/** Adds to `batch` the deletions that leave `oldestHeight` the oldest height to be read; returns what is then kept. */
export function prune(
  batch: WriteBatch,
  read: (key: Uint8Array) => Uint8Array | undefined,
  headers: readonly VersionHeader[],
  kept: Kept,
  oldestHeight: number,
): Kept {
  const target = versionAt(headers, oldestHeight)?.version ?? kept.oldestVersion;
  const oldestVersion = Math.min(target, kept.oldestVersion + MOST_VERSIONS_A_BLOCK);
  for (let version = kept.oldestVersion + 1; version <= oldestVersion; version++) {
    const row = read(blockKey(version));
    // Version `version` is the oldest that is kept now; what its block replaced served older ones only.
    if (row !== undefined) {
      const stale = decodeStale(row);
      for (const id of stale.values) if (id !== 0) batch.delete(valueKey(id));
      for (const page of stale.pages) batch.delete(pageKey(page));
    }
    batch.delete(headerKey(version - 1));
  }
  const needed = headers.find((header) => header.version === oldestVersion)?.windowStart ?? kept.oldestRecord;
  const oldestRecord = Math.max(kept.oldestRecord, Math.min(needed, oldestVersion + 1));
  for (let version = kept.oldestRecord; version < oldestRecord; version++) batch.delete(blockKey(version));
  return { oldestVersion, oldestRecord };
}
