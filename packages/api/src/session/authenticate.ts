/**
 * Authenticates requests of routes that need a session: the signature before the body is read, so that nobody else's megabytes are, and the
 * body against the signed digest once it is there. Source: RFC 9421; RFC 9530.
 */
import { Fault } from "@xinglin/primitives";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { bodyOf } from "../route.ts";
import { Sessions } from "./sessions.ts";

const header = (request: FastifyRequest, name: string): string | undefined => {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(", ") : value;
};

export function authenticate(app: FastifyInstance, sessions: Sessions): void {
  app.decorateRequest("caller", undefined);
  app.addHook("onRequest", async (request) => {
    if (request.routeOptions.config.session !== true) return;
    const question = request.url.indexOf("?");
    const contentDigest = header(request, "content-digest");
    request.caller = sessions.authenticate(
      {
        method: request.method,
        authority: header(request, "host")?.toLowerCase() ?? "",
        path: question < 0 ? request.url : request.url.slice(0, question),
        query: question < 0 ? "" : request.url.slice(question + 1),
        ...(contentDigest === undefined ? {} : { contentDigest }),
      },
      { input: header(request, "signature-input"), signature: header(request, "signature") },
    );
  });
  app.addHook("preValidation", async (request) => {
    if (request.routeOptions.config.session !== true) return;
    const digest = header(request, "content-digest");
    const body = bodyOf(request);
    if (digest === undefined ? body.length > 0 : !Sessions.isDigestOf(digest, body)) throw new Fault("content_digest_wrong");
  });
}
