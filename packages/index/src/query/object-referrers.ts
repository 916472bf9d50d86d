/** What names an archive object: asked before its pieces are dropped. Source: requirement D8. */
import { type Kysely, sql } from "kysely";
import type { Tables } from "../store/tables.ts";

/** A record one of whose versions names an object, a batch that names it as a pack of many records, or a member that keeps it for versions of its records. */
export interface ObjectReferrer {
  /** Id of the object, in hex. */
  readonly object: string;
  /** Null for a batch, which does not end, and for a member. */
  readonly record: string | null;
  /** Of a member only: whether it keeps it, or dropped it. */
  readonly kept: boolean | null;
  readonly source: string;
}

/** What ever named one of these objects, whatever became of it, each once. */
export async function objectReferrers(db: Kysely<Tables>, objects: readonly string[]): Promise<readonly ObjectReferrer[]> {
  const { rows } = await sql<ObjectReferrer>`
    select distinct r.object->>'id' as object, r.record, null::boolean as kept, r.source from xinglin.records r
    where r.object->>'id' = any(${objects}::text[])
    union select distinct p.value->>'id', null, null::boolean, b.source from xinglin.batches b, jsonb_array_elements(b.packs) p
    where b.packs is not null and p.value->>'id' = any(${objects}::text[])
    union select k.id, null, bool_and(k.change = 'kept'), k.source from xinglin.kept_objects k
    where k.id = any(${objects}::text[]) group by k.id, k.source
    order by 1, 2`.execute(db);
  return rows;
}

/**
 * Ids, in hex, of the objects of records that have ended and of those that were dropped: few in most consortia, so the one walk over them finds what
 * to look for on a store.
 */
export async function endedObjects(db: Kysely<Tables>): Promise<readonly string[]> {
  const { rows } = await sql<{ readonly object: string }>`
    select distinct r.object->>'id' as object from xinglin.records r
    where r.object is not null and r.record in (select e.record from xinglin.records e where e.change = 'ending')
    union select k.id from xinglin.kept_objects k where k.change = 'dropped'
    order by 1`.execute(db);
  return rows.map(({ object }) => object);
}
