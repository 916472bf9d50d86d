/** What names an archive object, a record version or a batch: what a lender holds a repair against. Source: requirement D3. */
import { toHex } from "@xinglin/primitives";
import { type Kysely, sql } from "kysely";
import type { ObjectJson, Tables } from "../store/tables.ts";

/** An object with the record, or of a pack the batch (root in hex), that names it. */
export interface FoundObject {
  readonly record?: string;
  readonly batch?: string;
  readonly source: string;
  readonly object: ObjectJson;
}

/** The newest anchor of an object, by its id in hex; undefined if neither a record nor a batch ever named it. */
export async function findObject(db: Kysely<Tables>, id: string): Promise<FoundObject | undefined> {
  const found = await db
    .selectFrom("xinglin.records")
    .select(["record", "source", "object"])
    .where(sql<boolean>`object->>'id' = ${id}`)
    .where(sql<boolean>`object->'slice' is null`)
    .orderBy("sequence", "desc")
    .limit(1)
    .executeTakeFirst();
  if (found !== undefined) return { record: found.record, source: found.source, object: found.object as ObjectJson };
  const batch = await db
    .selectFrom("xinglin.batches")
    .select(["root", "source", "packs"])
    .where(sql<boolean>`packs @> ${JSON.stringify([{ id }])}::jsonb`)
    .orderBy("sequence", "desc")
    .limit(1)
    .executeTakeFirst();
  const pack = batch?.packs?.find((one) => one.id === id);
  return batch === undefined || pack === undefined ? undefined : { batch: toHex(batch.root), source: batch.source, object: pack };
}
