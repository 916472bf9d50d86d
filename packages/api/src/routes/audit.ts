/** What an audit needs: the objects that the stores must hold, and the read model held against the chain. Source: requirements A2, D3. */
import { listObjects, objectReferrers, type Verification } from "@xinglin/index";
import { Fault } from "@xinglin/primitives";
import { Type } from "typebox";
import type { ApiContext } from "../context.ts";
import type { Routes } from "../route.ts";
import type { Caller } from "../session/sessions.ts";
import { pageOf } from "./page.ts";
import { answers, hex, json, objects, pageQuery, verification } from "./schemas.ts";

export function addAuditRoutes(routes: Routes, { index, projection, limits, callerOf }: ApiContext): void {
  routes.add({
    method: "GET",
    url: "/v1/objects",
    session: true,
    schema: {
      summary: "Archive objects ever anchored, newest first: a commission's all, another member's own",
      tags: ["archive"],
      querystring: Type.Object(pageQuery),
      response: answers({ 200: json("A page", objects) }),
    },
    handler: async (request) => {
      const caller = callerOf(request);
      if (caller.kind === "patient") throw new Fault("not_visible");
      await projection.caughtUp(limits.waitMs);
      const page = pageOf(request.query as { before?: number; limit?: number });
      return listObjects(index.db, page, caller.memberKind === "commission" ? undefined : caller.member);
    },
  });

  routes.add({
    method: "GET",
    url: "/v1/objects/:id/records",
    session: true,
    schema: {
      summary: "What names an archive object: a commission hears of all, another member of its own",
      tags: ["archive"],
      params: Type.Object({ id: hex(32) }),
      response: answers({
        200: json(
          "Ids of records, and whether it is a pack of a batch",
          Type.Object({ records: Type.Array(hex(32)), isPack: Type.Boolean() }),
        ),
      }),
    },
    handler: async (request) => {
      const caller = callerOf(request);
      if (caller.kind === "patient") throw new Fault("not_visible");
      await projection.caughtUp(limits.waitMs);
      const { id } = request.params as { id: string };
      const naming = await objectReferrers(index.db, [id]);
      const shown = naming.filter(({ source }) => caller.memberKind === "commission" || source === caller.member);
      return {
        records: shown.flatMap(({ record }) => record ?? []),
        isPack: shown.some(({ record, kept }) => record === null && kept === null),
      };
    },
  });

  // One pass over the log at a time: callers who come meanwhile share its answer.
  let running: Promise<Verification> | undefined;
  routes.add({
    method: "POST",
    url: "/v1/read-model/verify",
    session: true,
    schema: {
      summary: "Compares every row of the read model with the chain",
      tags: ["archive"],
      response: answers({ 200: json("What differs: tables, keys and columns, never values", verification) }),
    },
    handler: async (request) => {
      requireCommission(callerOf(request));
      await projection.caughtUp(limits.waitMs);
      running ??= index.verify().finally(() => {
        running = undefined;
      });
      return running;
    },
  });

  routes.add({
    method: "POST",
    url: "/v1/read-model/rebuild",
    session: true,
    schema: {
      summary: "Derives the read model from the chain anew",
      tags: ["archive"],
      response: answers({ 204: { description: "Done" } }),
    },
    handler: async (request, reply) => {
      requireCommission(callerOf(request));
      await index.rebuild();
      return reply.code(204).send();
    },
  });
}

function requireCommission(caller: Caller): void {
  if (caller.kind === "patient" || caller.memberKind !== "commission") throw new Fault("not_visible");
}
