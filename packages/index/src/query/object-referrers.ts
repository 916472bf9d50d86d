/** Which records name an archive object: asked before its pieces are dropped. Source: requirement D8. */
import { type Kysely, sql } from "kysely";
import type { Tables } from "../store/tables.ts";

/** A record one of whose versions names an object. */
export interface ObjectReferrer {
  /** Id of the object, in hex. */
  readonly object: string;
  readonly record: string;
  readonly source: string;
}

/** The records that ever named one of these objects, whatever became of them, each once. */
export async function objectReferrers(db: Kysely<Tables>, objects: readonly string[]): Promise<readonly ObjectReferrer[]> {
  const { rows } = await sql<ObjectReferrer>`
    select distinct r.object->>'id' as object, r.record, r.source from xinglin.records r
    where r.object->>'id' = any(${objects}::text[])
    order by 1, 2`.execute(db);
  return rows;
}

/** Ids, in hex, of the objects of records that have ended: few in most consortia, so the one walk over them finds what to look for on a store. */
export async function endedObjects(db: Kysely<Tables>): Promise<readonly string[]> {
  const { rows } = await sql<{ readonly object: string }>`
    select distinct r.object->>'id' as object from xinglin.records r
    where r.object is not null and r.record in (select e.record from xinglin.records e where e.change = 'ending')
    order by 1`.execute(db);
  return rows.map(({ object }) => object);
}
