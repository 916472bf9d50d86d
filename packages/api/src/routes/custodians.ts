/**
 * Requests to custodians, passed on as bytes. They carry their own authority: a deposit its signature, a release the permit that pins the
 * key its share is sealed to, an erasure the proof that the record has ended. Source: design.md, "Consent, access, custody".
 */

import type { CustodianService } from "@xinglin/custody";
import { Fault } from "@xinglin/primitives";
import { Type } from "typebox";
import type { ApiContext } from "../context.ts";
import { bodyOf, CBOR, type Routes } from "../route.ts";
import { actor, answers, bytes } from "./schemas.ts";

const MAX_REQUEST_BYTES = 1_048_576;
const KINDS: readonly { readonly path: string; readonly call: keyof CustodianService; readonly summary: string }[] = [
  { path: "deposits", call: "deposit", summary: "Hand a custodian its share of a record's key" },
  { path: "bulk-deposits", call: "depositMany", summary: "Hand a custodian its shares of many records' keys at once" },
  {
    path: "releases",
    call: "release",
    summary: "Redeem a permit: the custodian's share, sealed to the key that the permit pins",
  },
  { path: "erasures", call: "erase", summary: "Have a custodian erase its share of a record that has ended" },
];

export function addCustodianRoutes(routes: Routes, { options }: ApiContext): void {
  for (const { path, call, summary } of KINDS)
    routes.add({
      method: "POST",
      url: `/v1/custodians/:id/${path}`,
      session: false,
      body: { type: CBOR, maxBytes: MAX_REQUEST_BYTES },
      schema: {
        summary,
        tags: ["custody"],
        params: Type.Object({ id: actor }),
        body: bytes("The request"),
        response: answers({ 200: bytes("The custodian's answer") }),
      },
      handler: async (request, reply) => {
        const { id } = request.params as { id: string };
        const custodian = options.custodians?.get(id);
        if (custodian === undefined) throw new Fault("custodian_not_served", { custodian: id });
        return reply.type(CBOR).send(Buffer.from(await custodian[call](bodyOf(request))));
      },
    });
}
