/** Entries of the state and of the audit log with what proves them. Source: requirements A2, C10; design.md, "Proofs". */
import { listEntries, maySeeEntry } from "@xinglin/index";
import { cbor, Fault } from "@xinglin/primitives";
import { Type } from "typebox";
import { Visibility } from "../access/visibility.ts";
import type { ApiContext } from "../context.ts";
import { CBOR, type Routes } from "../route.ts";
import { pageOf } from "./page.ts";
import { actor, answers, bytes, entries, hex, integer, json, pageQuery, sequence } from "./schemas.ts";

export function addStateRoutes(routes: Routes, context: ApiContext): void {
  const { ledger, index, projection, visibility, limits, callerOf } = context;

  routes.add({
    method: "GET",
    url: "/v1/state",
    session: true,
    schema: {
      summary: "The value, or the absence, of one entry of the state, with its proof",
      tags: ["proofs"],
      querystring: Type.Object({ key: Type.String({ minLength: 1, maxLength: 200 }), height: Type.Optional(integer(0)) }),
      response: answers({
        200: bytes(
          "{ height, key, value?, proof, lightBlock }: `ics23.CommitmentProof`, `tendermint.types.LightBlock` of height + 1",
        ),
      }),
    },
    handler: async (request, reply) => {
      const { key, height } = request.query as { key: string; height?: number };
      if (!(await visibility.mayReadState(callerOf(request), key))) throw new Fault("not_visible");
      return reply.type(CBOR).send(Buffer.from(cbor.encode(ledger.prove(key, height))));
    },
  });

  routes.add({
    method: "GET",
    url: "/v1/entries/:sequence/proof",
    session: true,
    schema: {
      summary: "One audit entry, its path, and the head of the log in the state",
      tags: ["proofs"],
      params: Type.Object({ sequence }),
      response: answers({ 200: bytes("{ sequence, entry, epoch, index, path, head }") }),
    },
    handler: async (request, reply) => {
      const { sequence } = request.params as { sequence: number };
      await projection.caughtUp(limits.waitMs);
      if (!(await maySeeEntry(index.db, Visibility.viewer(callerOf(request)), sequence))) throw new Fault("not_visible");
      const { entry, epoch, index: position, path, head } = ledger.proveEntry(sequence);
      return reply.type(CBOR).send(Buffer.from(cbor.encode({ sequence, entry, epoch, index: position, path, head })));
    },
  });

  routes.add({
    method: "GET",
    url: "/v1/entries",
    session: true,
    schema: {
      summary: "Audit entries that the caller may see, newest first",
      tags: ["records"],
      querystring: Type.Object({ ...pageQuery, patient: Type.Optional(actor), record: Type.Optional(hex(32)) }),
      response: answers({ 200: json("A page", entries) }),
    },
    handler: async (request) => {
      const query = request.query as { before?: number; limit?: number; patient?: string; record?: string };
      const { patient, record } = query;
      await projection.caughtUp(limits.waitMs);
      const filter = { ...(patient === undefined ? {} : { patient }), ...(record === undefined ? {} : { record }) };
      return listEntries(index.db, Visibility.viewer(callerOf(request)), filter, pageOf(query));
    },
  });
}
