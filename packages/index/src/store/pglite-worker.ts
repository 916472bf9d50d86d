/**
 * PGlite in a thread of its own: its WebAssembly runs synchronously, and neither the first start (initdb) nor a long query may hold up
 * the event loop that answers requests. Speaks the messages of `pglite-client.ts`.
 * Source: design.md, "Read model".
 */
import { openAsBlob } from "node:fs";
import { inspect } from "node:util";
import { parentPort, workerData } from "node:worker_threads";
import { PGlite } from "@electric-sql/pglite";
import type { WorkerAnswer, WorkerOptions, WorkerRequest } from "./pglite-client.ts";

const INT8 = 20;
const { folder, template } = workerData as WorkerOptions;
const port = parentPort;
if (port === null) throw new Error("pglite-worker runs as a worker thread");

/** Errors leave this thread as an SQLSTATE: a message of PostgreSQL can quote the row. */
const stateOf = (error: unknown): string => {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : "XX000";
};

let db: PGlite;
try {
  db = await PGlite.create({
    ...(folder === undefined ? {} : { dataDir: folder }),
    ...(template === undefined ? {} : { loadDataDir: await openAsBlob(template) }),
    // Every number here is an id or a time below 2^53.
    parsers: { [INT8]: Number },
  });
  port.postMessage({ id: 0, rows: [] } satisfies WorkerAnswer);
} catch (error) {
  // No row was read yet, so the message can be told.
  port.postMessage({ id: 0, state: stateOf(error), reason: inspect(error, { depth: 1 }) } satisfies WorkerAnswer);
  process.exit(1);
}

async function answer(request: WorkerRequest): Promise<WorkerAnswer> {
  try {
    if (request.kind === "close") {
      await db.close();
      return { id: request.id, rows: [] };
    }
    if (request.kind === "dump") {
      const dump = await db.dumpDataDir("gzip");
      return { id: request.id, rows: [{ dump: new Uint8Array(await dump.arrayBuffer()) }] };
    }
    const { rows, affectedRows } = await db.query<Record<string, unknown>>(request.sql, [...request.parameters]);
    return { id: request.id, rows, ...(affectedRows === undefined ? {} : { affectedRows }) };
  } catch (error) {
    return { id: request.id, state: stateOf(error) };
  }
}

port.on("message", async (request: WorkerRequest) => {
  port.postMessage(await answer(request));
  if (request.kind === "close") port.close();
});
