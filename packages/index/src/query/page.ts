/**
 * Pages newest first, by keyset: the cursor is the sequence of the last row shown, so a page costs the same wherever it lies and rows
 * that arrive meanwhile shift nothing. Source: design.md, "Read model".
 */

export const MAX_PAGE_ROWS = 200;
export const DEFAULT_PAGE_ROWS = 50;

/** Which rows of a list, newest first. */
export interface PageRequest {
  /** Rows older than this sequence; absent: from the newest. */
  readonly before?: number;
  /** 1..`MAX_PAGE_ROWS`. */
  readonly limit: number;
}

/** Some rows of a list, and where to go on. */
export interface Page<Row> {
  readonly items: readonly Row[];
  /** `before` of the next page; absent on the last. */
  readonly next?: number;
}

/** Makes a page of up to `limit + 1` rows that were read: the one too many says that there is a next page. */
export function pageOf<Row, View>(
  rows: readonly Row[],
  limit: number,
  sequenceOf: (row: Row) => number,
  view: (row: Row) => View,
): Page<View> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const items = shown.map(view);
  return rows.length > limit && last !== undefined ? { items, next: sequenceOf(last) } : { items };
}
