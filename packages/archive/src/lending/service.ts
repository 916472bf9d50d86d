/**
 * The store service of a member: what it lends, for the other members, over HTTP. Every request is signed by a member's pass, every body
 * bounded and held against its digest; what may be done is `LentStore`'s.
 * Source: docs/internals/archive.md, "At another member's".
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { contentDigest } from "@xinglin/crypto/http";
import { cbor, Fault } from "@xinglin/primitives";
import { sha256 } from "../digest.ts";
import { type Authorize, Guests } from "./guests.ts";
import type { LentStore } from "./lent-store.ts";
import { MAX_PASS_BYTES } from "./pass.ts";
import { type Answer, type Ask, findRoute } from "./routes.ts";
import type { GuestStages } from "./stages.ts";
import { REFUSALS, type StoreRefusal } from "./wire.ts";

const REQUEST_TIMEOUT_MS = 60_000;
const HEADERS_TIMEOUT_MS = 15_000;
const KEEP_ALIVE_MS = 65_000;
const MAX_CONNECTIONS = 512;
/** Bodies in memory at once, all guests together; beyond it a guest waits and asks again. */
const MAX_BODIES_BYTES = 192 * 1024 * 1024;
const EXPIRE_EVERY_MS = 600_000;

/** What a store service is made of. */
export interface ServiceOptions {
  readonly stores: ReadonlyMap<string, LentStore>;
  readonly stages: GuestStages;
  readonly authorize: Authorize;
  readonly listen: { readonly host: string; readonly port: number };
  readonly tls?: { readonly cert: string | Buffer; readonly key: string | Buffer };
  /** Host names, with ports where they have one, under which guests ask, beside `listen`. */
  readonly names: readonly string[];
  readonly now?: () => number;
}

/** A service that listens. */
export interface StoreService {
  readonly port: number;
  close(): Promise<void>;
}

/** Starts listening. Faults: `port_in_use`, `listen_failed`. */
export async function serveStores(options: ServiceOptions): Promise<StoreService> {
  const { stores, stages, authorize, listen, tls, names, now } = options;
  const bodies = { bytes: 0 };
  const bound: { guests?: Guests } = {};
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    answer(request, response, { stores, stages, ...bound, bodies }).catch((error: unknown) => {
      if (!response.headersSent) refuse(response, error);
      else response.destroy();
    });
  };
  const server = tls === undefined ? createServer(handle) : createSecureServer({ cert: tls.cert, key: tls.key }, handle);
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.maxConnections = MAX_CONNECTIONS;
  await listening(server, listen);
  const { port } = server.address() as { port: number };
  const host = listen.host.includes(":") ? `[${listen.host}]` : listen.host;
  const own = [host, "localhost", "127.0.0.1"].map((name) => `${name}:${port}`);
  bound.guests = new Guests(authorize, [...own, ...names], now);
  const expiring = setInterval(() => void stages.expire(), EXPIRE_EVERY_MS);
  expiring.unref();
  return {
    port,
    async close() {
      clearInterval(expiring);
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
      await stages.close();
      for (const store of stores.values()) await store.close();
    },
  };
}

interface Serving {
  readonly stores: ReadonlyMap<string, LentStore>;
  readonly stages: GuestStages;
  /** Missing only until the port is known. */
  readonly guests?: Guests;
  readonly bodies: { bytes: number };
}

async function answer(request: IncomingMessage, response: ServerResponse, serving: Serving): Promise<void> {
  const { guests, bodies } = serving;
  const { method = "", url = "" } = request;
  if (guests === undefined) throw new Fault("store_busy", {}, { retry: true });
  if (method === "POST" && url === "/v1/passes") {
    const pass = await readBody(request, MAX_PASS_BYTES, bodies);
    requireDigest(pass, digestOf(request));
    await guests.learn(pass);
    return send(response, undefined);
  }
  const found = findRoute(method, url);
  if (found === undefined) throw new Fault("route_unknown");
  const { member, digest } = await guests.of(request);
  const store = serving.stores.get(found.store);
  if (store === undefined || store.away) throw new Fault("store_absent", {}, { retry: true });
  const length = lengthOf(request, found.route.maxBodyBytes, bodies);
  bodies.bytes += length;
  try {
    const body = await readWhole(request, length);
    if (digest !== undefined || body.length > 0) requireDigest(body, digest);
    const ask: Ask = { ...found, member, body, stages: serving.stages, lent: store };
    send(response, await found.route.run(ask));
  } finally {
    bodies.bytes -= length;
  }
}

function send(response: ServerResponse, answer: Answer): void {
  if (answer === undefined) {
    response.writeHead(204);
    response.end();
    return;
  }
  const isBytes = answer instanceof Uint8Array;
  const bytes = isBytes ? answer : cbor.encode(answer);
  response.writeHead(200, {
    "content-type": isBytes ? "application/octet-stream" : "application/cbor",
    "content-length": bytes.length,
  });
  response.end(bytes);
}

/** A guest learns a code, never a fact: facts of disks and paths are the lender's. */
function refuse(response: ServerResponse, error: unknown): void {
  const code = error instanceof Fault ? REFUSALS.find((known) => known === error.code) : undefined;
  const known: StoreRefusal = code ?? "store_unreadable";
  // A body that was not read to its end would be taken for the next request.
  response.writeHead(STATUS[known] ?? 422, { "content-type": "application/problem+json", connection: "close" });
  response.end(JSON.stringify({ code: known }));
}
const STATUS: Partial<Record<StoreRefusal, number>> = {
  store_busy: 429,
  object_unknown: 404,
  route_unknown: 404,
  host_unknown: 421,
  body_too_large: 413,
  store_forbidden: 403,
  store_pass_refused: 403,
  store_pass_unknown: 401,
  session_missing: 401,
  request_signature_wrong: 401,
};

const digestOf = ({ headers }: IncomingMessage): string | undefined =>
  typeof headers["content-digest"] === "string" ? headers["content-digest"] : undefined;

function requireDigest(body: Uint8Array, digest: string | undefined): void {
  if (digest !== contentDigest(sha256(body))) throw new Fault("content_digest_wrong");
}

/** The length that the request says; it must say one. Throws `body_too_large`, `store_busy`. */
function lengthOf(request: IncomingMessage, maxBytes: number, bodies: { readonly bytes: number }): number {
  if (request.headers["transfer-encoding"] !== undefined) throw new Fault("body_too_large");
  const length = Number(request.headers["content-length"] ?? 0);
  if (!(length >= 0) || length > maxBytes) throw new Fault("body_too_large");
  if (bodies.bytes + length > MAX_BODIES_BYTES) throw new Fault("store_busy", {}, { retry: true });
  return length;
}

async function readBody(request: IncomingMessage, maxBytes: number, bodies: { readonly bytes: number }): Promise<Uint8Array> {
  return await readWhole(request, lengthOf(request, maxBytes, bodies));
}

async function readWhole(request: IncomingMessage, length: number): Promise<Uint8Array> {
  if (length === 0) return new Uint8Array();
  const body = new Uint8Array(length);
  let at = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    if (at + part.length > length) throw new Fault("body_too_large");
    body.set(part, at);
    at += part.length;
  }
  if (at < length) throw new Fault("content_digest_wrong");
  return body;
}

async function listening(server: Server, { host, port }: { readonly host: string; readonly port: number }): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) =>
      reject(new Fault(cause.code === "EADDRINUSE" ? "port_in_use" : "listen_failed", { port }, { cause })),
    );
    server.listen(port, host, resolve);
  });
}
