/** What names an archive object: asked before its pieces are dropped. Source: requirement D8. */
import { type Kysely, sql } from "kysely";
import type { Tables } from "../store/tables.ts";

/** A record one of whose versions names an object, or a batch that names it as a pack of many records. */
export interface ObjectReferrer {
  /** Id of the object, in hex. */
  readonly object: string;
  /** Null for a batch, which does not end. */
  readonly record: string | null;
  readonly source: string;
}

/** What ever named one of these objects, whatever became of it, each once. */
export async function objectReferrers(db: Kysely<Tables>, objects: readonly string[]): Promise<readonly ObjectReferrer[]> {
  const { rows } = await sql<ObjectReferrer>`
    select distinct r.object->>'id' as object, r.record, r.source from xinglin.records r
    where r.object->>'id' = any(${objects}::text[])
    union select distinct p.value->>'id', null, b.source from xinglin.batches b, jsonb_array_elements(b.packs) p
    where b.packs is not null and p.value->>'id' = any(${objects}::text[])
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
