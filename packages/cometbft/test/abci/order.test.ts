/** In which order requests are called and answered, how much is read ahead, and what survives a connection that ends. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type AbciClient, FLUSH, frameOf, type Question } from "../support/abci-client.ts";
import { plainHandlers } from "../support/handlers.ts";
import { withServer } from "../support/socket.ts";

/** A test whose handlers are never let go on must not hold up the suite. */
const LIMIT = { timeout: 60_000 };

/** Handlers whose calls stay under way until the test lets them go on, in whatever order it likes. */
function held() {
  const started: string[] = [];
  const gates = new Map<string, () => void>();
  let told = (): void => undefined;
  const hold = (name: string): Promise<void> => {
    started.push(name);
    told();
    return new Promise((resolve) => gates.set(name, resolve));
  };
  return {
    started,
    hold,
    release: (name: string): void => gates.get(name)!(),
    /** Resolves when `count` calls have begun. */
    begun: async (count: number): Promise<void> => {
      while (started.length < count) await new Promise<void>((resolve) => (told = resolve));
    },
  };
}

const tx = (n: number): Question => ({ case: "checkTx", value: { tx: Uint8Array.of(n) } });
const commit: Question = { case: "commit", value: {} };
const finalize: Question = { case: "finalizeBlock", value: { height: 1n, time: { seconds: 1n } } };
const query: Question = { case: "query", value: { path: "q" } };

test("answers come in the order of the requests, whichever handler is done first", LIMIT, async () => {
  const { started, hold, release, begun } = held();
  const handlers = plainHandlers({
    checkTx: async ({ transaction }) => {
      await hold(`tx${transaction[0]}`);
      return { code: transaction[0]! };
    },
  });
  await withServer(handlers, async ({ client }) => {
    const connection = await client();
    const answers = Promise.all([1, 2, 3].map((n) => connection.ask(tx(n))).concat(connection.ask(FLUSH)));
    await begun(3);
    assert.deepEqual(started, ["tx1", "tx2", "tx3"]);
    for (const name of ["tx3", "tx2", "tx1"]) release(name);
    const codes = (await answers).map((reply) => (reply.case === "checkTx" ? reply.value.code : reply.case));
    assert.deepEqual(codes, [1, 2, 3, "flush"]);
  });
});

test("consensus is called one after another; other connections do not wait for it", LIMIT, async () => {
  const { started, hold, release, begun } = held();
  const handlers = plainHandlers({
    finalizeBlock: async () => {
      await hold("finalizeBlock");
      return { results: [], validatorUpdates: [], appHash: new Uint8Array(0) };
    },
    commit: async () => {
      started.push("commit");
      return { retainHeight: 0 };
    },
  });
  await withServer(handlers, async ({ client }) => {
    const consensus = await client();
    const others = [await client(), await client()] as const;
    const answers = Promise.all([consensus.ask(finalize), consensus.ask(commit)]);
    await begun(1);
    assert.equal((await others[0].ask(tx(1))).case, "checkTx");
    assert.equal((await others[1].ask({ case: "info", value: {} })).case, "info");
    assert.deepEqual(started, ["finalizeBlock"], "commit waits for finalizeBlock");
    release("finalizeBlock");
    assert.deepEqual(
      (await answers).map((reply) => reply.case),
      ["finalizeBlock", "commit"],
    );
    assert.deepEqual(started, ["finalizeBlock", "commit"]);
  });
});

test("what a broken connection left under way is waited for before a new one learns the height", LIMIT, async () => {
  const { hold, release, begun } = held();
  let height = 6;
  const handlers = plainHandlers({
    commit: async () => {
      await hold("commit");
      height = 7;
      return { retainHeight: 0 };
    },
    info: async () => ({ version: "", appVersion: 1, lastBlockHeight: height, lastBlockAppHash: new Uint8Array(0) }),
  });
  await withServer(handlers, async ({ client, events }) => {
    const first = await client();
    void first.ask(commit);
    await begun(1);
    const again = await client();
    // A request that had not begun when the connection broke never begins.
    void first.ask(finalize);
    await first.close();
    while (!events.some(({ event }) => event === "abci_disconnected")) await again.ask({ case: "echo", value: {} });
    const info = again.ask({ case: "info", value: {} });
    const other = await client();
    for (let i = 0; i < 20; i++) await other.ask(FLUSH); // had it been asked at once, it would be by now
    assert.deepEqual(
      handlers.asked.map(([name]) => name),
      ["commit"],
    );
    release("commit");
    const reply = await info;
    assert.equal(reply.case === "info" && reply.value.lastBlockHeight, 7n);
    assert.ok(!handlers.asked.some(([name]) => name === "finalizeBlock"));
  });
});

test("a frame that comes byte by byte, and many frames in one write", LIMIT, async () => {
  const handlers = plainHandlers();
  await withServer(handlers, async ({ client }) => {
    const connection = await client();
    const single = frameOf({ case: "checkTx", value: { tx: new Uint8Array(300).fill(9) } });
    connection.socket.setNoDelay(true);
    for (const byte of single) await new Promise((resolve) => connection.socket.write(Uint8Array.of(byte), resolve));
    assert.equal((await connection.answer()).case, "checkTx");
    const last = Promise.all(Array.from({ length: 1_000 }, () => connection.answer()));
    connection.socket.write(Buffer.concat(Array.from({ length: 1_000 }, () => single)));
    assert.equal((await last).length, 1_000);
  });
  assert.equal(handlers.asked.length, 1_001);
  for (const [, request] of handlers.asked)
    assert.deepEqual((request as { transaction: Uint8Array }).transaction, new Uint8Array(300).fill(9));
});

test("a large block arrives whole", LIMIT, async () => {
  const txs = Array.from({ length: 3_000 }, (_, i) => new Uint8Array(700).fill(i));
  const handlers = plainHandlers();
  await withServer(handlers, async ({ client }) => {
    const connection = await client();
    const reply = await connection.ask({ case: "prepareProposal", value: { txs, height: 1n, time: { seconds: 1n } } });
    assert.deepEqual(reply.case === "prepareProposal" && reply.value.txs, txs);
  });
});

/** Sends requests until the server reads no more: the kernel's buffers are full and stay so. */
async function sendUntilStuck(connection: AbciClient, frame: Uint8Array): Promise<void> {
  const megabyte = Buffer.concat(Array.from({ length: Math.ceil(2 ** 20 / frame.length) }, () => frame));
  for (let i = 0; i < 64; i++) connection.socket.write(megabyte);
}

test("a connection with too many requests waiting is not read from, until they are answered", LIMIT, async () => {
  let running = 0;
  let most = 0;
  const waiting: (() => void)[] = [];
  const full = Promise.withResolvers<void>();
  const handlers = plainHandlers({
    checkTx: async () => {
      most = Math.max(most, ++running);
      if (running === 8) full.resolve();
      await new Promise<void>((resolve) => waiting.push(resolve));
      running--;
      return { code: 0 };
    },
  });
  const limits = { maxPending: 8 };
  await withServer(
    handlers,
    async ({ client }) => {
      const connection = await client();
      const answers = Promise.all(Array.from({ length: 100 }, (_, n) => connection.ask(tx(n))));
      await full.promise;
      // Another connection is served meanwhile, which shows that the loop has come round.
      const other = await client();
      for (let i = 0; i < 20; i++) await other.ask(FLUSH);
      assert.equal(running, 8);
      const release = setInterval(() => waiting.shift()?.(), 0);
      await answers;
      clearInterval(release);
      assert.equal(most, 8);
    },
    limits,
  );
});

test("a client that does not take its answers is not read from either", LIMIT, async () => {
  const value = new Uint8Array(10_000);
  const handlers = plainHandlers({ query: async () => ({ code: 0, value }) });
  await withServer(handlers, async ({ client }) => {
    const deaf = await client();
    deaf.socket.pause();
    await sendUntilStuck(deaf, frameOf(query));
    const other = await client();
    let before = -1;
    // Asked as long as more requests of the deaf one are still being taken in.
    while (handlers.asked.length > before) {
      before = handlers.asked.length;
      for (let i = 0; i < 50; i++) await other.ask(FLUSH);
    }
    assert.ok(handlers.asked.length > 0 && handlers.asked.length < 3_000, `${handlers.asked.length} answers were made`);
  });
});
