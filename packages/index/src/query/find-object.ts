/** What names an archive object, a record version, a batch or a member that keeps it: what a lender holds a repair against. Source: requirement D3. */
import { toHex } from "@xinglin/primitives";
import { type Kysely, sql } from "kysely";
import type { ObjectJson, Tables } from "../store/tables.ts";

/** An object with the record, or of a pack the batch (root in hex), that names it; neither of one that a member keeps for several versions. */
export interface FoundObject {
  readonly record?: string;
  readonly batch?: string;
  readonly source: string;
  readonly object: ObjectJson;
}

/** The newest anchor of an object, by its id in hex; undefined if nothing ever named it. */
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
  if (batch !== undefined && pack !== undefined) return { batch: toHex(batch.root), source: batch.source, object: pack };
  // The first of several: who sees an id on its store comes later than who drew it.
  const kept = await db
    .selectFrom("xinglin.kept_objects")
    .select(["source", "object"])
    .where("id", "=", id)
    .where("change", "=", "kept")
    .orderBy("sequence")
    .limit(1)
    .executeTakeFirst();
  return kept === undefined ? undefined : { source: kept.source, object: kept.object as ObjectJson };
}
