/** Records as their changes leave them: whose, of what class, where, in which custody, and every version. Source: requirements C3, D8. */
import { Fault } from "@xinglin/primitives";
import { type Kysely, sql } from "kysely";
import type { CustodyJson, ObjectJson, RecordRow, Tables } from "../store/tables.ts";
import { type Page, type PageRequest, pageOf } from "./page.ts";

export interface RecordView {
  /** Of the newest change: what its proof is asked for by. */
  readonly sequence: number;
  readonly height: number;
  readonly record: string;
  readonly version: number;
  readonly status: "current" | "withdrawn" | "ending";
  readonly patient: string;
  readonly source: string;
  readonly class: { readonly level: string; readonly category: string };
  readonly format: string;
  readonly object: ObjectJson;
  readonly custody: CustodyJson;
  readonly anchoredAt: number;
  readonly history: readonly RecordChangeView[];
}
export interface RecordChangeView {
  readonly sequence: number;
  readonly height: number;
  readonly time: number;
  readonly change: string;
  /** Version that the change made or concerned. */
  readonly version: number;
  readonly by: { readonly actor: string; readonly key: string; readonly device?: string };
}

/** The records that stand under a patient now, the latest filed first. */
export async function listRecords(db: Kysely<Tables>, patient: string, page: PageRequest): Promise<Page<RecordView>> {
  const before = page.before ?? Number.MAX_SAFE_INTEGER;
  // A record that was filed again under another patient has two rows with a patient; the newer one counts.
  const { rows: filed } = await sql<{ record: string; sequence: number }>`
    select r.record, r.sequence from xinglin.records r
    where r.patient = ${patient} and r.sequence < ${before} and not exists (
      select from xinglin.records later where later.record = r.record and later.patient is not null and later.sequence > r.sequence)
    order by r.sequence desc limit ${page.limit + 1}`.execute(db);
  const changes = await changesOf(
    db,
    filed.map(({ record }) => record),
  );
  return pageOf(
    filed,
    page.limit,
    ({ sequence }) => sequence,
    ({ record }) => foldRecord(changes.get(record) ?? []),
  );
}

/** One record, or `undefined` if there is none of that id. */
export async function findRecord(db: Kysely<Tables>, record: string): Promise<RecordView | undefined> {
  const changes = (await changesOf(db, [record])).get(record);
  return changes === undefined ? undefined : foldRecord(changes);
}

async function changesOf(db: Kysely<Tables>, records: readonly string[]): Promise<Map<string, RecordRow[]>> {
  const rows = await db
    .selectFrom("xinglin.records")
    .selectAll()
    .where("record", "=", sql<string>`any(${records}::text[])`)
    .orderBy("sequence")
    .execute();
  return Map.groupBy(rows, ({ record }) => record);
}

/** What the changes of one record, oldest first, come to. */
function foldRecord(changes: readonly RecordRow[]): RecordView {
  const history: RecordChangeView[] = [];
  let version = 0;
  let custody: CustodyJson | null = null;
  let status: RecordView["status"] = "current";
  for (const row of changes) {
    const { sequence, height, time, change, actor, key, device } = row;
    if (change === "anchored" || change === "amended" || change === "refiled") version++;
    // An older version's custody can be refreshed too.
    if (row.custody !== null && (row.version ?? version) === version) custody = row.custody;
    if (change === "withdrawn" || change === "ending") status = change;
    history.push({
      sequence,
      height,
      time,
      change,
      version: row.version ?? version,
      by: { actor, key, ...(device === null ? {} : { device }) },
    });
  }
  const [anchored] = changes;
  const newest = changes.at(-1);
  const last = <Column extends "patient" | "object">(column: Column): NonNullable<RecordRow[Column]> => {
    const value = changes.findLast((change) => change[column] !== null)?.[column];
    if (value === undefined || value === null) throw new Fault("index_inconsistent", { table: "records" });
    return value;
  };
  if (
    anchored?.level == null ||
    anchored.category === null ||
    anchored.format === null ||
    newest === undefined ||
    custody === null
  )
    throw new Fault("index_inconsistent", { table: "records" });
  return {
    sequence: newest.sequence,
    height: newest.height,
    record: anchored.record,
    version,
    status,
    patient: last("patient"),
    source: anchored.source,
    class: { level: anchored.level, category: anchored.category },
    format: anchored.format,
    object: last("object"),
    custody,
    anchoredAt: anchored.time,
    history,
  };
}
