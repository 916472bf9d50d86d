/**
 * Rows as JSON, the form in which they travel to the database (`jsonb_populate_recordset`) and back for comparison (`to_jsonb`):
 * byte strings as PostgreSQL writes them in hex. Source: design.md, "Read model".
 */
import { type Bytes, toHex } from "@xinglin/primitives";
import type { DerivedTable, DerivedTables } from "../store/tables.ts";

/** The JSON form of a row type. */
export type JsonRow<Row> = {
  [Column in keyof Row]: Row[Column] extends Bytes ? string : Row[Column] extends Bytes | null ? string | null : Row[Column];
};

/** Rows by table; tables without a row are absent. */
export type JsonRows = { [Table in DerivedTable]?: JsonRow<DerivedTables[Table]>[] };

export const bytea = (bytes: Bytes): string => `\\x${toHex(bytes)}`;
export const byteaOrNull = (bytes: Bytes | undefined): string | null => (bytes === undefined ? null : bytea(bytes));

/**
 * JSON text that PostgreSQL takes whatever a refusal's facts may hold: `jsonb` has no place for U+0000 or half a surrogate pair, and an
 * entry that cannot be stored would stop the projection for good.
 */
export const toJsonText = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === "string" ? inner.replaceAll("\u0000", "\uFFFD").toWellFormed() : inner,
  );
