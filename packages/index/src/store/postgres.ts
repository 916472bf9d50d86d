/**
 * A PostgreSQL server by URL, with the same value types as the embedded engine.
 * Source: design.md, "Read model" and "Engines a member can outgrow one machine with".
 */
import { Fault } from "@xinglin/primitives";
import { PostgresDialect, type PostgresPoolClient } from "kysely";
import pg from "pg";

const CONNECTIONS = 8;
const CONNECT_TIMEOUT_MS = 10_000;
const STATEMENT_TIMEOUT_MS = 60_000;

/** Messages of PostgreSQL can quote a row, so only the SQLSTATE leaves here; what has none is a connection that failed. */
function faultOf(error: unknown): Fault {
  const code = (error as { code?: unknown } | null)?.code;
  if (typeof code === "string" && /^[0-9A-Z]{5}$/.test(code)) return new Fault("index_query_failed", { sqlstate: code });
  return new Fault("index_unavailable", {}, { retry: true });
}

function guarded(client: pg.PoolClient): PostgresPoolClient {
  const query = async (text: string, parameters?: readonly unknown[]): Promise<unknown> => {
    try {
      return await client.query(text, parameters as unknown[]);
    } catch (error) {
      throw faultOf(error);
    }
  };
  return { query, release: (destroy?: boolean) => client.release(destroy) } as unknown as PostgresPoolClient;
}

/** Kysely's dialect over a pool. Queries throw `Fault("index_unavailable")` or `Fault("index_query_failed", { sqlstate })`. */
export function postgresDialect(url: string): PostgresDialect {
  const types = new pg.TypeOverrides();
  types.setTypeParser(pg.types.builtins.INT8, Number); // ids and times below 2^53
  const pool = new pg.Pool({
    connectionString: url,
    max: CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    types,
  });
  pool.on("error", () => {}); // an idle connection that the server closed: the next query opens another
  return new PostgresDialect({
    pool: {
      connect: async () => {
        try {
          return guarded(await pool.connect());
        } catch (error) {
          throw faultOf(error);
        }
      },
      end: () => pool.end(),
      options: {},
    },
  });
}
