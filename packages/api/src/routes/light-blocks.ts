/**
 * What a light client asks for: light blocks, sent once and short, and which other nodes to compare them with. Pages of other members may ask,
 * too: that is how a lying node is found out.
 * Source: requirements A2, A9 (1 MB a day); docs/internals/proofs.md, "Following a chain"; RFC 9111.
 */
import { Fault, toHex } from "@xinglin/primitives";
import { decodeLightBlock, headerHash, withoutValidators } from "@xinglin/verifier";
import { Type } from "typebox";
import type { ApiContext } from "../context.ts";
import { PROTOBUF, type Routes } from "../route.ts";
import { answers, bytes, hex, json } from "./schemas.ts";

/** A block of a height never changes. */
const FOR_EVER = "public, max-age=31536000, immutable";

/** Where any page may read. Sent with errors, too, so that it can tell "not that far" from "gone". */
export const isForOtherPages = (url: string): boolean => url.startsWith("/v1/light-blocks/");

/** Adds the routes of light clients. */
export function addLightBlockRoutes(routes: Routes, { ledger, options }: ApiContext): void {
  routes.add({
    method: "GET",
    url: "/v1/light-blocks/:height",
    session: false,
    schema: {
      summary: "Header, commit and validators of a block; what the caller has is left out",
      tags: ["chain"],
      params: Type.Object({ height: Type.String({ pattern: "^(newest|[1-9][0-9]{0,15})$" }) }),
      querystring: Type.Object({
        header: Type.Optional(
          Type.String({ ...hex(64), description: "Hash of a header: if the block has it, the answer is 204." }),
        ),
        validators: Type.Optional(
          Type.String({ ...hex(64), description: "Hash of validators: if the block has them, they are left out." }),
        ),
      }),
      response: answers({
        200: bytes("`tendermint.types.LightBlock`", PROTOBUF),
        204: { description: "The header is the one named" },
      }),
    },
    handler: (request, reply) => {
      const { height } = request.params as { height: string };
      const known = request.query as { header?: string; validators?: string };
      const block = height === "newest" ? ledger.newestLightBlock() : ledger.lightBlock(Number(height));
      if (block === undefined) throw new Fault("height_unknown", { height: ledger.height() });
      if (height !== "newest") reply.header("cache-control", FOR_EVER);
      if (known.header === undefined && known.validators === undefined) return reply.type(PROTOBUF).send(Buffer.from(block));
      const { header } = decodeLightBlock(block);
      if (known.header === toHex(headerHash(header))) return reply.code(204).send();
      const isKnown = known.validators === toHex(header.validatorsHash);
      return reply.type(PROTOBUF).send(Buffer.from(isKnown ? withoutValidators(block) : block));
    },
  });

  routes.add({
    method: "GET",
    url: "/v1/peers",
    session: false,
    schema: {
      summary: "Addresses of other members' APIs, to compare light blocks with",
      tags: ["chain"],
      response: answers({ 200: json("As this node's operator set them", Type.Object({ peers: Type.Array(Type.String()) })) }),
    },
    handler: () => ({ peers: options.peers ?? [] }),
  });
}
