/** Each way in which a stream can be malformed closes its connection, is named in the log, and never reaches a handler. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Fault } from "@xinglin/primitives";
import { frameLength } from "../../src/abci/frames.ts";
import { FLUSH, frameOf } from "../support/abci-client.ts";
import { plainHandlers } from "../support/handlers.ts";
import { withServer } from "../support/socket.ts";

const MAX_FRAME_BYTES = 4_096;
const framed = (...bytes: number[]): Uint8Array => Uint8Array.from([bytes.length, ...bytes]);
const time = { seconds: 1n, nanos: 0 };
const address = new Uint8Array(20);
const block = { height: 1n, time };
const evidence = { type: 1, validator: { address }, height: 1n, time };
/** Field 20, `finalize_block`, delimited: its tag. */
const FINALIZE = [0xa2, 0x01];

/** What comes over the socket, by what the log says of it. */
const streams: Record<string, Uint8Array[]> = {
  frame_length: [new Uint8Array(5).fill(0x80)],
  frame_size: [frameLength(MAX_FRAME_BYTES + 1), frameLength(2 ** 34)],
  request_kind: [framed(8, 1), framed(0x22, 0), framed(0xfa, 0x01, 0)], // a number, a kind of the past, a kind unknown
  request_length: [framed(0x0a, 1), framed(0x0a, 0, 0), framed(0x0a, 0, 0x0a, 0), framed(...FINALIZE, 2, 0x0a, 5)],
  request_protobuf: [framed(), framed(...FINALIZE, 1, 0x0b), framed(0x0a, 3, 0x0a, 1, 0xff)], // nothing, an open group, not UTF-8
  integer: [
    frameOf({ case: "finalizeBlock", value: { ...block, height: 2n ** 53n } }),
    frameOf({ case: "query", value: { height: -(2n ** 53n) } }),
    frameOf({ case: "loadSnapshotChunk", value: { height: 2n ** 64n - 1n } }),
  ],
  time: [
    frameOf({ case: "finalizeBlock", value: { height: 1n } }),
    frameOf({ case: "processProposal", value: { ...block, time: { seconds: 1n, nanos: 1_000_000_000 } } }),
  ],
  validator: [
    frameOf({ case: "finalizeBlock", value: { ...block, decidedLastCommit: { round: 0, votes: [{ blockIdFlag: 2 }] } } }),
    frameOf({ case: "prepareProposal", value: { ...block, misbehavior: [{ type: 1, height: 1n, time }] } }),
  ],
  vote_flag: [0, 4].map((blockIdFlag) =>
    frameOf({
      case: "finalizeBlock",
      value: { ...block, decidedLastCommit: { votes: [{ validator: { address }, blockIdFlag }] } },
    }),
  ),
  misbehaviour: [0, 3].map((type) => frameOf({ case: "extendVote", value: { ...block, misbehavior: [{ ...evidence, type }] } })),
  validator_key: [
    { case: "secp256k1" as const, value: new Uint8Array(33) },
    { case: "ed25519" as const, value: new Uint8Array(31) },
    { case: undefined },
  ].map((sum) => frameOf({ case: "initChain", value: { time, validators: [{ pubKey: { sum }, power: 1n }] } })),
  snapshot: [frameOf({ case: "offerSnapshot", value: {} })],
};

for (const [about, ways] of Object.entries(streams))
  test(`${about} closes the connection, and only that`, async () => {
    const handlers = plainHandlers();
    const limits = { maxFrameBytes: MAX_FRAME_BYTES };
    await withServer(
      handlers,
      async ({ client, events }) => {
        const other = await client();
        for (const bytes of ways) {
          events.length = 0;
          const connection = await client();
          connection.socket.write(bytes);
          await connection.closed;
          const closing = events.find(({ event }) => event === "abci_closing");
          assert.partialDeepStrictEqual(closing, { code: "malformed", about });
          assert.equal((await other.ask(FLUSH)).case, "flush");
        }
      },
      limits,
    );
    assert.deepEqual(handlers.asked, []);
  });

test("a frame of exactly the most bytes is taken", async () => {
  const handlers = plainHandlers();
  const largest = frameOf({ case: "insertTx", value: { tx: new Uint8Array(MAX_FRAME_BYTES - 7) } });
  assert.equal(largest.length, MAX_FRAME_BYTES + frameLength(MAX_FRAME_BYTES).length);
  await withServer(
    handlers,
    async ({ client }) => {
      const connection = await client();
      connection.socket.write(largest);
      assert.equal((await connection.answer()).case, "insertTx");
    },
    { maxFrameBytes: MAX_FRAME_BYTES },
  );
});

test("whatever comes after an exception is thrown away", async () => {
  const commit = async (): Promise<never> => {
    throw new Fault("disk_full");
  };
  const handlers = plainHandlers({ commit });
  await withServer(handlers, async ({ client }) => {
    const connection = await client();
    // The other side keeps its end open and talks on, as CometBFT may for a moment.
    connection.socket.allowHalfOpen = true;
    assert.equal((await connection.ask({ case: "commit", value: {} })).case, "exception");
    const more = frameOf({ case: "insertTx", value: { tx: new Uint8Array(30_000) } });
    for (let i = 0; i < 50; i++) await new Promise((resolve) => connection.socket.write(more, resolve));
    connection.socket.end();
    await connection.closed;
    assert.equal((await (await client()).ask(FLUSH)).case, "flush");
  });
  assert.deepEqual(
    handlers.asked.map(([name]) => name),
    ["commit"],
  );
});
