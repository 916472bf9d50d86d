/**
 * Every archive object that was ever anchored, of all versions, every pack of a batch, and what members keep for several versions: what an audit of
 * the stores walks over. A record inside a pack stands for no object of its own. Source: requirement D3.
 */
import { toHex } from "@xinglin/primitives";
import { type Kysely, sql } from "kysely";
import type { KeptObjectChange, ObjectJson, Tables } from "../store/tables.ts";
import { type Page, type PageRequest, pageOf } from "./page.ts";

/** An object with the record, or of a pack the batch (root in hex), that names it; or with its status, if a member keeps it for several versions. */
export interface ObjectView {
  readonly sequence: number;
  readonly record?: string;
  readonly batch?: string;
  /** Of one that versions rely on. What was dropped is no loss. */
  readonly status?: KeptObjectChange;
  readonly source: string;
  /** Seconds UTC of the block that anchored it. */
  readonly time: number;
  /** Of the last permitted read of its record, or of pixels of the record that brought them. Not asked of packs: their reads name batches. */
  readonly readAt?: number;
  readonly object: ObjectJson;
}

/** Objects, the latest anchored first; of one source institution if it is given. A page ends after all packs of a batch, so it may hold more than its limit. */
export async function listObjects(db: Kysely<Tables>, page: PageRequest, source?: string): Promise<Page<ObjectView>> {
  let records = db
    .selectFrom("xinglin.records")
    .select(["sequence", "source", "time", "record", "object"])
    .select(
      sql<number | null>`(select max(a.time) from xinglin.accesses a
      where a.record = xinglin.records.record and a.outcome = 'accepted')`.as("read_at"),
    )
    .where("object", "is not", null)
    .where(sql<boolean>`object->'slice' is null`)
    .orderBy("sequence", "desc")
    .limit(page.limit + 1);
  let batches = db
    .selectFrom("xinglin.batches")
    .select(["sequence", "source", "time", "root", "packs"])
    .where("packs", "is not", null)
    .orderBy("sequence", "desc")
    .limit(page.limit + 1);
  let kept = db
    .selectFrom("xinglin.kept_objects as k")
    .select(["k.sequence", "k.source", "k.time", "k.object"])
    // What is kept stands in the transaction of the version that brought it, after its anchor.
    .select(
      sql<number | null>`(select max(a.time) from xinglin.accesses a where a.outcome = 'accepted' and a.record =
      (select r.record from xinglin.records r where r.sequence < k.sequence and r.height = k.height and r.source = k.source
       order by r.sequence desc limit 1))`.as("read_at"),
    )
    .select(({ exists, selectFrom }) =>
      exists(
        selectFrom("xinglin.kept_objects as d")
          .select("d.sequence")
          .whereRef("d.id", "=", "k.id")
          .whereRef("d.source", "=", "k.source")
          .where("d.change", "=", "dropped"),
      ).as("dropped"),
    )
    .where("k.change", "=", "kept")
    .orderBy("k.sequence", "desc")
    .limit(page.limit + 1);
  if (page.before !== undefined) {
    records = records.where("sequence", "<", page.before);
    batches = batches.where("sequence", "<", page.before);
    kept = kept.where("k.sequence", "<", page.before);
  }
  if (source !== undefined) {
    records = records.where("source", "=", source);
    batches = batches.where("source", "=", source);
    kept = kept.where("k.source", "=", source);
  }
  const rows = [
    ...(await records.execute()).map(viewOfRecord),
    ...(await batches.execute()).map(viewsOfBatch),
    ...(await kept.execute()).map(viewOfKept),
  ];
  rows.sort((a, b) => b.sequence - a.sequence);
  const { items, ...next } = pageOf(
    rows,
    page.limit,
    ({ sequence }) => sequence,
    ({ views }) => views,
  );
  return { items: items.flat(), ...next };
}

interface Anchor {
  readonly sequence: number;
  readonly views: readonly ObjectView[];
}

/** What every row has. */
interface Named {
  readonly sequence: number;
  readonly source: string;
  readonly time: number;
}
interface ReadNamed extends Named {
  readonly object: ObjectJson | null;
  readonly read_at: number | null;
}

function viewOfRecord({ record, ...row }: ReadNamed & { readonly record: string }): Anchor {
  return { sequence: row.sequence, views: [{ record, ...viewOf(row) }] };
}

function viewOfKept({ dropped, ...row }: ReadNamed & { readonly dropped: unknown }): Anchor {
  return { sequence: row.sequence, views: [{ status: dropped === true ? "dropped" : "kept", ...viewOf(row) }] };
}

const viewOf = ({ sequence, source, time, read_at: readAt, object }: ReadNamed): ObjectView => ({
  sequence,
  source,
  time,
  ...(readAt === null ? {} : { readAt: Number(readAt) }),
  object: object as ObjectJson,
});

function viewsOfBatch(row: Named & { readonly root: Uint8Array; readonly packs: readonly ObjectJson[] | null }): Anchor {
  const { sequence, source, time, root } = row;
  const batch = toHex(root);
  return { sequence, views: (row.packs ?? []).map((object) => ({ sequence, batch, source, time, object })) };
}
