/** Opening a session. Source: design.md, "Identity"; RFC 9421. */
import { MAX_SESSION_REQUEST_BYTES } from "@xinglin/verifier/session";
import { Type } from "typebox";
import type { ApiContext } from "../context.ts";
import { bodyOf, CBOR, type Routes } from "../route.ts";
import { answers, bytes, hex, json } from "./schemas.ts";

export function addSessionRoutes(routes: Routes, { sessions }: ApiContext): void {
  routes.add({
    method: "POST",
    url: "/v1/sessions",
    session: false,
    body: { type: CBOR, maxBytes: MAX_SESSION_REQUEST_BYTES },
    schema: {
      summary: "Open a session: a key of the chain delegates to a key that signs requests, for a quarter of an hour",
      tags: ["sessions"],
      body: bytes("{ statement, signature }"),
      response: answers({ 201: json("Opened", Type.Object({ session: hex(32) })) }),
    },
    handler: (request, reply) => reply.code(201).send({ session: sessions.open(bodyOf(request)) }),
  });
}
