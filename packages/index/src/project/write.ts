/** Writes derived rows and the cursor behind them in one SQL transaction. Source: design.md, "Read model". */
import { type Kysely, sql } from "kysely";
import { dropSuperseded } from "../search/descriptions.ts";
import type { FeedItem } from "../source.ts";
import { SCHEMA } from "../store/migrate.ts";
import type { DerivedTable, Tables } from "../store/tables.ts";
import { advance, type Cursor, moveCursor } from "./cursor.ts";
import { derive } from "./derive.ts";
import { type JsonRows, toJsonText } from "./json-row.ts";

/** Projects `items`, which follow `from` without a gap, and returns the cursor behind them. */
export async function writeItems(db: Kysely<Tables>, from: Cursor, items: readonly FeedItem[]): Promise<Cursor> {
  const rows = new Map<DerivedTable, object[]>();
  let cursor = from;
  for (const item of items) {
    const derived = derive(item);
    cursor = advance(cursor, derived.hash);
    for (const [table, some] of Object.entries(derived.rows) as [DerivedTable, object[]][]) {
      const all = rows.get(table);
      if (all === undefined) rows.set(table, [...some]);
      else all.push(...some);
    }
  }
  await db.transaction().execute(async (tx) => {
    await moveCursor(tx, from, cursor);
    const changes = rows.get("records");
    if (changes !== undefined) await dropSuperseded(tx, changes as NonNullable<JsonRows["records"]>);
    for (const [table, some] of rows) {
      const name = sql.id(SCHEMA, table);
      // One parameter whatever the number of rows and columns, and the types are the table's own.
      await sql`insert into ${name} select * from jsonb_populate_recordset(null::${name}, ${toJsonText(some)}::jsonb)`.execute(
        tx,
      );
    }
  });
  return cursor;
}
