/**
 * The HTTP API of a node: one server for the portal, the gateway and other systems. It verifies who asks, shows only what they may see, and
 * passes bytes to the ledger and the custodians, which decide.
 * Source: design.md, "Packages" (api); requirement rows on the API; OpenAPI 3.1.
 */
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import type { AddressInfo, Socket } from "node:net";
import swagger from "@fastify/swagger";
import { getParameters } from "@xinglin/contracts";
import { Fault, invariant } from "@xinglin/primitives";
import { decodeLightBlock } from "@xinglin/verifier";
import Fastify, { type FastifyInstance, type FastifyRequest } from "fastify";
import { Visibility } from "./access/visibility.ts";
import type { ApiContext } from "./context.ts";
import { harden, LOOPBACK_HOSTS } from "./http/hardening.ts";
import { languageOf } from "./http/language.ts";
import { servePortal } from "./http/portal.ts";
import { faultOf, PROBLEM_TYPE, problemOf } from "./http/problem.ts";
import { logRequests } from "./http/request-log.ts";
import { type ApiOptions, DEFAULT_LIMITS } from "./options.ts";
import { Projection } from "./projection.ts";
import { CBOR, JSON_TYPE, Routes } from "./route.ts";
import { addArchiveHealthRoute } from "./routes/archive-health.ts";
import { addAuditRoutes } from "./routes/audit.ts";
import { addCustodianRoutes } from "./routes/custodians.ts";
import { addEventRoutes } from "./routes/events.ts";
import { addFhirRoutes } from "./routes/fhir.ts";
import { addLightBlockRangeRoute } from "./routes/light-block-range.ts";
import { addLightBlockRoutes } from "./routes/light-blocks.ts";
import { addPatientRoutes } from "./routes/patients.ts";
import { addRegistryRoutes } from "./routes/registry.ts";
import { addSearchRoutes } from "./routes/search.ts";
import { addSessionRoutes } from "./routes/sessions.ts";
import { addStateRoutes } from "./routes/state.ts";
import { addStatusRoutes } from "./routes/status.ts";
import { addStoreRoutes } from "./routes/stores.ts";
import { addTransactionRoutes } from "./routes/transactions.ts";
import { addValidatorRoutes } from "./routes/validators.ts";
import { authenticate } from "./session/authenticate.ts";
import { Sessions } from "./session/sessions.ts";

const HEADERS_TIMEOUT_MS = 15_000;
/** How often slow requests are looked for. */
const CHECK_CONNECTIONS_MS = 5_000;
const KEEP_ALIVE_MS = 65_000;
const MAX_HEADER_BYTES = 16_384;
const MAX_PATH_PARAMETER = 256;
/** Body limit of routes that take none. */
const NO_BODY_BYTES = 1_024;

export interface Api {
  /** Starts listening. Rejects with `port_in_use`, `port_forbidden`, `address_unavailable`. */
  listen(): Promise<void>;
  /** Where it listens, for example `http://localhost:8480`; after `listen`. */
  readonly url: string;
  /** Ends streams and connections and stops the projection; the ledger and the read model stay open. */
  close(): Promise<void>;
}

/** Builds the server and starts projecting. Throws `tls_required` for a host other than this machine without a certificate, `peer_address_wrong`. */
export async function createApi(options: ApiOptions): Promise<Api> {
  const isLoopback = LOOPBACK_HOSTS.includes(options.host) || options.host === "::1";
  if (!isLoopback && options.tls === undefined) throw new Fault("tls_required", { host: options.host });
  for (const address of options.peers ?? []) requireOrigin(address);
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const { ledger, index } = options;
  const log = options.log ?? (() => {});
  const now = options.clock ?? Date.now;
  let port = options.port;

  const server = {
    headersTimeout: Math.min(HEADERS_TIMEOUT_MS, limits.requestTimeoutMs),
    connectionsCheckingInterval: Math.min(CHECK_CONNECTIONS_MS, limits.requestTimeoutMs),
    maxHeaderSize: MAX_HEADER_BYTES,
  };
  const app: FastifyInstance = Fastify({
    logger: false,
    genReqId: () => randomUUID(),
    bodyLimit: NO_BODY_BYTES,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    routerOptions: { maxParamLength: MAX_PATH_PARAMETER },
    exposeHeadRoutes: false,
    forceCloseConnections: true,
    http: server,
    ...(options.tls === undefined
      ? {}
      : { https: { ...server, key: options.tls.key as string, cert: options.tls.cert as string } }),
    ajv: { customOptions: { coerceTypes: true, removeAdditional: false, useDefaults: false } },
    // A request that is not even HTTP gets a short answer and no more.
    clientErrorHandler: (_: unknown, socket: Socket) => {
      if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    },
  } as object);
  app.server.maxConnections = limits.connections;
  // Schemas describe answers; they do not cut them.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));

  const parameters = () => {
    const found = getParameters(state);
    invariant(found !== undefined, "a chain has parameters");
    return found;
  };
  const state = { get: (key: string) => ledger.get(key) };
  const tip = new Tip(options);
  const sessions = new Sessions({ ...state, chainId: ledger.chainId, webauthn: () => parameters().webauthn }, now);
  const projection = new Projection(ledger, index, (code) =>
    log({ time: new Date(now()).toISOString(), event: "projection", code }),
  );
  const context: ApiContext = {
    options,
    limits,
    ledger,
    state,
    index,
    projection,
    sessions,
    visibility: new Visibility(state, index, () => tip.seconds as never),
    blockTime: () => tip.seconds,
    now,
    callerOf: (request) => {
      invariant(request.caller !== undefined, "a route with a session has a caller");
      return request.caller;
    },
  };

  logRequests(app, log, now);
  harden(app, options, limits, () => port);
  readBodies(app);
  authenticate(app, sessions);
  app.setErrorHandler((error, request, reply) => {
    const fault = faultOf(error);
    request.fault = fault;
    const problem = problemOf(fault, languageOf(request.headers["accept-language"]));
    if (fault.code === "media_type_unsupported" || fault.code === "body_too_large") reply.header("connection", "close");
    return reply.code(problem.status).type(PROBLEM_TYPE).send(JSON.stringify(problem));
  });
  app.setNotFoundHandler(() => {
    throw new Fault("route_unknown");
  });

  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: { title: "Xinglin", version: options.version ?? "0", license: { name: "Apache-2.0", identifier: "Apache-2.0" } },
      components: {
        securitySchemes: {
          session: {
            type: "http",
            scheme: "signature",
            description:
              "RFC 9421 by the request key of a session: `Signature-Input`, `Signature`, and `Content-Digest` with a body.",
          },
        },
      },
    },
  });
  const streams = await addRoutes(app, context);
  if (options.portalDirectory !== undefined && existsSync(options.portalDirectory))
    await servePortal(app, options.portalDirectory);

  let url = "";
  return {
    get url() {
      return url;
    },
    async listen() {
      try {
        await app.listen({ host: options.host, port: options.port });
      } catch (error) {
        throw listenFault(error, options);
      }
      port = (app.server.address() as AddressInfo).port;
      const name = options.host.includes(":") ? `[${options.host}]` : options.host;
      url = `${options.tls === undefined ? "http" : "https"}://${name === "127.0.0.1" ? "localhost" : name}:${port}`;
    },
    async close() {
      streams.closeAll();
      tip.stop();
      await app.close();
      await projection.stop();
    },
  };
}

async function addRoutes(app: FastifyInstance, context: ApiContext): Promise<{ closeAll(): void }> {
  let streams: { closeAll(): void } = { closeAll: () => {} };
  await app.register(async (scope) => {
    const routes = new Routes(scope);
    addStatusRoutes(routes, context);
    addLightBlockRoutes(routes, context);
    addLightBlockRangeRoute(routes, context);
    addValidatorRoutes(routes, context);
    addStoreRoutes(routes, context);
    addArchiveHealthRoute(routes, context);
    addSessionRoutes(routes, context);
    addTransactionRoutes(routes, context);
    addSearchRoutes(routes, context);
    addStateRoutes(routes, context);
    addPatientRoutes(routes, context);
    addRegistryRoutes(routes, context);
    addCustodianRoutes(routes, context);
    addFhirRoutes(routes, context);
    addAuditRoutes(routes, context);
    streams = addEventRoutes(routes, context);
    routes.add({
      method: "GET",
      url: "/openapi.json",
      session: false,
      schema: { summary: "This description", tags: ["chain"] },
      handler: () => app.swagger(),
    });
    routes.closeMethods();
  });
  return streams;
}

/** Bodies stay bytes: signatures are over bytes, and nothing is parsed that is not wanted. Each route takes one content type. */
function readBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser([CBOR, JSON_TYPE], { parseAs: "buffer" }, (_, body, done) => done(null, body));
  app.addHook("preParsing", async (request) => {
    const { bodyType } = request.routeOptions.config;
    const sent = request.headers["content-type"]?.split(";")[0]?.trim().toLowerCase();
    if (bodyType !== undefined && sent !== bodyType) throw new Fault("media_type_unsupported", { expected: bodyType });
  });
}

function listenFault(error: unknown, { host, port }: ApiOptions): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "EADDRINUSE") return new Fault("port_in_use", { port }, { cause: error });
  if (code === "EACCES") return new Fault("port_forbidden", { port }, { cause: error });
  if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND") return new Fault("address_unavailable", { host }, { cause: error });
  return error;
}

/** A peer's address is what a page may put before a path and in a policy: scheme, host and port, nothing else. */
function requireOrigin(address: string): void {
  const isOrigin = /^https?:/.test(address) && URL.canParse(address) && new URL(address).origin === address;
  if (!isOrigin) throw new Fault("peer_address_wrong", { address });
}

/** Time of the newest block. */
class Tip {
  seconds: number;
  readonly stop: () => void;

  constructor({ ledger }: ApiOptions) {
    this.seconds = decodeLightBlock(ledger.newestLightBlock()).header.time.seconds;
    this.stop = ledger.subscribe(({ time }) => {
      this.seconds = time.seconds;
    });
  }
}

declare module "fastify" {
  interface FastifyRequest {
    caller?: import("./session/sessions.ts").Caller;
    fault?: Fault;
  }
}

export type { FastifyRequest };
