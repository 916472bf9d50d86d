/**
 * Who makes the blocks, and how this node is: what people at a node's side and peers that probe it ask for. Nobody's data is in it.
 * Source: requirements A3, A8; design.md, "Validators" (for n < 4 the missing cap is said aloud).
 */
import { validatorStatus } from "@xinglin/contracts";
import { Fault, fromHex } from "@xinglin/primitives";
import { Type } from "typebox";
import type { ApiContext } from "../context.ts";
import { CBOR, type Routes } from "../route.ts";
import { answers, bytes, hex, json } from "./schemas.ts";

const standing = Type.Array(
  Type.Object({
    member: Type.String(),
    publicKey: Type.String({ description: "Hex." }),
    standing: Type.Enum(["fit", "unfit", "penalised"]),
    power: Type.Integer(),
    sharePerMille: Type.Integer({ description: "Of all voting power, rounded down." }),
    score: Type.Integer(),
    strikes: Type.Integer(),
    isKeptForLackOfOthers: Type.Boolean(),
    seen: Type.Optional(
      Type.Object({
        epoch: Type.Integer({ description: "The last closed epoch." }),
        probers: Type.Integer({ description: "How many peers said what they saw; the medians count the others as nothing." }),
        answeredPerMille: Type.Integer(),
        kilobytesPerSecond: Type.Integer(),
        freeMegabytes: Type.Integer(),
      }),
    ),
  }),
);
const validators = Type.Object({
  epoch: Type.Integer(),
  epochSince: Type.Integer(),
  epochEndsFrom: Type.Integer(),
  seats: Type.Object({ wanted: Type.Integer(), held: Type.Integer(), least: Type.Integer(), most: Type.Integer() }),
  totalPower: Type.Integer(),
  active: standing,
  standby: standing,
  unfit: standing,
  penalised: standing,
  penalties: Type.Integer(),
  committee: Type.Object({ members: Type.Array(Type.String()), votesNeeded: Type.Integer() }),
  isCapMissing: Type.Boolean({ description: "Fewer than four: nobody's power is below a third." }),
  toleratedFaults: Type.Integer(),
  isOverCap: Type.Boolean(),
});
const node = Type.Object({
  driver: Type.String(),
  peers: Type.Optional(Type.Array(Type.String({ description: "Ids of the nodes that this one is connected to." }))),
  freeMegabytes: Type.Integer(),
  clockOffsetSeconds: Type.Optional(
    Type.Integer({ description: "Seconds by which the machine's clock is ahead of the chain's, negative if behind." }),
  ),
  snapshot: Type.Optional(Type.Integer({ description: "Height of the newest snapshot." })),
  archive: Type.Optional(
    Type.Object(
      {
        until: Type.Integer({ description: "When it had looked, seconds UTC." }),
        objects: Type.Integer(),
        waiting: Type.Integer({ description: "Objects that lack something." }),
        endangered: Type.Integer({ description: "Objects with fewer spare columns than the node is told to warn of." }),
        unreadable: Type.Integer(),
        lost: Type.Integer({ description: "Pieces that a store which is there did not show." }),
        storesAway: Type.Integer(),
      },
      { description: "What the last round over the archive left." },
    ),
  ),
});

/** Adds the routes. */
export function addValidatorRoutes(routes: Routes, { state, options }: ApiContext): void {
  routes.add({
    method: "GET",
    url: "/v1/validators",
    session: false,
    schema: {
      summary: "Who makes blocks, with which power, and who decides on them",
      tags: ["chain"],
      response: answers({ 200: json("As of the newest block", validators) }),
    },
    handler: () => {
      const status = validatorStatus(state);
      if (status === undefined) throw new Fault("ledger_unavailable", {}, { retry: true });
      return status;
    },
  });
  routes.add({
    method: "GET",
    url: "/v1/node",
    session: false,
    schema: { summary: "How this node is", tags: ["chain"], response: answers({ 200: json("Now", node) }) },
    handler: async () => {
      if (options.node === undefined) throw new Fault("node_not_told");
      return options.node();
    },
  });
  routes.add({
    method: "GET",
    url: "/v1/node/statement",
    session: false,
    schema: {
      summary: "How this node is, signed by its member for the one who asks",
      tags: ["chain"],
      querystring: Type.Object({ nonce: hex(64) }),
      response: answers({ 200: bytes("{ statement, signature }: of `xinglin-node-statement/1`, with the asker's nonce in it") }),
    },
    handler: async (request, reply) => {
      if (options.nodeStatement === undefined) throw new Fault("node_not_told");
      const { nonce } = request.query as { nonce: string };
      return reply.type(CBOR).send(Buffer.from(await options.nodeStatement(fromHex(nonce))));
    },
  });
}
