/**
 * Keeping and dropping what a search may know of records. Rows leave in the SQL transaction that projects the end, the withdrawal or the next version of
 * their record. Source: requirement D7; docs/internals/search.md.
 */
import type { Description, RecordClass } from "@xinglin/contracts";
import type { Bytes } from "@xinglin/primitives";
import { type Kysely, type RawBuilder, sql } from "kysely";
import { bytea, type JsonRows, toJsonText } from "../project/json-row.ts";
import type { Tables } from "../store/tables.ts";

/** A record with its description: whose and what it is was looked up, not taken from whoever described it. */
export interface DescriptionToKeep {
  readonly record: string;
  /** Of a record of its own; else `batch`, its root. */
  readonly version?: number;
  readonly batch?: Bytes;
  readonly source: string;
  readonly patient: string;
  readonly class: RecordClass;
  readonly description: Description;
}

/** Writes descriptions, in place of what stood there of the same records of the same source; all of them or none. */
export async function keepDescriptions(db: Kysely<Tables>, described: readonly DescriptionToKeep[]): Promise<void> {
  if (described.length === 0) return;
  // Of a record that comes twice the last one counts.
  const last = [...new Map(described.map((one) => [one.record, one])).values()];
  const entries = last.flatMap(({ record, description }) =>
    description.format === "dicom"
      ? []
      : description.entries.map(({ type, code, status, firstMonth, lastMonth }) => ({
          record,
          type,
          system: code?.system,
          code: code?.code,
          status,
          first_month: firstMonth,
          last_month: lastMonth,
        })),
  );
  await db.transaction().execute(async (tx) => {
    await withEntries(
      tx,
      sql`delete from xinglin_search.records s
        using unnest(${last.map(({ record }) => record)}::text[], ${last.map(({ source }) => source)}::text[]) as n(record, source)
        where s.record = n.record and s.source = n.source returning s.record`,
    );
    await sql`insert into xinglin_search.records
      select * from jsonb_populate_recordset(null::xinglin_search.records, ${toJsonText(last.map(rowOf))}::jsonb)`.execute(tx);
    if (entries.length > 0)
      await sql`insert into xinglin_search.entries
        select * from jsonb_populate_recordset(null::xinglin_search.entries, ${toJsonText(entries)}::jsonb)`.execute(tx);
  });
}

/** Forgets what is known of these records. */
export const dropDescriptions = (db: Kysely<Tables>, records: readonly string[]): Promise<void> => drop(db, records);

async function drop(db: Kysely<Tables>, records: readonly string[]): Promise<void> {
  if (records.length === 0) return;
  await withEntries(db, sql`delete from xinglin_search.records where record = any(${records}::text[]) returning record`);
}

/** Runs a deletion of records together with that of their entries. No foreign key does it: its check of each row would cost more than all else of a filing. */
async function withEntries(db: Kysely<Tables>, deletion: RawBuilder<unknown>): Promise<void> {
  await sql`with gone as (${deletion}) delete from xinglin_search.entries e using gone where e.record = gone.record`.execute(db);
}

/** Up to `limit` records of which something is known, after the id `after`: to look whether they should still be. Without a version: one of a batch. */
export const describedRecords = (
  db: Kysely<Tables>,
  after: string,
  limit: number,
): Promise<readonly { readonly record: string; readonly version: number | null }[]> =>
  db
    .selectFrom("xinglin_search.records")
    .select(["record", "version"])
    .where("record", ">", after)
    .orderBy("record")
    .limit(limit)
    .execute();

/** Drops, inside the transaction that projects `rows`, the descriptions of what these ended, withdrew or put a new version over. */
export async function dropSuperseded(tx: Kysely<Tables>, rows: NonNullable<JsonRows["records"]>): Promise<void> {
  const closed = rows.filter(({ change }) => change === "withdrawn" || change === "ending").map(({ record }) => record);
  const renewed = rows.filter(({ change, version }) => change !== "custody_refreshed" && version !== null);
  await drop(tx, closed);
  if (renewed.length === 0) return;
  // A leaf has no version: any record that stands over it takes its place.
  await withEntries(
    tx,
    sql`delete from xinglin_search.records s
      using unnest(${renewed.map(({ record }) => record)}::text[], ${renewed.map(({ version }) => version)}::bigint[]) as n(record, version)
      where s.record = n.record and (s.version is null or s.version < n.version) returning s.record`,
  );
}

const NO_MONTH = 0;

function rowOf({ record, version, batch, source, patient, class: { level, category }, description }: DescriptionToKeep) {
  const whose = {
    record,
    version,
    ...(batch === undefined ? {} : { batch: bytea(batch) }),
    source,
    patient,
    level,
    category,
    format: description.format,
  };
  if (description.format === "dicom") {
    const { modalities, bodyParts, manufacturers, month, seriesClass, instanceClass, sliceMicrometres, contrast } = description;
    return {
      ...whose,
      first_month: month,
      last_month: month ?? NO_MONTH,
      modalities,
      body_parts: bodyParts,
      manufacturers,
      series_class: seriesClass,
      instance_class: instanceClass,
      slice_micrometres: sliceMicrometres,
      contrast,
    };
  }
  const firsts = description.entries.flatMap(({ firstMonth }) => firstMonth ?? []);
  const lasts = description.entries.flatMap(({ lastMonth }) => lastMonth ?? []);
  return {
    ...whose,
    ...(firsts.length === 0 ? {} : { first_month: Math.min(...firsts) }),
    last_month: Math.max(NO_MONTH, ...lasts),
  };
}
