/**
 * Calls of Kubo's RPC over kept connections: a stock Kubo answers them, and so does `engine/ipfs`. Everything that is read has a bound, in bytes
 * and in time.
 * Source: Kubo RPC API v0 (POST only; errors as JSON with status 500, or in the trailer X-Stream-Error once an answer has begun).
 */
import { Agent, type ClientRequest, type IncomingMessage, request } from "node:http";
import { Fault } from "@xinglin/primitives";
import { connectionFault, IpfsRefusal } from "./ipfs-fault.ts";

/** Options of a call, as its address carries them; several values of one name are an array. */
export type RpcQuery = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** How long a node may say nothing: on small calls, and on those in which it looks at all that it stores. */
export const CALL_MS = 15_000;
export const LONG_CALL_MS = 15 * 60_000;
/** Connections to one node at once. */
const SOCKETS = 16;
const MAX_LINE_BYTES = 65_536;
const MAX_TOLD_BYTES = 65_536;

const agents = new Map<string, Agent>();
/** One pool of connections a node and thread. */
function agentOf(api: string): Agent {
  let agent = agents.get(api);
  if (agent === undefined) {
    agent = new Agent({ keepAlive: true, maxSockets: SOCKETS, maxFreeSockets: SOCKETS });
    agents.set(api, agent);
  }
  return agent;
}

/** What a call may have beside its options. */
export interface RpcCall {
  readonly query?: RpcQuery;
  readonly body?: { readonly type: string; readonly bytes: Uint8Array };
  readonly waitMs?: number;
  /** Breaks the call off. */
  readonly signal?: AbortSignal | undefined;
}

/** The RPC of the node behind one store. `api` is `http://host:port` or `unix:/path`. */
export class IpfsRpc {
  readonly store: string;
  readonly #api: string;

  constructor(store: string, api: string) {
    this.store = store;
    this.#api = api;
  }

  /**
   * The objects of an answer, in order. Throws `IpfsRefusal`, or `Fault`: `store_absent`, `store_slow`,
   * `ipfs_answer_foreign`, `ipfs_answer_cut`, `ipfs_refused`, `store_unreadable`.
   */
  async call(name: string, call: RpcCall = {}): Promise<Record<string, unknown>[]> {
    const out: Record<string, unknown>[] = [];
    for await (const line of this.lines(name, call)) out.push(line);
    return out;
  }

  /** The objects of an answer as they come. */
  async *lines(name: string, call: RpcCall = {}): AsyncGenerator<Record<string, unknown>> {
    const response = await this.#answer(name, call);
    yield* this.#parse(response);
  }

  /** Fills `into` from the answer; returns how many bytes there were, `into.length + 1` if there were more. */
  async readInto(name: string, call: RpcCall, into: Uint8Array): Promise<number> {
    const response = await this.#answer(name, call);
    const length = await new Promise<number>((resolve, reject) => {
      let done = 0;
      response.on("data", (chunk: Buffer) => {
        if (done + chunk.length <= into.length) into.set(chunk, done);
        else response.destroy();
        done += chunk.length;
        if (done > into.length) resolve(into.length + 1);
      });
      response.on("end", () => resolve(done));
      response.on("error", (cause) => reject(this.#broken(cause)));
      response.on("close", () => reject(this.#truncated()));
    });
    if (length <= into.length) this.#checkEnd(response);
    return length;
  }

  /** Begins a call whose body the caller writes. `begin` must be answered by `finish`. */
  begin(name: string, query: RpcQuery, type: string): ClientRequest {
    return request(this.#options(name, query, { "content-type": type, "transfer-encoding": "chunked" }));
  }

  /** The objects of the answer to what `begin` began. */
  async finish(response: IncomingMessage): Promise<Record<string, unknown>[]> {
    await this.#checkHead(response);
    const out: Record<string, unknown>[] = [];
    for await (const line of this.#parse(response)) out.push(line);
    return out;
  }

  async #answer(name: string, call: RpcCall): Promise<IncomingMessage> {
    let response: IncomingMessage;
    try {
      response = await this.#send(name, call).catch((cause: unknown) => {
        if (cause !== STALE) throw cause;
        return this.#send(name, call, false); // the node had just closed a connection that was kept, so it has others, too
      });
    } catch (cause) {
      throw connectionFault(this.store, cause);
    }
    await this.#checkHead(response);
    return response;
  }

  #send(name: string, { query = {}, body, waitMs = CALL_MS, signal }: RpcCall, keepsConnection = true): Promise<IncomingMessage> {
    const headers = {
      "content-length": String(body?.bytes.length ?? 0),
      ...(body === undefined ? {} : { "content-type": body.type }),
    };
    return new Promise((resolve, reject) => {
      const agent = keepsConnection ? {} : { agent: false as const };
      const aborting = signal === undefined ? {} : { signal };
      const call = request({ ...this.#options(name, query, headers), ...agent, ...aborting }, resolve);
      call.setTimeout(waitMs, () => call.destroy(this.#slow()));
      call.on("error", (cause: NodeJS.ErrnoException) => {
        reject(call.reusedSocket && (cause.code === "ECONNRESET" || cause.code === "EPIPE") ? STALE : cause);
      });
      call.end(body?.bytes);
    });
  }

  #options(name: string, query: RpcQuery, headers: Record<string, string>) {
    const search = new URLSearchParams();
    for (const [key, value] of Object.entries(query))
      for (const one of Array.isArray(value) ? value : [value]) search.append(key, String(one));
    const path = `/api/v0/${name}?${search}`;
    const where = this.#api.startsWith("unix:")
      ? { socketPath: this.#api.slice("unix:".length), host: "localhost" }
      : { host: new URL(this.#api).hostname.replace(/^\[(.*)\]$/, "$1"), port: new URL(this.#api).port };
    return { ...where, path, method: "POST", agent: agentOf(this.#api), headers };
  }

  async #checkHead(response: IncomingMessage): Promise<void> {
    const { statusCode = 0 } = response;
    if (statusCode === 200) return;
    const told = await this.#told(response);
    if (statusCode === 401 || statusCode === 403) throw new Fault("ipfs_refused", { store: this.store, status: statusCode });
    let message: unknown;
    try {
      message = (JSON.parse(told) as { Message?: unknown }).Message;
    } catch {
      message = undefined;
    }
    if (typeof message !== "string") throw new Fault("ipfs_answer_foreign", { store: this.store, status: statusCode });
    throw new IpfsRefusal(message);
  }

  async #told(response: IncomingMessage): Promise<string> {
    let text = "";
    try {
      for await (const chunk of response.setEncoding("utf8") as AsyncIterable<string>) {
        text += chunk;
        if (text.length > MAX_TOLD_BYTES) break;
      }
    } catch (cause) {
      throw this.#broken(cause);
    }
    return text;
  }

  async *#parse(response: IncomingMessage): AsyncGenerator<Record<string, unknown>> {
    let rest = "";
    try {
      for await (const chunk of response.setEncoding("utf8") as AsyncIterable<string>) {
        const lines = (rest + chunk).split("\n");
        rest = lines.pop()!;
        for (const line of lines) if (line.trim() !== "") yield this.#object(line);
        if (rest.length > MAX_LINE_BYTES) throw new Fault("ipfs_answer_foreign", { store: this.store, status: 200 });
      }
    } catch (cause) {
      throw this.#broken(cause);
    }
    if (rest.trim() !== "") yield this.#object(rest);
    this.#checkEnd(response);
  }

  #object(line: string): Record<string, unknown> {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      value = undefined;
    }
    if (typeof value !== "object" || value === null) throw new Fault("ipfs_answer_foreign", { store: this.store, status: 200 });
    return value as Record<string, unknown>;
  }

  #checkEnd(response: IncomingMessage): void {
    const trouble = response.trailers["x-stream-error"];
    if (trouble !== undefined) throw new IpfsRefusal(trouble);
    if (!response.complete) throw this.#truncated();
  }

  #broken(cause: unknown): unknown {
    if (cause instanceof Fault || cause instanceof IpfsRefusal) return cause;
    return this.#truncated(cause);
  }

  #truncated(cause?: unknown): Fault {
    return new Fault("ipfs_answer_cut", { store: this.store }, { retry: true, cause });
  }

  #slow(): Fault {
    return new Fault("store_slow", { store: this.store }, { retry: true });
  }
}

/** A kept connection that the node closed before it read the call. */
const STALE = Symbol("a kept connection was closed");
