/** Every archive object that was ever anchored, of all versions: what an audit of the stores walks over. Source: requirement D3. */
import type { Kysely } from "kysely";
import type { ObjectJson, Tables } from "../store/tables.ts";
import { type Page, type PageRequest, pageOf } from "./page.ts";

export interface ObjectView {
  readonly sequence: number;
  readonly record: string;
  readonly source: string;
  readonly object: ObjectJson;
}

/** Objects, the latest anchored first; of one source institution if it is given. */
export async function listObjects(db: Kysely<Tables>, page: PageRequest, source?: string): Promise<Page<ObjectView>> {
  let query = db
    .selectFrom("xinglin.records")
    .select(["sequence", "record", "source", "object"])
    .where("object", "is not", null)
    .orderBy("sequence", "desc")
    .limit(page.limit + 1);
  if (page.before !== undefined) query = query.where("sequence", "<", page.before);
  if (source !== undefined) query = query.where("source", "=", source);
  return pageOf(
    await query.execute(),
    page.limit,
    ({ sequence }) => sequence,
    ({ sequence, record, source: from, object }) => ({ sequence, record, source: from, object: object as ObjectJson }),
  );
}
