/**
 * Submitting transactions and learning what came of them. A transaction carries its own signature, so no session is needed; nothing here
 * decodes it but the ledger. Source: design.md, "Transactions", "Execution".
 */
import { MAX_TRANSACTION_BYTES } from "@xinglin/contracts";
import { cbor, Fault, fromHex, invariant, schema, toHex } from "@xinglin/primitives";
import { Type } from "typebox";
import type { ApiContext } from "../context.ts";
import { bodyOf, CBOR, type Routes } from "../route.ts";
import { receiptJson, receiptWithin, WAITS, type Wait } from "./receipts.ts";
import { answers, bytes, hex, json, receipt } from "./schemas.ts";

/** Most transactions in one batch. */
export const MAX_BATCH_TRANSACTIONS = 1_000;
const MAX_BATCH_BYTES = 8_388_608;
const batch = schema.list(schema.bytes(1, MAX_TRANSACTION_BYTES), MAX_BATCH_TRANSACTIONS, 1);

const wait = Type.Optional(Type.Enum([...WAITS], { default: "none", description: "How far it must be before the answer." }));

export function addTransactionRoutes(routes: Routes, { ledger, limits }: ApiContext): void {
  routes.add({
    method: "POST",
    url: "/v1/transactions",
    session: false,
    body: { type: CBOR, maxBytes: MAX_TRANSACTION_BYTES },
    schema: {
      summary: "Submit a signed transaction",
      tags: ["transactions"],
      querystring: Type.Object({ wait }),
      body: bytes("The signed transaction"),
      response: answers({
        200: json("It is as far as was asked", Type.Object({ id: hex(64), receipt })),
        202: json("It waits for its block", Type.Object({ id: hex(64) })),
      }),
    },
    handler: async (request, reply) => {
      const { id } = await ledger.submit(bodyOf(request));
      const { wait = "none" } = request.query as { wait?: Wait };
      if (wait === "none") return reply.code(202).send({ id: toHex(id) });
      try {
        return { id: toHex(id), receipt: receiptJson(await receiptWithin(ledger, id, wait, limits.waitMs)) };
      } catch (error) {
        // It was taken, though no block comes in time or at all: the answer says so, and the receipt can be asked for.
        const waits = error instanceof Fault && (error.code === "receipt_pending" || error.code === "ledger_unavailable");
        if (waits) return reply.code(202).send({ id: toHex(id) });
        throw error;
      }
    },
  });

  routes.add({
    method: "POST",
    url: "/v1/transactions::batch",
    session: false,
    body: { type: CBOR, maxBytes: MAX_BATCH_BYTES },
    schema: {
      summary: "Submit many signed transactions",
      tags: ["transactions"],
      body: bytes("A list of signed transactions, as byte strings"),
      response: answers({
        202: json(
          "One answer each, in order",
          Type.Array(Type.Union([Type.Object({ id: hex(64) }), Type.Object({ code: Type.String() })])),
        ),
      }),
    },
    handler: async (request, reply) => {
      const transactions = batch.parse(cbor.decode(bodyOf(request), MAX_BATCH_BYTES));
      const outcomes = await Promise.allSettled(transactions.map((transaction) => ledger.submit(transaction)));
      return reply.code(202).send(
        outcomes.map((outcome) => {
          if (outcome.status === "fulfilled") return { id: toHex(outcome.value.id) };
          invariant(outcome.reason instanceof Fault, "a transaction is turned away with a fault");
          return { code: outcome.reason.code };
        }),
      );
    },
  });

  routes.add({
    method: "GET",
    url: "/v1/receipts/:id",
    session: false,
    schema: {
      summary: "What came of a transaction; for whoever knows its id",
      tags: ["transactions"],
      params: Type.Object({ id: hex(64) }),
      querystring: Type.Object({ wait }),
      response: answers({ 200: json("Committed", receipt) }),
    },
    handler: async (request) => {
      const { id } = request.params as { id: string };
      const { wait = "none" } = request.query as { wait?: Wait };
      const stage = wait === "provable" ? "provable" : "committed";
      return receiptJson(await receiptWithin(ledger, fromHex(id), stage, wait === "none" ? NO_WAIT_MS : limits.waitMs));
    },
  });
}

/** Without `wait` only what is committed already is told; the ledger answers that at once. */
const NO_WAIT_MS = 1;
