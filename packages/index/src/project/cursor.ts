/**
 * How far the projection has come, written in the SQL transaction that writes the rows. The hash of the last entry tells whether the
 * database belongs to the chain as it stands; the digest commits to every entry that was projected.
 * Source: design.md, "Read model" (the projection's cursor in the same SQL transaction).
 */
import { nodeSha256 } from "@xinglin/crypto/node";
import { type Bytes, concat, equal, Fault } from "@xinglin/primitives";
import { type Kysely, sql } from "kysely";
import type { Source } from "../source.ts";
import type { Tables } from "../store/tables.ts";

export interface Cursor {
  readonly chain: string;
  /** Entries projected: the sequence of the next one. */
  readonly sequence: number;
  readonly lastHash: Bytes | null;
  readonly digest: Bytes;
}

/** The cursor before anything is projected: at the oldest entry that the source has. */
export const emptyCursor = async (source: Source): Promise<Cursor> => ({
  chain: source.chain,
  sequence: (await source.first?.()) ?? 0,
  lastHash: null,
  digest: new Uint8Array(32),
});

/** The cursor behind one more entry, whose bytes hash to `hash`. */
export const advance = ({ chain, sequence, digest }: Cursor, hash: Bytes): Cursor => ({
  chain,
  sequence: sequence + 1,
  lastHash: hash,
  digest: nodeSha256(concat(digest, hash)),
});

/** The cursor that the database holds; `undefined` before the first projection. */
export async function readCursor(db: Kysely<Tables>): Promise<Cursor | undefined> {
  const row = await db.selectFrom("xinglin.projection").selectAll().executeTakeFirst();
  return row === undefined
    ? undefined
    : { chain: row.chain, sequence: row.sequence, lastHash: row.last_hash, digest: row.digest };
}

/**
 * Replaces `from` by `to`, inside the transaction of the rows. Throws `Fault("index_cursor_moved")` if the database does not stand at
 * `from`: someone else projects into it, or it was changed by hand.
 */
export async function moveCursor(tx: Kysely<Tables>, from: Cursor, to: Cursor): Promise<void> {
  const values = { singleton: true, chain: to.chain, sequence: to.sequence, last_hash: to.lastHash, digest: to.digest };
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto("xinglin.projection")
    .values(values)
    .onConflict((conflict) =>
      conflict
        .column("singleton")
        .doUpdateSet(values)
        .where("xinglin.projection.sequence", "=", from.sequence)
        .where("xinglin.projection.chain", "=", from.chain),
    )
    .executeTakeFirstOrThrow();
  if (numInsertedOrUpdatedRows !== 1n) throw new Fault("index_cursor_moved", {}, { retry: true });
}

/** Whether the cursor is one that this chain leads to, and the newest row is the cursor's. */
export async function standsOnChain(db: Kysely<Tables>, cursor: Cursor, source: Source): Promise<boolean> {
  if (cursor.chain !== source.chain || cursor.sequence > (await source.size())) return false;
  const { newest } = await db
    .selectFrom("xinglin.entries")
    .select(sql<number | null>`max(sequence)`.as("newest"))
    .executeTakeFirstOrThrow();
  if (newest === null && cursor.lastHash === null) return cursor.sequence === (await emptyCursor(source)).sequence;
  if (newest !== cursor.sequence - 1) return false;
  const [last] = await source.read(cursor.sequence - 1, 1);
  return last !== undefined && cursor.lastHash !== null && equal(nodeSha256(last.entryBytes), cursor.lastHash);
}
