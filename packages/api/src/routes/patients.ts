/** What a patient sees of itself, and others as far as they may; records; and grants. Source: requirements C1, C2, C10. */

import { getRecord } from "@xinglin/contracts";
import { findRecord, listAccesses, listConsents, listGrants, listRecords } from "@xinglin/index";
import { Fault, type RecordId } from "@xinglin/primitives";
import { Type } from "typebox";
import { Visibility } from "../access/visibility.ts";
import type { ApiContext } from "../context.ts";
import type { Routes } from "../route.ts";
import { pageOf } from "./page.ts";
import { accesses, actor, answers, consents, grants, hex, json, pageQuery, record as recordShape, records } from "./schemas.ts";

type Query = { before?: number; limit?: number };

export function addPatientRoutes(routes: Routes, context: ApiContext): void {
  const { index, state, projection, visibility, limits, blockTime, callerOf } = context;
  const ofPatient = { params: Type.Object({ id: actor }), querystring: Type.Object(pageQuery) };

  routes.add({
    method: "GET",
    url: "/v1/patients/:id/accesses",
    session: true,
    schema: {
      summary: "Who asked to read, what came of it, and why, newest first",
      tags: ["records"],
      ...ofPatient,
      response: answers({ 200: json("A page", accesses) }),
    },
    handler: async (request) => {
      const { id } = request.params as { id: string };
      const caller = callerOf(request);
      const home = visibility.homeOf(id);
      if (home === undefined || (caller.kind === "patient" && caller.actorId !== id)) throw new Fault("not_visible");
      await projection.caughtUp(limits.waitMs);
      return listAccesses(index.db, Visibility.viewer(caller), { patient: id, home }, pageOf(request.query as Query));
    },
  });

  routes.add({
    method: "GET",
    url: "/v1/patients/:id/consents",
    session: true,
    schema: {
      summary: "The patient's directives, newest first",
      tags: ["records"],
      ...ofPatient,
      response: answers({ 200: json("A page", consents) }),
    },
    handler: async (request) => {
      const { id } = request.params as { id: string };
      if (visibility.homeOf(id) === undefined || !visibility.seesAllOf(callerOf(request), id)) throw new Fault("not_visible");
      await projection.caughtUp(limits.waitMs);
      return listConsents(index.db, id, pageOf(request.query as Query));
    },
  });

  routes.add({
    method: "GET",
    url: "/v1/patients/:id/records",
    session: true,
    schema: {
      summary:
        "The patient's records, the latest filed first; for a member that a directive names, those of the classes it names",
      tags: ["records"],
      ...ofPatient,
      response: answers({ 200: json("A page", records) }),
    },
    handler: async (request) => {
      const { id } = request.params as { id: string };
      const caller = callerOf(request);
      const seesAll = visibility.seesAllOf(caller, id);
      if (visibility.homeOf(id) === undefined || !(seesAll || visibility.isNamed(caller, id))) throw new Fault("not_visible");
      await projection.caughtUp(limits.waitMs);
      const page = await listRecords(index.db, id, pageOf(request.query as Query));
      if (seesAll) return page;
      return { ...page, items: page.items.filter((record) => visibility.isNamed(caller, id, record.class)) };
    },
  });

  routes.add({
    method: "GET",
    url: "/v1/records/:id",
    session: true,
    schema: {
      summary: "One record with its history",
      tags: ["records"],
      params: Type.Object({ id: hex(32) }),
      response: answers({ 200: json("Found", recordShape) }),
    },
    handler: async (request) => {
      const { id } = request.params as { id: string };
      await projection.caughtUp(limits.waitMs);
      const known = getRecord(state, id as RecordId);
      if (known === undefined || !(await visibility.mayReadRecord(callerOf(request), id, known))) throw new Fault("not_visible");
      const found = await findRecord(index.db, id);
      if (found === undefined) throw new Fault("index_inconsistent", { table: "records" });
      return found;
    },
  });

  routes.add({
    method: "GET",
    url: "/v1/grants",
    session: true,
    schema: {
      summary: "Directives in force that name the caller's member, with the pseudonyms sealed to it",
      tags: ["records"],
      querystring: Type.Object(pageQuery),
      response: answers({ 200: json("A page", grants) }),
    },
    handler: async (request) => {
      const { kind, member } = callerOf(request);
      if (kind === "patient") throw new Fault("not_visible");
      await projection.caughtUp(limits.waitMs);
      return listGrants(index.db, member, blockTime(), pageOf(request.query as Query));
    },
  });
}
