/**
 * Opens the read model's database: PGlite in a folder (or in memory), or a PostgreSQL server.
 * Source: design.md, "Read model".
 */
import { access, rm } from "node:fs/promises";
import { join } from "node:path";
import { Kysely, PGliteDialect } from "kysely";
import { migrate } from "./migrate.ts";
import { PgliteClient, type WorkerOptions } from "./pglite-client.ts";
import { postgresDialect } from "./postgres.ts";
import type { Tables } from "./tables.ts";

/**
 * `folder` is made if it is missing, and belongs to one process at a time; without it the database is in memory. `template` is a file
 * that `Store.dump` filled: a new database starts from it in half a second instead of four.
 */
export type StoreLocation =
  | { readonly kind: "embedded"; readonly folder?: string; readonly template?: string }
  | { readonly kind: "postgres"; readonly url: string };

/** An open database, with its tables as the newest migration makes them. */
export interface Store {
  readonly db: Kysely<Tables>;
  /** The folder could not be opened, was removed, and a new database stands in its place. */
  readonly replaced: boolean;
  /** A gzipped image of an embedded database. */
  dump?(): Promise<Uint8Array>;
  close(): Promise<void>;
}

/**
 * Opens and migrates. A folder that PGlite cannot open (it has no real fsync) is removed and begun again: what it held can be derived.
 * Throws `Fault`s `index_unavailable`, `index_open_failed`, `index_migration_failed`.
 */
export async function openStore(location: StoreLocation): Promise<Store> {
  if (location.kind === "postgres") {
    const db = new Kysely<Tables>({ dialect: postgresDialect(location.url) });
    try {
      await migrate(db);
    } catch (error) {
      await db.destroy();
      throw error;
    }
    return { db, replaced: false, close: () => db.destroy() };
  }
  const first = new PgliteClient(await embeddedOptions(location));
  const opened = await first.waitReady.then(() => true).catch(() => false);
  if (opened || location.folder === undefined) return embedded(first, false);
  await rm(location.folder, { recursive: true, force: true });
  return embedded(new PgliteClient(await embeddedOptions(location)), true);
}

/** The template serves an empty folder, or memory; PGlite refuses to load one over an existing database. */
async function embeddedOptions({ folder, template }: { folder?: string; template?: string }): Promise<WorkerOptions> {
  const exists = async (path: string): Promise<boolean> =>
    access(path).then(
      () => true,
      () => false,
    );
  const begun = folder !== undefined && (await exists(join(folder, "PG_VERSION")));
  const usable = template !== undefined && !begun && (await exists(template));
  return { ...(folder === undefined ? {} : { folder }), ...(usable ? { template } : {}) };
}

async function embedded(client: PgliteClient, replaced: boolean): Promise<Store> {
  await client.waitReady;
  const db = new Kysely<Tables>({ dialect: new PGliteDialect({ pglite: client }) });
  try {
    await migrate(db);
  } catch (error) {
    await client.close();
    throw error;
  }
  return { db, replaced, dump: () => client.dump(), close: () => client.close() };
}
