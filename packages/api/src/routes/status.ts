/** What anyone may know of the chain: its genesis and its head. Source: requirement A2; design.md, "Proofs". */
import { decodeGenesis, getMember } from "@xinglin/contracts";
import type { ApiContext } from "../context.ts";
import { CBOR, type Routes } from "../route.ts";
import { answers, bytes, json, status } from "./schemas.ts";

export function addStatusRoutes(routes: Routes, { ledger, state, index, blockTime, options }: ApiContext): void {
  const members = decodeGenesis(ledger.genesis).members.map(({ id }) => id);
  const genesis = Buffer.from(ledger.genesis);

  routes.add({
    method: "GET",
    url: "/v1/status",
    session: false,
    schema: { summary: "Where the chain stands", tags: ["chain"], response: answers({ 200: json("Now", status) }) },
    handler: () => ({
      chainId: ledger.chainId,
      height: ledger.height(),
      provableHeight: ledger.provableHeight(),
      newestBlockTime: blockTime(),
      members: members.filter((id) => getMember(state, id)?.status === "active").length,
      version: options.version ?? "0",
      entries: ledger.entryCount(),
      projected: index.sequence,
    }),
  });

  routes.add({
    method: "GET",
    url: "/v1/genesis",
    session: false,
    schema: {
      summary: "The genesis document; its hash is in the chain id",
      tags: ["chain"],
      response: answers({ 200: bytes("Canonical bytes") }),
    },
    handler: (_, reply) => reply.type(CBOR).send(genesis),
  });
}
