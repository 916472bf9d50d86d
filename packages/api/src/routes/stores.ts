/** The stores that members lend to the archive, as the chain has them. Where their bytes lie is not said. Source: requirement D9. */
import { getLentStore, getLentStoreIds, getMember } from "@xinglin/contracts";
import { Type } from "typebox";
import type { ApiContext } from "../context.ts";
import type { Routes } from "../route.ts";
import { answers, integer, json } from "./schemas.ts";

const stores = Type.Array(
  Type.Object({
    id: Type.String(),
    member: Type.String(),
    memberStatus: Type.Enum(["active", "suspended"]),
    kind: Type.Enum(["directory", "s3", "ipfs"]),
    site: Type.Object({ building: Type.String(), city: Type.String(), power: Type.String() }),
    quotaMegabytes: integer(1),
    url: Type.String({ description: "The lender's store service." }),
    state: Type.Enum(["offered", "draining", "withdrawn"]),
    since: Type.Integer({ description: "Height at which it came into this state." }),
  }),
);

/** Adds the route. */
export function addStoreRoutes(routes: Routes, { state }: ApiContext): void {
  routes.add({
    method: "GET",
    url: "/v1/stores",
    session: false,
    schema: {
      summary: "Stores that members lend, or lent, in the order in which they came",
      tags: ["consortium"],
      response: answers({ 200: json("All", stores) }),
    },
    handler: () =>
      getLentStoreIds(state).flatMap((id) => {
        const store = getLentStore(state, id);
        if (store === undefined) return [];
        return [{ ...store, id, memberStatus: getMember(state, store.member)?.status ?? "suspended" }];
      }),
  });
}
