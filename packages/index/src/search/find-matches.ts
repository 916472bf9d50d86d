/**
 * Records that meet a search's criteria and that the caller might be permitted to ask for. Whether it is, the chain's state decides afterwards: this leaves
 * out only records that no directive could open, so that a search costs no more for patients who have nothing to do with the caller.
 * Source: requirement D7; docs/internals/search.md.
 */
import type { RecordClass, SearchCriteria } from "@xinglin/contracts";
import type { CredentialId, MemberId } from "@xinglin/primitives";
import { type Kysely, sql } from "kysely";
import type { Tables } from "../store/tables.ts";
import type { SearchRecordRow } from "./tables.ts";

/** Where a page ended, or 0 and an id past all for its beginning. */
export interface SearchPlace {
  readonly month: number;
  readonly record: string;
}

/** Who asks, with what, and what is asked for. */
export interface MatchQuery {
  readonly criteria: SearchCriteria;
  readonly member: MemberId;
  readonly approval?: CredentialId;
  /** Classes that need no directive of the patient. */
  readonly open: readonly RecordClass[];
  /** Of one member; absent: of all whose records are described here. */
  readonly source?: MemberId;
  readonly after?: SearchPlace;
  readonly limit: number;
}

/** A described record, whose it is and where it stands among the others. */
export type Match = Pick<
  SearchRecordRow,
  "record" | "version" | "batch" | "source" | "patient" | "level" | "category" | "format" | "last_month"
>;

/** Newest month first, of one month by the record's id, which says nothing. */
export async function findMatches(db: Kysely<Tables>, asked: MatchQuery): Promise<readonly Match[]> {
  const { criteria, after } = asked;
  let query = db
    .selectFrom("xinglin_search.records as s")
    .select(["s.record", "s.version", "s.batch", "s.source", "s.patient", "s.level", "s.category", "s.format", "s.last_month"])
    .where(await mayConcern(db, asked));
  if (asked.source !== undefined) query = query.where("s.source", "=", asked.source);
  if (after !== undefined) query = query.where(sql<boolean>`(s.last_month, s.record) < (${after.month}::int, ${after.record})`);
  const { category, modality, bodyPart, manufacturer, maxSliceMicrometres, contrast } = criteria;
  if (category !== undefined) query = query.where("s.category", "=", category);
  if (modality !== undefined) query = query.where(sql<boolean>`s.modalities @> array[${modality}]::text[]`);
  if (bodyPart !== undefined) query = query.where(sql<boolean>`s.body_parts @> array[${bodyPart}]::text[]`);
  if (manufacturer !== undefined) query = query.where(sql<boolean>`s.manufacturers @> array[${manufacturer}]::text[]`);
  if (maxSliceMicrometres !== undefined) query = query.where("s.slice_micrometres", "<=", maxSliceMicrometres);
  if (contrast !== undefined) query = query.where("s.contrast", "=", contrast);
  const entry = entryConditions(criteria);
  if (entry.length > 0)
    query = query.where(
      sql<boolean>`exists (select from xinglin_search.entries e where e.record = s.record and ${sql.join(entry, sql` and `)})`,
    );
  else for (const condition of within("s", criteria)) query = query.where(condition);
  return query.orderBy("s.last_month", "desc").orderBy("s.record", "desc").limit(asked.limit).execute();
}

/** Type, code, status and, with any of these, the months are of one entry. */
function entryConditions(criteria: SearchCriteria) {
  const { resourceType, code, status } = criteria;
  const own = [
    ...(resourceType === undefined ? [] : [sql<boolean>`e.type = ${resourceType}`]),
    ...(code === undefined ? [] : [sql<boolean>`e.system = ${code.system} and e.code = ${code.code}`]),
    ...(status === undefined ? [] : [sql<boolean>`e.status = ${status}`]),
  ];
  return own.length === 0 ? [] : [...own, ...within("e", criteria)];
}

const within = (table: "s" | "e", { fromMonth, toMonth }: SearchCriteria) => [
  ...(fromMonth === undefined ? [] : [sql<boolean>`${sql.ref(`${table}.last_month`)} >= ${fromMonth}::int`]),
  ...(toMonth === undefined ? [] : [sql<boolean>`${sql.ref(`${table}.first_month`)} <= ${toMonth}::int`]),
];

/**
 * A class that needs no directive, or a patient who ever named the caller's member, or the study: what was narrowed, revoked or denied since is the state's to
 * say. Where the log's beginning is not projected, no patient can be left out.
 */
async function mayConcern(db: Kysely<Tables>, { member, approval, open }: MatchQuery) {
  const { first } = await db
    .selectFrom("xinglin.entries")
    .select(sql<number | null>`min(sequence)`.as("first"))
    .executeTakeFirstOrThrow();
  if (first !== null && Number(first) > 0) return sql<boolean>`true`;
  const classes = open.map(({ level, category }) => `${category}/${level}`);
  return sql<boolean>`(s.category || '/' || s.level = any(${classes}::text[]) or exists (
    select from xinglin.directives d join xinglin.directive_grantees g on g.sequence = d.sequence
    where d.patient = s.patient and d.change = 'granted' and (g.member = ${member} or g.approval = ${approval ?? ""})))`;
}
