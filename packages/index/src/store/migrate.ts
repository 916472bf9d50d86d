/**
 * Brings the tables to the newest of the hand-written migrations, the same files on both engines.
 * Source: design.md, "Read model" (one SQL, one migration path).
 */
import { readdir, readFile } from "node:fs/promises";
import { Fault } from "@xinglin/primitives";
import { type Kysely, sql } from "kysely";
import { DEFAULT_MIGRATION_TABLE, type Migration, Migrator } from "kysely/migration";
import type { Tables } from "./tables.ts";

/** Everything of the read model stands in this schema, so that it can share a server with other data. */
export const SCHEMA = "xinglin";
/** SQLSTATEs of a schema or table that is not there yet. */
const UNDEFINED: ReadonlySet<string> = new Set(["3F000", "42P01"]);
const FOLDER = new URL("../../migrations/", import.meta.url);

async function migrations(): Promise<Record<string, Migration>> {
  const found: Record<string, Migration> = {};
  for (const name of (await readdir(FOLDER)).filter((file) => file.endsWith(".sql")).sort()) {
    const text = await readFile(new URL(name, FOLDER), "utf8");
    // One statement a call: the extended protocol takes no more. The files hold nothing but statements that end a line with `;`.
    const statements = text.split(/;\s*$/m).filter((statement) => statement.trim() !== "");
    found[name] = {
      up: async (db) => {
        for (const statement of statements) await sql.raw(statement).execute(db);
      },
    };
  }
  return found;
}

/** Throws `Fault("index_migration_failed", { migration })`, or what the connection throws. */
export async function migrate(db: Kysely<Tables>): Promise<void> {
  if (await isCurrent(db)) return;
  const migrator = new Migrator({ db, provider: { getMigrations: migrations }, migrationTableSchema: SCHEMA });
  const { error, results } = await migrator.migrateToLatest();
  if (error === undefined) return;
  const failed = results?.find((result) => result.status === "Error")?.migrationName;
  if (failed === undefined && error instanceof Fault) throw error;
  throw new Fault("index_migration_failed", { migration: failed ?? "unknown" }, { cause: error });
}

/** Whether nothing is to be done: asking costs a millisecond, the migrator's own look around a second of a start. */
async function isCurrent(db: Kysely<Tables>): Promise<boolean> {
  const wanted = Object.keys(await migrations());
  try {
    const { rows } = await sql<{
      name: string;
    }>`select name from ${sql.id(SCHEMA, DEFAULT_MIGRATION_TABLE)} order by name`.execute(db);
    return rows.map(({ name }) => name).join() === wanted.join();
  } catch (error) {
    if (error instanceof Fault && UNDEFINED.has(String(error.facts.sqlstate))) return false;
    throw error;
  }
}

/** Drops every table of the read model and makes them anew, empty. */
export async function recreate(db: Kysely<Tables>): Promise<void> {
  await sql.raw(`drop schema if exists ${SCHEMA} cascade`).execute(db);
  await migrate(db);
}
