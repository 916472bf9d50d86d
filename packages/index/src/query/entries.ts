/** Audit entries as JSON. Source: requirement C10; design.md, "Audit log". */
import { toHex } from "@xinglin/primitives";
import type { Kysely } from "kysely";
import type { EntryRow, Tables } from "../store/tables.ts";
import { type Page, type PageRequest, pageOf } from "./page.ts";
import { seenBy, type Viewer } from "./viewer.ts";

/** Who signed what an entry is about; ids only. */
export interface SignedBy {
  readonly actor: string;
  readonly key: string;
  readonly member: string;
  readonly device?: string;
}
/** One audit entry. `sequence` and `height` are what its proof is asked for by; times are seconds UTC; hashes are hex. */
export interface EntryView {
  readonly sequence: number;
  readonly height: number;
  readonly time: number;
  readonly hash: string;
  readonly transaction: string;
  readonly position: number;
  readonly operation: string;
  readonly by: SignedBy;
  readonly outcome: "accepted" | "refused";
  readonly code?: string;
  readonly facts?: Readonly<Record<string, string | number>>;
  readonly subject: Readonly<Record<string, string | number>>;
  readonly reason?: unknown;
}

/** Which entries: of one patient, of one record, or both. */
export interface EntryFilter {
  readonly patient?: string;
  readonly record?: string;
}

/** Entries that `viewer` may see, newest first. */
export async function listEntries(
  db: Kysely<Tables>,
  viewer: Viewer,
  filter: EntryFilter,
  page: PageRequest,
): Promise<Page<EntryView>> {
  let query = db.selectFrom("xinglin.entries").selectAll().where(seenBy(viewer));
  if (filter.patient !== undefined) query = query.where("patient", "=", filter.patient);
  if (filter.record !== undefined) query = query.where("record", "=", filter.record);
  if (page.before !== undefined) query = query.where("sequence", "<", page.before);
  const rows = await query
    .orderBy("sequence", "desc")
    .limit(page.limit + 1)
    .execute();
  return pageOf(rows, page.limit, (row) => row.sequence, entryView);
}

/** Up to `limit` entries after `sequence` that `viewer` may see, oldest first: what a live stream sends next. */
export async function entriesAfter(db: Kysely<Tables>, viewer: Viewer, sequence: number, limit: number): Promise<EntryView[]> {
  const rows = await db
    .selectFrom("xinglin.entries")
    .selectAll()
    .where("sequence", ">", sequence)
    .where(seenBy(viewer))
    .orderBy("sequence")
    .limit(limit)
    .execute();
  return rows.map(entryView);
}

/** Whether `viewer` may see the entry at `sequence`; false if there is none. */
export async function maySeeEntry(db: Kysely<Tables>, viewer: Viewer, sequence: number): Promise<boolean> {
  const query = db.selectFrom("xinglin.entries").select("sequence").where("sequence", "=", sequence).where(seenBy(viewer));
  return (await query.executeTakeFirst()) !== undefined;
}

export const entryView = (row: EntryRow): EntryView => ({
  sequence: row.sequence,
  height: row.height,
  time: row.time,
  hash: toHex(row.hash),
  transaction: toHex(row.transaction),
  position: row.position,
  operation: row.operation,
  by: signedBy(row),
  outcome: row.outcome,
  ...(row.code === null ? {} : { code: row.code }),
  ...(row.facts === null ? {} : { facts: row.facts }),
  subject: subjectOf(row),
  ...(row.reason === null ? {} : { reason: row.reason }),
});

export const signedBy = (row: { actor: string; key: string; member: string; device: string | null }): SignedBy => ({
  actor: row.actor,
  key: row.key,
  member: row.member,
  ...(row.device === null ? {} : { device: row.device }),
});

function subjectOf(row: EntryRow): Record<string, string | number> {
  const { patient, record, version, number, credential, approval } = row;
  const batch = row.batch === null ? null : toHex(row.batch);
  const named = {
    patient,
    record,
    version,
    number,
    credential,
    actor: row.subject_actor,
    member: row.subject_member,
    approval,
    batch,
  };
  return Object.fromEntries(Object.entries(named).filter((pair): pair is [string, string | number] => pair[1] !== null));
}
