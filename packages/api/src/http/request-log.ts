/** One line a request: ids, patterns and codes, never a path, a query, a header or a body. Source: style.md, "Errors are of three kinds". */
import type { Fault } from "@xinglin/primitives";
import type { FastifyInstance } from "fastify";
import type { LogLine } from "../options.ts";

const MAX_FRAMES = 8;

export function logRequests(app: FastifyInstance, log: (line: LogLine) => void, now: () => number): void {
  app.decorateRequest("fault", undefined);
  app.addHook("onResponse", async (request, reply) => {
    const { fault, caller } = request;
    log({
      time: new Date(now()).toISOString(),
      event: fault?.code === "internal" ? "failure" : "request",
      request: request.id,
      method: request.method,
      ...(request.routeOptions.url === undefined ? {} : { route: request.routeOptions.url }),
      status: reply.statusCode,
      durationMs: Math.round(reply.elapsedTime),
      ...(caller === undefined ? {} : { actor: caller.actorId }),
      ...(fault === undefined ? {} : { code: fault.code }),
      ...(fault?.code === "internal" ? { at: framesOf(fault) } : {}),
    });
  });
}

/** Where a bug struck. Its message can hold anything, so it stays here. */
function framesOf(fault: Fault): string[] {
  const stack = fault.cause instanceof Error ? (fault.cause.stack ?? "") : "";
  return stack
    .split("\n")
    .filter((line) => /^\s+at /.test(line))
    .slice(0, MAX_FRAMES)
    .map((line) => line.trim());
}
