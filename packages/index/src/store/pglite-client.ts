/**
 * The caller's side of `pglite-worker.ts`: the few members of a PGlite instance that Kysely's dialect uses. Kysely gives a database
 * without several connections to one caller at a time, so a transaction here is `begin`, the statements, and `commit`.
 * Source: design.md, "Read model".
 */
import { Worker } from "node:worker_threads";
import { type Bytes, Fault } from "@xinglin/primitives";

/** `folder` absent: in memory. `template`: a gzipped dump to start an empty folder from. */
export interface WorkerOptions {
  readonly folder?: string;
  readonly template?: string;
}
export type WorkerRequest = { readonly id: number } & (
  | { readonly kind: "query"; readonly sql: string; readonly parameters: readonly unknown[] }
  | { readonly kind: "dump" }
  | { readonly kind: "close" }
);
/** `state` is the SQLSTATE of a failure, `reason` PGlite's own words if it could not be opened; answer 0 says that the database is open. */
export type WorkerAnswer =
  | { readonly id: number; readonly rows: Record<string, unknown>[]; readonly affectedRows?: number }
  | { readonly id: number; readonly state: string; readonly reason?: string };

interface Results<T> {
  rows: T[];
  affectedRows?: number;
  fields: { name: string; dataTypeID: number }[];
}
type Waiting = { resolve(answer: WorkerAnswer & { rows: unknown[] }): void; reject(fault: Fault): void };
type Unsent = WorkerRequest extends infer R ? (R extends { id: number } ? Omit<R, "id"> : never) : never;

/** Throws, from every call: `Fault("index_query_failed", { sqlstate })`. */
export class PgliteClient {
  ready = false;
  closed = false;
  /** Resolves when the database is open; rejects with `Fault("index_open_failed", { sqlstate })`. */
  readonly waitReady: Promise<void>;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;

  constructor(options: WorkerOptions) {
    this.#worker = new Worker(new URL("./pglite-worker.ts", import.meta.url), { workerData: options });
    this.#worker.on("message", (answer: WorkerAnswer) => this.#receive(answer));
    this.#worker.on("error", () => this.#fail());
    this.#worker.on("exit", () => this.#fail());
    this.waitReady = new Promise<void>((resolve, reject) => {
      const opened = (): void => {
        this.ready = true;
        resolve();
      };
      this.#waiting.set(0, {
        resolve: opened,
        reject: ({ facts, cause }) => reject(new Fault("index_open_failed", facts, { cause })),
      });
    });
    this.waitReady.catch(() => {}); // whoever awaits it is told
  }

  async query<T>(sql: string, parameters: readonly unknown[] = []): Promise<Results<T>> {
    const { rows, affectedRows } = await this.#ask({ kind: "query", sql, parameters });
    return { rows: rows as T[], fields: [], ...(affectedRows === undefined ? {} : { affectedRows }) };
  }

  async transaction<T>(work: (tx: PgliteClient & { rollback(): Promise<void> }) => Promise<T>): Promise<T> {
    await this.query("begin");
    try {
      const result = await work(this as PgliteClient & { rollback(): Promise<void> });
      await this.query("commit");
      return result;
    } catch (error) {
      await this.query("rollback");
      throw error;
    }
  }

  /** For Kysely's interface; a transaction ends by its callback. */
  async rollback(): Promise<void> {
    await this.query("rollback");
  }

  /** A gzipped tar of the data folder, from which another database can start. */
  async dump(): Promise<Bytes> {
    const { rows } = await this.#ask({ kind: "dump" });
    return (rows[0] as { dump: Bytes }).dump;
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await this.#ask({ kind: "close" }).catch(() => undefined);
    await this.#worker.terminate();
  }

  #ask(request: Unsent): Promise<{ rows: unknown[]; affectedRows?: number }> {
    return new Promise((resolve, reject) => {
      const id = ++this.#last;
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ ...request, id });
    });
  }

  #receive(answer: WorkerAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if ("state" in answer) waiting?.reject(new Fault("index_query_failed", { sqlstate: answer.state }, { cause: answer.reason }));
    else waiting?.resolve(answer);
  }

  #fail(): void {
    this.closed = true;
    for (const waiting of this.#waiting.values())
      waiting.reject(new Fault("index_query_failed", { sqlstate: "08006" }, { retry: true }));
    this.#waiting.clear();
  }
}
