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
  readonly object: ObjectJson;
}

/** Objects, the latest anchored first; of one source institution if it is given. A page ends after all packs of a batch, so it may hold more than its limit. */
export async function listObjects(db: Kysely<Tables>, page: PageRequest, source?: string): Promise<Page<ObjectView>> {
  let records = db
    .selectFrom("xinglin.records")
    .select(["sequence", "source", "record", "object"])
    .where("object", "is not", null)
    .where(sql<boolean>`object->'slice' is null`)
    .orderBy("sequence", "desc")
    .limit(page.limit + 1);
  let batches = db
    .selectFrom("xinglin.batches")
    .select(["sequence", "source", "root", "packs"])
    .where("packs", "is not", null)
    .orderBy("sequence", "desc")
    .limit(page.limit + 1);
  let kept = db
    .selectFrom("xinglin.kept_objects as k")
    .select(["k.sequence", "k.source", "k.object"])
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

const viewOfRecord = (row: { sequence: number; source: string; record: string; object: ObjectJson | null }): Anchor => ({
  sequence: row.sequence,
  views: [{ sequence: row.sequence, record: row.record, source: row.source, object: row.object as ObjectJson }],
});

function viewOfKept(row: { sequence: number; source: string; object: ObjectJson | null; dropped: unknown }): Anchor {
  const { sequence, source, object } = row;
  const status = row.dropped === true ? "dropped" : "kept";
  return { sequence, views: [{ sequence, status, source, object: object as ObjectJson }] };
}

function viewsOfBatch(row: { sequence: number; source: string; root: Uint8Array; packs: readonly ObjectJson[] | null }): Anchor {
  const { sequence, source, root } = row;
  const batch = toHex(root);
  return { sequence, views: (row.packs ?? []).map((object) => ({ sequence, batch, source, object })) };
}
