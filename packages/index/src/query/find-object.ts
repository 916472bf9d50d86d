/** The record version that an archive object is of: what a lender holds a repair against. Source: requirement D3. */
import { type Kysely, sql } from "kysely";
import type { ObjectJson, Tables } from "../store/tables.ts";

/** The newest anchor of an object, by its id in hex; undefined if no record ever named it. */
export async function findObject(
  db: Kysely<Tables>,
  id: string,
): Promise<{ readonly record: string; readonly source: string; readonly object: ObjectJson } | undefined> {
  const found = await db
    .selectFrom("xinglin.records")
    .select(["record", "source", "object"])
    .where(sql<boolean>`object->>'id' = ${id}`)
    .orderBy("sequence", "desc")
    .limit(1)
    .executeTakeFirst();
  return found === undefined ? undefined : { record: found.record, source: found.source, object: found.object as ObjectJson };
}
