/**
 * One list out of several: each pseudonym has its own pages of accesses, and the patient sees one list, newest first.
 * Source: requirement C10; design.md, "Identity" (only the wallet joins pseudonyms).
 */
import type { AccessRow, Page } from "./rows.ts";

/** What is known of one pseudonym's accesses: rows newest first, and where older ones begin, if there are any. */
export interface AccessList {
  readonly rows: readonly AccessRow[];
  readonly next?: number;
}

export const EMPTY_LIST: AccessList = { rows: [] };

/** The list with a page put in: a row that was known is replaced, since releases are added to it later. */
export function withPage(list: AccessList, page: Page<AccessRow>, before: number | undefined): AccessList {
  const bySequence = new Map(list.rows.map((row) => [row.sequence, row]));
  for (const row of page.items) bySequence.set(row.sequence, row);
  const rows = [...bySequence.values()].sort((a, b) => b.sequence - a.sequence);
  const next = nextOf(list, page, before);
  return next === undefined ? { rows } : { rows, next };
}

/** A newest page says where older rows begin only if it does not reach what was known; then there is a gap, and the list starts anew below it. */
function nextOf(list: AccessList, page: Page<AccessRow>, before: number | undefined): number | undefined {
  if (before !== undefined || list.rows.length === 0 || page.next === undefined) return page.next;
  const reaches = page.items.some(({ sequence }) => sequence === list.rows[0]?.sequence);
  return reaches ? list.next : page.next;
}

/**
 * The rows of all lists, newest first, down to where the shortest-known list ends: below that another row may be missing. `more` says that
 * older rows can be fetched.
 */
export function mergeNewestFirst(lists: Iterable<AccessList>): { readonly rows: readonly AccessRow[]; readonly more: boolean } {
  const all = [...lists];
  const horizon = all.reduce((highest, { next }) => Math.max(highest, next ?? 0), 0);
  const rows = all
    .flatMap(({ rows }) => rows)
    .filter(({ sequence }) => sequence >= horizon)
    .sort((a, b) => b.sequence - a.sequence);
  return { rows, more: all.some(({ next }) => next !== undefined) };
}

/** Sequences that `after` has and `before` had not, when they are newer than everything in `before`. */
export function arrived(before: AccessList, after: AccessList): readonly number[] {
  const newest = before.rows[0]?.sequence ?? -1;
  return after.rows.filter(({ sequence }) => sequence > newest).map(({ sequence }) => sequence);
}
