/** Searching the records that are described at this node, describing them, and who searched. Source: requirement D7; docs/internals/search.md. */
import { decodeGenesis, descriptionFiling, MAX_QUERY_BYTES, MAX_SEARCH_ROWS, searchQuery } from "@xinglin/contracts";
import { listSearches, listSearchesOf } from "@xinglin/index";
import { cbor, Fault } from "@xinglin/primitives";
import { Type } from "typebox";
import type { ApiContext } from "../context.ts";
import { bodyOf, CBOR, type Routes } from "../route.ts";
import { fileDescriptions } from "../search/file-descriptions.ts";
import { RecordSearch } from "../search/search-records.ts";
import { pageOf } from "./page.ts";
import { actor, answers, bytes, hex, integer, json, pageQuery } from "./schemas.ts";

/** A filing of the most descriptions with the most entries is smaller. */
const MAX_FILING_BYTES = 16_777_216;

const search = {
  number: integer(1),
  time: Type.Integer({ description: "Seconds since 1970-01-01T00:00:00Z, by the node's clock." }),
  actor,
  member: Type.String(),
  purpose: Type.String(),
};
const page = <T extends Parameters<typeof Type.Array>[0]>(row: T) =>
  Type.Object({ items: Type.Array(row), next: Type.Optional(integer(1)) });
const searches = page(
  Type.Object({
    ...search,
    height: integer(),
    key: hex(16),
    credential: hex(32),
    approval: Type.Optional(hex(32)),
    criteria: Type.Unknown({ description: "As they were asked." }),
    shown: integer(0, MAX_SEARCH_ROWS),
  }),
);
const patientSearches = page(Type.Object({ ...search, records: Type.Array(hex(32)) }));
const nodes = Type.Object({
  here: Type.Array(Type.String({ description: "A member whose records this node is asked about." })),
  nodes: Type.Array(Type.Object({ member: Type.String(), url: Type.String() })),
});

export function addSearchRoutes(routes: Routes, context: ApiContext): void {
  const { index, options, visibility, callerOf, ledger } = context;
  const records = new RecordSearch(context);

  routes.add({
    method: "POST",
    url: "/v1/search",
    session: true,
    body: { type: CBOR, maxBytes: MAX_QUERY_BYTES },
    schema: {
      summary: "Records described at this node that the caller would be permitted to ask for, for this purpose, now",
      tags: ["search"],
      body: bytes("{ purpose, credential, approval?, criteria, after? }"),
      response: answers({
        200: bytes("{ records, next? }; of what may not be asked for nothing is said, nor how much there is"),
      }),
    },
    handler: async (request, reply) => {
      const query = searchQuery.parse(cbor.decode(bodyOf(request), MAX_QUERY_BYTES));
      return reply.type(CBOR).send(Buffer.from(cbor.encode(await records.page(callerOf(request), query))));
    },
  });

  routes.add({
    method: "POST",
    url: "/v1/search/descriptions",
    session: true,
    body: { type: CBOR, maxBytes: MAX_FILING_BYTES },
    schema: {
      summary: "Describe records of the caller's own member for searches, in coded values",
      tags: ["search"],
      body: bytes("{ credential?, records }"),
      response: answers({ 200: bytes("{ kept, refused }") }),
    },
    handler: async (request, reply) => {
      const filing = descriptionFiling.parse(cbor.decode(bodyOf(request), MAX_FILING_BYTES));
      return reply.type(CBOR).send(Buffer.from(cbor.encode(await fileDescriptions(context, callerOf(request), filing))));
    },
  });

  routes.add({
    method: "GET",
    url: "/v1/search/nodes",
    session: false,
    schema: {
      summary: "Whose records this node is asked about, and where the other members' nodes are, as its operator set them",
      tags: ["search"],
      response: answers({ 200: json("All", nodes) }),
    },
    handler: () => ({
      here:
        options.search?.member === undefined
          ? decodeGenesis(ledger.genesis).members.map(({ id }) => id)
          : [options.search.member],
      nodes: options.search?.nodes ?? [],
    }),
  });

  routes.add({
    method: "GET",
    url: "/v1/searches",
    session: true,
    schema: {
      summary: "Who searched this node and for what, newest first; for the administration of its member, and of a commission",
      tags: ["search"],
      querystring: Type.Object(pageQuery),
      response: answers({ 200: json("A page", searches) }),
    },
    handler: (request) => {
      const { kind, member, memberKind } = callerOf(request);
      if (kind !== "member" || (memberKind !== "commission" && member !== options.search?.member)) throw new Fault("not_visible");
      return listSearches(index.db, pageOf(request.query as { before?: number; limit?: number }));
    },
  });

  routes.add({
    method: "GET",
    url: "/v1/patients/:id/searches",
    session: true,
    schema: {
      summary: "Searches of this node that showed records of the patient: by whom, and for which purpose",
      tags: ["search"],
      params: Type.Object({ id: actor }),
      querystring: Type.Object(pageQuery),
      response: answers({ 200: json("A page", patientSearches) }),
    },
    handler: (request) => {
      const { id } = request.params as { id: string };
      if (visibility.homeOf(id) === undefined || !visibility.seesAllOf(callerOf(request), id)) throw new Fault("not_visible");
      return listSearchesOf(index.db, id, pageOf(request.query as { before?: number; limit?: number }));
    },
  });
}
