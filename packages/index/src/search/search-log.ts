/**
 * Who searched this node for what, and which records it showed: written before the answer leaves, so that none leaves without it.
 * Source: requirement D7, D8; docs/decisions/0014-search.md.
 */
import type { SearchCriteria } from "@xinglin/contracts";
import { type Kysely, sql } from "kysely";
import { type Page, type PageRequest, pageOf } from "../query/page.ts";
import type { Tables } from "../store/tables.ts";
import type { SearchLogRow } from "./tables.ts";

/** A search that is answered. */
export interface LoggedSearch extends Omit<SearchLogRow, "number" | "criteria" | "shown" | "approval"> {
  readonly approval?: string;
  readonly criteria: SearchCriteria;
  readonly records: readonly { readonly record: string; readonly patient: string }[];
}

/** Writes one line of the log and what it showed, together. */
export async function logSearch(db: Kysely<Tables>, { records, criteria, ...search }: LoggedSearch): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const values = { ...search, approval: search.approval ?? null, criteria: JSON.stringify(criteria), shown: records.length };
    const { number } = await tx
      .insertInto("xinglin_search.searches")
      .values(values as never)
      .returning("number")
      .executeTakeFirstOrThrow();
    if (records.length > 0)
      await tx
        .insertInto("xinglin_search.shown")
        .values(records.map(({ record, patient }) => ({ search: number, record, patient })))
        .execute();
  });
}

/** One line of the log, as it is told. */
export interface SearchLogView extends Omit<SearchLogRow, "approval"> {
  readonly approval?: string;
}

/** The searches of this node, newest first; `before` is a line's number. */
export async function listSearches(db: Kysely<Tables>, page: PageRequest): Promise<Page<SearchLogView>> {
  let query = db.selectFrom("xinglin_search.searches").selectAll();
  if (page.before !== undefined) query = query.where("number", "<", page.before);
  const rows = await query
    .orderBy("number", "desc")
    .limit(page.limit + 1)
    .execute();
  return pageOf(rows, page.limit, ({ number }) => number, viewOf);
}

/** What a patient is told of a search: who and why, what it showed of the patient, and not what was looked for. */
export interface PatientSearchView {
  readonly number: number;
  readonly time: number;
  readonly actor: string;
  readonly member: string;
  readonly purpose: string;
  readonly records: readonly string[];
}

/** The searches that showed something of a patient, newest first. */
export async function listSearchesOf(db: Kysely<Tables>, patient: string, page: PageRequest): Promise<Page<PatientSearchView>> {
  const records = sql<string[]>`array_agg(w.record order by w.record)`.as("records");
  let query = db
    .selectFrom("xinglin_search.shown as w")
    .innerJoin("xinglin_search.searches as s", "s.number", "w.search")
    .select(["s.number", "s.time", "s.actor", "s.member", "s.purpose", records])
    .where("w.patient", "=", patient)
    .groupBy(["s.number", "s.time", "s.actor", "s.member", "s.purpose"]);
  if (page.before !== undefined) query = query.where("s.number", "<", page.before);
  const rows = await query
    .orderBy("s.number", "desc")
    .limit(page.limit + 1)
    .execute();
  return pageOf(
    rows,
    page.limit,
    ({ number }) => number,
    (row) => row,
  );
}

const viewOf = ({ approval, ...row }: SearchLogRow): SearchLogView => ({ ...row, ...(approval === null ? {} : { approval }) });
