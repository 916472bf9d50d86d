/** How the archive is, as this node's last round found it. Source: requirements D2, D3; docs/internals/archive.md. */
import { Fault } from "@xinglin/primitives";
import { Type } from "typebox";
import type { ApiContext } from "../context.ts";
import type { Routes } from "../route.ts";
import { answers, hex, integer, json } from "./schemas.ts";

const yuanAndJoules = { yuan: Type.Number(), joules: Type.Number() };
const report = Type.Object({
  member: Type.String({ description: "Whose node looked." }),
  scope: Type.Enum(["own", "all"], { description: "Own objects and those of members that are away, or all." }),
  round: Type.Optional(Type.Integer({ description: "Number under which the round stands on the chain." })),
  from: Type.Integer({ description: "Seconds UTC." }),
  until: Type.Integer(),
  objects: Type.Integer(),
  byMissing: Type.Record(Type.String(), Type.Integer(), { description: "Objects by missing columns." }),
  queue: Type.Array(
    Type.Object({
      object: hex(32),
      record: Type.Optional(hex(32)),
      missing: integer(1),
      spare: Type.Integer({ description: "How many columns more may go; below 0 it is unreadable." }),
    }),
    { description: "What lacks something, the most endangered first; at most a thousand." },
  ),
  waiting: Type.Integer({ description: "How many those are in all." }),
  endangered: Type.Integer(),
  unreadable: Type.Integer(),
  drawn: Type.Integer({ description: "Pieces that were looked at." }),
  lost: Type.Integer({ description: "Of them, those that a store which is there did not show rightly." }),
  stores: Type.Array(
    Type.Object({
      store: Type.String(),
      state: Type.Enum(["there", "away", "gone"]),
      drawn: Type.Integer(),
      lost: Type.Integer(),
    }),
  ),
  repaired: Type.Object({ objects: Type.Integer(), pieces: Type.Integer() }),
  left: Type.Array(Type.Object({ store: Type.String(), code: Type.String(), objects: Type.Integer() }), {
    description: "Stores that repairs could not write to.",
  }),
  overhead: Type.Number(),
  storedBytes: Type.Integer(),
  yearlyLoss: Type.Number({ description: "Probability that some object is lost within a year." }),
  cost: Type.Object(
    { ...yuanAndJoules, threeCopies: Type.Object(yuanAndJoules) },
    { description: "A month on disks bought for it, and of three plain copies: an estimate." },
  ),
});

/** Adds the route. */
export function addArchiveHealthRoute(routes: Routes, { options, callerOf }: ApiContext): void {
  routes.add({
    method: "GET",
    url: "/v1/archive/health",
    session: true,
    schema: {
      summary: "How the archive was when this node last looked: for its member's administration, and a commission's",
      tags: ["archive"],
      response: answers({ 200: json("The last round's report", report) }),
    },
    handler: (request) => {
      const caller = callerOf(request);
      const found = options.archiveReport?.();
      if (caller.kind !== "member") throw new Fault("not_visible");
      if (found === undefined) throw new Fault("archive_not_looked_at");
      if (caller.memberKind !== "commission" && caller.member !== found.member) throw new Fault("not_visible");
      return found;
    },
  });
}
