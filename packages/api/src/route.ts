/**
 * Registers routes with what all have in common: whether a session is needed, how long a body may be, and an answer for the methods that a
 * path does not have. Source: RFC 9110 section 15.5.6.
 */
import { Fault } from "@xinglin/primitives";
import type { FastifyInstance, FastifyReply, FastifyRequest, FastifySchema } from "fastify";

export const CBOR = "application/cbor";
export const PROTOBUF = "application/x-protobuf";
export const JSON_TYPE = "application/json";
const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;

export interface Route {
  readonly method: "GET" | "POST";
  readonly url: string;
  /** For the OpenAPI document, and to check parameters by. */
  readonly schema: FastifySchema & { summary: string; tags: string[] };
  /** Needs a signed request of a session. */
  readonly session: boolean;
  /** The one content type that a body may have, and its largest size. */
  readonly body?: { readonly type: typeof CBOR | typeof JSON_TYPE; readonly maxBytes: number };
  readonly handler: (request: FastifyRequest, reply: FastifyReply) => unknown;
}

declare module "fastify" {
  interface FastifyContextConfig {
    session?: boolean;
    bodyType?: string;
  }
}

/** Bytes of a body; empty if there was none. */
export const bodyOf = (request: FastifyRequest): Uint8Array =>
  request.body instanceof Uint8Array ? request.body : new Uint8Array(0);

export class Routes {
  readonly #app: FastifyInstance;
  readonly #methods = new Map<string, Set<string>>();

  constructor(app: FastifyInstance) {
    this.#app = app;
  }

  add({ method, url, schema, session, body, handler }: Route): void {
    this.#methods.set(url, (this.#methods.get(url) ?? new Set()).add(method));
    this.#app.route({
      method,
      url,
      schema: session ? { ...schema, security: [{ session: [] }] } : schema,
      config: { session, ...(body === undefined ? {} : { bodyType: body.type }) },
      ...(body === undefined ? {} : { bodyLimit: body.maxBytes }),
      handler,
    });
  }

  /** Answers 405 on every path for the methods that it does not have. Call it last. */
  closeMethods(): void {
    for (const [url, methods] of this.#methods) {
      const allow = [...methods].join(", ");
      this.#app.route({
        method: METHODS.filter((method) => !methods.has(method)),
        url,
        schema: { hide: true },
        config: {},
        // Before the body is read: whatever it is, nobody wants it.
        onRequest: async (_, reply) => {
          reply.header("allow", allow);
          throw new Fault("method_not_allowed", { allow });
        },
        handler: () => undefined,
      });
    }
  }
}
