/** Frames that CometBFT would not send: nothing crashes, nothing grows, and who speaks properly is served all the while. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Fault } from "@xinglin/primitives";
import { callOf } from "../../src/abci/calls.ts";
import { decodeRequest, MAX_ELEMENTS } from "../../src/abci/envelope.ts";
import { FrameReader, frameLength } from "../../src/abci/frames.ts";
import { FLUSH, frameOf } from "../support/abci-client.ts";
import { plainHandlers } from "../support/handlers.ts";
import { hostileFrame, numbers } from "../support/hostile-frames.ts";
import { withServer } from "../support/socket.ts";

const SEED = 20_260_404;
const FRAMES = 100_000;
const MEGABYTE = 2 ** 20;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
/** Bytes that are held after a full collection. */
function heldBytes(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

test(`each of ${FRAMES} wrong frames is either a request or malformed (seed ${SEED})`, () => {
  const next = numbers(SEED);
  const counts = { requests: 0, unfinished: 0, malformed: 0 };
  for (let i = 0; i < FRAMES; i++) {
    try {
      const reader = new FrameReader(MEGABYTE);
      reader.push(hostileFrame(next));
      const frame = reader.next();
      if (frame === undefined) {
        counts.unfinished++;
        continue;
      }
      const asked = decodeRequest(frame);
      assert.ok(!("tooMany" in asked));
      callOf(asked);
      counts.requests++;
    } catch (error) {
      assert.ok(error instanceof Fault && error.code === "malformed", String(error));
      counts.malformed++;
    }
  }
  for (const [way, count] of Object.entries(counts)) assert.ok(count > 1_000, `only ${count} ${way}`);
});

test(`${FRAMES} wrong frames over many connections (seed ${SEED + 1})`, async () => {
  const handlers = plainHandlers();
  const next = numbers(SEED + 1);
  const perConnection = 20;
  await withServer(
    handlers,
    async ({ server, client, events }) => {
      const path = server.address.slice("unix://".length);
      /** Sends some frames and the end of the stream, and waits until the server has closed. */
      const attack = async (): Promise<void> => {
        const socket = connect(path);
        socket.on("error", () => undefined);
        socket.resume();
        socket.end(Buffer.concat(Array.from({ length: perConnection }, () => hostileFrame(next))));
        await new Promise((resolve) => socket.once("close", resolve));
        handlers.asked.length = 0;
      };
      const honest = await client();
      const attackInLanes = async (connections: number): Promise<void> => {
        let left = connections;
        const lane = async (): Promise<void> => {
          while (left-- > 0) await attack();
        };
        await Promise.all([lane(), lane(), lane(), lane()]);
        assert.equal((await honest.ask(FLUSH)).case, "flush");
        events.length = 0;
      };
      await attackInLanes(FRAMES / perConnection / 10);
      const before = heldBytes();
      await attackInLanes((9 * FRAMES) / perConnection / 10);
      const grown = heldBytes() - before;
      assert.ok(grown < 24 * MEGABYTE, `${grown} bytes are held that were not before`);
      const echo = await honest.ask({ case: "echo", value: { message: "still here" } });
      assert.equal(echo.case === "echo" && echo.value.message, "still here");
    },
    { maxFrameBytes: MEGABYTE },
  );
});

test("the largest frames, hardly begun, take hardly any memory", async () => {
  await withServer(plainHandlers(), async ({ client }) => {
    const before = process.memoryUsage.rss();
    const begun = Buffer.concat([frameLength(60 * MEGABYTE), new Uint8Array(100_000)]);
    const honest = await client();
    const sockets = await Promise.all(Array.from({ length: 12 }, () => client()));
    for (const { socket } of sockets) await new Promise((resolve) => socket.write(begun, resolve));
    for (let i = 0; i < 20; i++) await honest.ask(FLUSH);
    const grown = process.memoryUsage.rss() - before;
    assert.ok(grown < 120 * MEGABYTE, `${grown} bytes for ${sockets.length * begun.length} that were sent`);
  });
});

test("more elements than a block can have: a proposal is refused, anything else closes its connection", async () => {
  const handlers = plainHandlers();
  const block = { txs: Array.from({ length: MAX_ELEMENTS + 1 }, () => new Uint8Array(0)), height: 1n, time: { seconds: 1n } };
  await withServer(handlers, async ({ client, events }) => {
    const connection = await client();
    const refused = await connection.ask({ case: "processProposal", value: block });
    assert.equal(refused.case === "processProposal" && refused.value.status, 2);
    connection.socket.write(frameOf({ case: "finalizeBlock", value: block }));
    await connection.closed;
    assert.partialDeepStrictEqual(
      events.find(({ event }) => event === "abci_closing"),
      {
        code: "malformed",
        about: "request_elements",
      },
    );
    assert.deepEqual(handlers.asked, []);
  });
});

test("connections beyond the most are turned away, and the others served", async () => {
  await withServer(plainHandlers(), async ({ server, client, events }) => {
    const path = server.address.slice("unix://".length);
    const open = await Promise.all(Array.from({ length: 16 }, () => client()));
    const beyond = connect(path);
    beyond.on("error", () => undefined);
    await once(beyond.resume(), "close");
    assert.ok(events.some(({ event }) => event === "abci_turned_away"));
    for (const one of open) assert.equal((await one.ask(FLUSH)).case, "flush");
  });
});
