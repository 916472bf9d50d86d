/**
 * Many light blocks in one answer, for whoever catches up, and for peers that measure how fast a node sends what it must have.
 * Source: requirements A8, A9; docs/internals/validators.md, "Probes".
 */
import { type Bytes, cbor, Fault } from "@xinglin/primitives";
import { Type } from "typebox";
import type { ApiContext } from "../context.ts";
import { CBOR, type Routes } from "../route.ts";
import { answers, bytes, integer } from "./schemas.ts";

/** Most light blocks, and most bytes of them, in one answer. */
export const MAX_RANGE_BLOCKS = 256;
export const MAX_RANGE_BYTES = 262_144;

/** Adds the route. */
export function addLightBlockRangeRoute(routes: Routes, { ledger }: ApiContext): void {
  routes.add({
    method: "GET",
    url: "/v1/light-blocks",
    session: false,
    schema: {
      summary: "Light blocks of successive heights, oldest first; fewer than asked for where the chain or the answer ends",
      tags: ["chain"],
      querystring: Type.Object({ from: integer(1), count: integer(1, MAX_RANGE_BLOCKS) }),
      response: answers({ 200: bytes("A list of `tendermint.types.LightBlock`, as byte strings") }),
    },
    handler: (request, reply) => {
      const { from, count } = request.query as { from: number; count: number };
      const blocks: Bytes[] = [];
      let total = 0;
      for (let height = from; height < from + count; height++) {
        const block = ledger.lightBlock(height);
        total += block?.length ?? 0;
        if (block === undefined || total > MAX_RANGE_BYTES) break;
        blocks.push(block);
      }
      if (blocks.length === 0) throw new Fault("height_unknown", { height: ledger.height() });
      return reply.type(CBOR).send(Buffer.from(cbor.encode(blocks)));
    },
  });
}
