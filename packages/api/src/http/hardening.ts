/**
 * What every answer and every request is held to: security headers, the Host header (DNS rebinding), and a rate for each client address.
 * Pages of other origins may read light blocks, so that a lying node is found out; else no CORS header is ever sent: they have no business here.
 * Source: OWASP Secure Headers; W3C CSP Level 3; RFC 9110 section 7.2.
 */
import { Fault } from "@xinglin/primitives";
import type { FastifyInstance } from "fastify";
import type { ApiLimits, ApiOptions } from "../options.ts";
import { isForOtherPages } from "../routes/light-blocks.ts";
import { RateLimit } from "./rate-limit.ts";

/** A page may speak to its own server, and to those of `peers` to compare light blocks. */
const contentSecurityPolicy = (peers: readonly string[]): string =>
  [
    "default-src 'self'",
    ["connect-src 'self'", ...peers].join(" "),
    "script-src 'self'",
    "style-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");

const HEADERS: Readonly<Record<string, string>> = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy":
    "camera=(self), geolocation=(), microphone=(), publickey-credentials-get=(self), publickey-credentials-create=(self)",
};
const STRICT_TRANSPORT = "max-age=31536000";

export const LOOPBACK_HOSTS: readonly string[] = ["localhost", "127.0.0.1", "[::1]"];

/** Adds the checks and headers to all routes of `app`. `port` is known once it listens. */
export function harden(app: FastifyInstance, options: ApiOptions, limits: ApiLimits, port: () => number): void {
  const now = options.clock ?? Date.now;
  const rate = new RateLimit(limits.requestsPerSecond, limits.burst, now);
  const policy = contentSecurityPolicy(options.peers ?? []);
  const names = new Set(
    [...LOOPBACK_HOSTS, options.host.includes(":") ? `[${options.host}]` : options.host, ...(options.hostNames ?? [])].map(
      (name) => name.toLowerCase(),
    ),
  );
  const defaultPort = options.tls === undefined ? 80 : 443;

  app.addHook("onRequest", async (request, reply) => {
    reply.headers(HEADERS);
    reply.header("content-security-policy", isForOtherPages(request.url) ? "default-src 'none'" : policy);
    if (options.tls !== undefined) reply.header("strict-transport-security", STRICT_TRANSPORT);
    reply.header("x-request-id", request.id);
    if (request.url.startsWith("/v1/")) reply.header("cache-control", "no-store");
    if (isForOtherPages(request.url)) {
      reply.header("access-control-allow-origin", "*");
      reply.header("cross-origin-resource-policy", "cross-origin");
    }
    const host = request.headers.host?.toLowerCase() ?? "";
    const [, name, shown] = /^(\[[0-9a-f:]+\]|[^:[\]]+)(?::(\d+))?$/.exec(host) ?? [];
    if (name === undefined || !names.has(name)) throw new Fault("host_unknown");
    // A forwarded port may differ from ours, but then the name is one that was configured.
    const isOwnPort = Number(shown ?? defaultPort) === port();
    if (!isOwnPort && LOOPBACK_HOSTS.includes(name)) throw new Fault("host_unknown");
    if (!rate.take(request.ip)) throw new Fault("rate_limited", { perSecond: limits.requestsPerSecond }, { retry: true });
  });
}
