/**
 * A custodian as a process of its own: four routes that take and give bytes. It needs no authentication of callers, since every request
 * proves itself, and holds nothing but the shares. Source: style.md, "Layout" (a service that holds keys); design.md, "Consent, access, custody".
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type Bytes, Fault } from "@xinglin/primitives";
import { MAX_REQUEST_BYTES } from "./contract.ts";
import type { CustodianService } from "./service.ts";

const REQUEST_TIMEOUT_MS = 15_000;
const MAX_CONNECTIONS = 256;

/** Starts listening; resolves with the server once it does. Faults: `port_in_use`, `listen_failed`. */
export async function serveCustodian(custodian: CustodianService, address: { host: string; port: number }): Promise<Server> {
  const routes: Readonly<Record<string, (request: Bytes) => Promise<Bytes>>> = {
    "/deposits": (request) => custodian.deposit(request),
    "/bulk-deposits": (request) => custodian.depositMany(request),
    "/releases": (request) => custodian.release(request),
    "/erasures": (request) => custodian.erase(request),
  };
  const server = createServer((request, response) => {
    const route = request.method === "POST" ? routes[request.url ?? ""] : undefined;
    if (route === undefined) return answer(response, 404, { code: "route_unknown", facts: {}, retry: false });
    readBody(request)
      .then(route)
      .then((bytes) => {
        response.writeHead(200, { "content-type": "application/cbor" });
        response.end(bytes);
      })
      .catch((error: unknown) => {
        if (error instanceof Fault) answer(response, 422, { code: error.code, facts: error.facts, retry: error.retry });
        else answer(response, 500, { code: "custodian_failed", facts: {}, retry: true });
      });
  });
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.maxConnections = MAX_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) =>
      reject(new Fault(cause.code === "EADDRINUSE" ? "port_in_use" : "listen_failed", { port: address.port }, { cause })),
    );
    server.listen(address.port, address.host, resolve);
  });
  return server;
}

async function readBody(request: IncomingMessage): Promise<Bytes> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > MAX_REQUEST_BYTES) throw new Fault("malformed", { reason: "too_long", maxBytes: MAX_REQUEST_BYTES });
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function answer(
  response: ServerResponse,
  status: number,
  problem: { code: string; facts: Fault["facts"]; retry: boolean },
): void {
  response.writeHead(status, { "content-type": "application/problem+json" });
  response.end(JSON.stringify(problem));
}
