/**
 * Compares every row of the read model with what the chain says it must be. A row is a function of one entry, so this takes one pass over
 * the log, a page at a time, and names what differs by table, key and column; values stay out of the report.
 * Source: design.md, "Read model"; requirement C10 (`xinglin audit` finds a row changed by SQL from outside).
 */
import { isDeepStrictEqual } from "node:util";
import { equal } from "@xinglin/primitives";
import { type Kysely, sql } from "kysely";
import { advance, type Cursor, emptyCursor, readCursor } from "./project/cursor.ts";
import { deriveChecked } from "./project/derive.ts";
import { toJsonText } from "./project/json-row.ts";
import type { FeedItem, Source } from "./source.ts";
import { SCHEMA } from "./store/migrate.ts";
import type { DerivedTable, Tables } from "./store/tables.ts";

const PAGE_ENTRIES = 500;
/** Findings that are listed; the rest is counted. */
export const MAX_FINDINGS = 1_000;

/** Columns of the primary key of each table: how a finding names its row. */
const PRIMARY_KEYS: { readonly [Table in DerivedTable]: readonly string[] } = {
  entries: ["sequence"],
  accesses: ["sequence"],
  directives: ["sequence"],
  directive_grantees: ["sequence", "position"],
  directive_pointers: ["sequence", "position"],
  records: ["sequence"],
  batches: ["sequence"],
  kept_objects: ["sequence"],
  actors: ["sequence"],
  credentials: ["sequence"],
  approvals: ["sequence"],
  releases: ["sequence"],
  erasures: ["sequence"],
};
const TABLES = Object.keys(PRIMARY_KEYS) as DerivedTable[];

/** One row that is not as the chain says. `key` is the primary key, its parts joined by `/`. */
export type Finding = { readonly table: DerivedTable | "projection"; readonly key: string } & (
  | { readonly kind: "changed"; readonly columns: readonly string[] }
  | { readonly kind: "missing" | "extra" }
);

/** What a comparison with the chain found. */
export interface Verification {
  /** Entries of the log that were compared. */
  readonly entries: number;
  readonly rows: number;
  readonly findings: readonly Finding[];
  /** Findings beyond `MAX_FINDINGS`. */
  readonly unlisted: number;
}

type Row = Readonly<Record<string, unknown>>;

/**
 * Compares all rows up to the projection's cursor, and the cursor, with `source`. Rows of entries that the source no longer has are not looked
 * at. Cost: linear in the log; changes nothing.
 */
export async function verifyRows(db: Kysely<Tables>, source: Source): Promise<Verification> {
  const report = new Report();
  const stored = await readCursor(db);
  const end = Math.min(stored?.sequence ?? 0, await source.size());
  const beginning = await emptyCursor(source);
  let cursor: Cursor = beginning;
  while (cursor.sequence < end) {
    const items = await source.read(cursor.sequence, Math.min(PAGE_ENTRIES, end - cursor.sequence));
    if (items.length === 0) break;
    cursor = await comparePage(db, items, cursor, report);
  }
  const changed = stored === undefined ? [] : changedColumns(stored, cursor);
  // The digest is over entries that are gone.
  const isLonger = beginning.sequence > 0 && (await hasRowsBelow(db, beginning.sequence));
  const columns = isLonger ? changed.filter((column) => column !== "digest") : changed;
  if (columns.length > 0) report.add({ table: "projection", key: "cursor", kind: "changed", columns });
  for (const table of TABLES)
    for (const row of await rowsOutside(db, table, end)) report.add({ table, key: keyOf(table, row), kind: "extra" });
  return {
    entries: cursor.sequence - beginning.sequence,
    rows: report.rows,
    findings: report.findings,
    unlisted: report.unlisted,
  };
}

class Report {
  rows = 0;
  unlisted = 0;
  readonly findings: Finding[] = [];
  add(finding: Finding): void {
    if (this.findings.length < MAX_FINDINGS) this.findings.push(finding);
    else this.unlisted++;
  }
}

async function comparePage(db: Kysely<Tables>, items: readonly FeedItem[], from: Cursor, report: Report): Promise<Cursor> {
  const expected = new Map<DerivedTable, Row[]>();
  let cursor = from;
  for (const item of items) {
    const { rows, hash } = deriveChecked(item);
    cursor = advance(cursor, hash);
    for (const [table, some] of Object.entries(rows) as [DerivedTable, Row[]][])
      expected.set(table, [...(expected.get(table) ?? []), ...some]);
  }
  for (const table of TABLES) {
    const wanted = new Map((expected.get(table) ?? []).map((row) => [keyOf(table, row), asStored(row)]));
    for (const row of await rowsBetween(db, table, from.sequence, cursor.sequence)) {
      const key = keyOf(table, row);
      const match = wanted.get(key);
      wanted.delete(key);
      report.rows++;
      if (match === undefined) report.add({ table, key, kind: "extra" });
      else {
        const columns = Object.keys(match).filter((column) => !isDeepStrictEqual(match[column], row[column]));
        if (columns.length > 0) report.add({ table, key, kind: "changed", columns });
      }
    }
    for (const key of wanted.keys()) report.add({ table, key, kind: "missing" });
  }
  return cursor;
}

/** The row as JSON from the database would have it. */
const asStored = (row: Row): Row => JSON.parse(toJsonText(row)) as Row;
const keyOf = (table: DerivedTable, row: Row): string => PRIMARY_KEYS[table].map((column) => String(row[column])).join("/");

async function rowsBetween(db: Kysely<Tables>, table: DerivedTable, from: number, to: number): Promise<Row[]> {
  const { rows } = await sql<{ row: Row }>`
    select to_jsonb(t) as row from ${sql.id(SCHEMA, table)} t where sequence >= ${from} and sequence < ${to}`.execute(db);
  return rows.map(({ row }) => row);
}

/** Rows that no entry up to the cursor accounts for; what is projected meanwhile lies below the cursor of the same snapshot. */
async function rowsOutside(db: Kysely<Tables>, table: DerivedTable, end: number): Promise<Row[]> {
  const { rows } = await sql<{ row: Row }>`
    select to_jsonb(t) as row from ${sql.id(SCHEMA, table)} t
    where sequence < 0 or sequence >= greatest(${end}::bigint, (select coalesce(max(sequence), 0) from xinglin.projection))
    order by sequence limit ${MAX_FINDINGS}`.execute(db);
  return rows.map(({ row }) => row);
}

async function hasRowsBelow(db: Kysely<Tables>, sequence: number): Promise<boolean> {
  return (
    (await db.selectFrom("xinglin.entries").select("sequence").where("sequence", "<", sequence).limit(1).execute()).length > 0
  );
}

function changedColumns(a: Cursor, b: Cursor): string[] {
  const columns: string[] = [];
  if (a.chain !== b.chain) columns.push("chain");
  if (a.sequence !== b.sequence) columns.push("sequence");
  if (!equal(a.lastHash ?? new Uint8Array(0), b.lastHash ?? new Uint8Array(0))) columns.push("last_hash");
  if (!equal(a.digest, b.digest)) columns.push("digest");
  return columns;
}
