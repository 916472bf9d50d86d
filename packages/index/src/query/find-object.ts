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

/**
 * Who named an object first, by its id in hex: anybody may name any id, and who sees one on a store comes later than who drew it. With `source`,
 * among what that member named. Undefined if nothing did.
 */
export async function findObject(db: Kysely<Tables>, id: string, source?: string): Promise<FoundObject | undefined> {
  const record = await db
    .selectFrom("xinglin.records")
    .select(["sequence", "record", "source", "object"])
    .where(sql<boolean>`object->>'id' = ${id}`)
    .where(sql<boolean>`object->'slice' is null`)
    .$if(source !== undefined, (query) => query.where("source", "=", source as string))
    .orderBy("sequence")
    .limit(1)
    .executeTakeFirst();
  const batch = await db
    .selectFrom("xinglin.batches")
    .select(["sequence", "root", "source", "packs"])
    .where(sql<boolean>`packs @> ${JSON.stringify([{ id }])}::jsonb`)
    .$if(source !== undefined, (query) => query.where("source", "=", source as string))
    .orderBy("sequence")
    .limit(1)
    .executeTakeFirst();
  const kept = await db
    .selectFrom("xinglin.kept_objects")
    .select(["sequence", "source", "object"])
    .where("id", "=", id)
    .where("change", "=", "kept")
    .$if(source !== undefined, (query) => query.where("source", "=", source as string))
    .orderBy("sequence")
    .limit(1)
    .executeTakeFirst();
  const first = [record, batch, kept].filter((one) => one !== undefined).sort((a, b) => a.sequence - b.sequence)[0];
  if (first === undefined) return undefined;
  const named = { source: first.source };
  if (first === record) return { ...named, record: record.record, object: record.object as ObjectJson };
  if (first === kept) return { ...named, object: kept.object as ObjectJson };
  const object = batch?.packs?.find((pack) => pack.id === id);
  return batch === undefined || object === undefined ? undefined : { ...named, batch: toHex(batch.root), object };
}
