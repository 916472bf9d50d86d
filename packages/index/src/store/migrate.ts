/**
 * Brings the tables to the newest of the hand-written migrations, the same files on both engines.
 * Source: design.md, "Read model" (one SQL, one migration path).
 */
import { readdir, readFile } from "node:fs/promises";
import { Fault } from "@xinglin/primitives";
import { type Kysely, sql } from "kysely";
import { type Migration, Migrator } from "kysely/migration";
import type { Tables } from "./tables.ts";

/** Everything of the read model stands in this schema, so that it can share a server with other data. */
export const SCHEMA = "xinglin";
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
  const migrator = new Migrator({ db, provider: { getMigrations: migrations }, migrationTableSchema: SCHEMA });
  const { error, results } = await migrator.migrateToLatest();
  if (error === undefined) return;
  const failed = results?.find((result) => result.status === "Error")?.migrationName;
  if (failed === undefined && error instanceof Fault) throw error;
  throw new Fault("index_migration_failed", { migration: failed ?? "unknown" }, { cause: error });
}

/** Drops every table of the read model and makes them anew, empty. */
export async function recreate(db: Kysely<Tables>): Promise<void> {
  await sql.raw(`drop schema if exists ${SCHEMA} cascade`).execute(db);
  await migrate(db);
}
