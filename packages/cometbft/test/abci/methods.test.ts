/** Every method of ABCI 2.0 there and back over a socket: what the handler is asked, and what CometBFT is told. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { AbciHandlers } from "../../src/abci/handlers.ts";
import { RequestSchema } from "../../src/proto/tendermint/abci/types_pb.js";
import { FLUSH } from "../support/abci-client.ts";
import { plainHandlers } from "../support/handlers.ts";
import { type Row, rows } from "../support/method-rows.ts";
import { withServer } from "../support/socket.ts";

/** Leaves what the schemas add (`$typeName`, absent defaults of nested messages) out of the comparison. */
const plain = (value: unknown): unknown => {
  if (value instanceof Uint8Array || typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(Object.entries(value).flatMap(([key, inner]) => (key === "$typeName" ? [] : [[key, plain(inner)]])));
};

for (const [name, { ask, asked, own, told }] of Object.entries(rows) as [keyof AbciHandlers, Row][])
  test(`${name} there and back`, async () => {
    const handlers = plainHandlers(own);
    await withServer(handlers, async ({ client }) => {
      const reply = await (await client()).ask(ask);
      assert.deepEqual(handlers.asked, [[name, asked]]);
      assert.equal(reply.case, name);
      assert.partialDeepStrictEqual(plain(reply.value), told);
    });
  });

test("echo and flush are answered by the server, and no method of the protocol is left out", async () => {
  const handlers = plainHandlers();
  await withServer(handlers, async ({ client }) => {
    const connection = await client();
    const echo = await connection.ask({ case: "echo", value: { message: "你好" } });
    assert.equal(echo.case === "echo" && echo.value.message, "你好");
    assert.equal((await connection.ask(FLUSH)).case, "flush");
    assert.deepEqual(handlers.asked, []);
  });
  const kinds = RequestSchema.fields.map(({ localName }) => localName).sort();
  assert.deepEqual(kinds, [...Object.keys(rows), "echo", "flush"].sort());
});

test("byte strings are plain arrays that own their request", async () => {
  const handlers = plainHandlers();
  await withServer(handlers, async ({ client }) => {
    await (await client()).ask({ case: "insertTx", value: { tx: new Uint8Array(700).fill(1) } });
    const { transaction } = handlers.asked[0]![1] as { transaction: Uint8Array };
    assert.equal(Object.getPrototypeOf(transaction), Uint8Array.prototype);
    assert.ok(transaction.buffer.byteLength < 720, `keeps ${transaction.buffer.byteLength} bytes for 700`);
  });
});
