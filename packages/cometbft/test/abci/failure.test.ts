/** What a handler's fault, a handler's bug, and a place that can't be listened at come to. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { Fault } from "@xinglin/primitives";
import type { AbciHandlers } from "../../src/abci/handlers.ts";
import { AbciServer } from "../../src/abci/server.ts";
import { AbciClient, FLUSH, type Question } from "../support/abci-client.ts";
import { plainHandlers } from "../support/handlers.ts";
import { rows } from "../support/method-rows.ts";
import { socketFolder, withServer } from "../support/socket.ts";

const failing = (error: unknown) => async (): Promise<never> => {
  throw error;
};
const ask = (name: keyof AbciHandlers): Question => rows[name].ask;

/** Methods that can say no by themselves, with what they say to a fault that may pass and to one that stays. */
const refusing: [keyof AbciHandlers, passing: object, lasting: object][] = [
  ["query", { code: 32_000, codespace: "xinglin", log: "x_code" }, { code: 1, log: "x_code" }],
  ["checkTx", { code: 32_000, codespace: "xinglin", log: "x_code" }, { code: 1, log: "x_code" }],
  ["insertTx", { code: 32_000 }, { code: 1 }],
  ["verifyVoteExtension", { status: 2 }, { status: 2 }],
  ["listSnapshots", { snapshots: [] }, { snapshots: [] }],
  ["loadSnapshotChunk", { chunk: new Uint8Array(0) }, { chunk: new Uint8Array(0) }],
];
for (const [name, passing, lasting] of refusing)
  test(`a fault in ${name} is answered with no`, async () => {
    for (const retry of [true, false])
      await withServer(plainHandlers({ [name]: failing(new Fault("x_code", {}, { retry })) }), async ({ client }) => {
        const connection = await client();
        const reply = await connection.ask(ask(name));
        assert.equal(reply.case, name);
        assert.partialDeepStrictEqual(reply.value, retry ? passing : lasting);
        assert.equal((await connection.ask(FLUSH)).case, "flush", "the connection stays");
      });
  });

const others = (Object.keys(rows) as (keyof AbciHandlers)[]).filter((name) => !refusing.some(([one]) => one === name));
for (const name of others)
  test(`a fault in ${name} is an exception that ends its connection alone`, async () => {
    const handlers = plainHandlers({ [name]: failing(new Fault("disk_full")) });
    await withServer(handlers, async ({ client, events }) => {
      const [connection, other] = [await client(), await client()];
      const [reply, after] = [connection.ask(ask(name)), connection.ask(FLUSH)];
      const told = await reply;
      assert.equal(told.case === "exception" && told.value.error, "disk_full");
      await assert.rejects(after, /closed/);
      await connection.closed;
      assert.equal((await other.ask(FLUSH)).case, "flush");
      assert.partialDeepStrictEqual(
        events.find(({ event }) => event === "abci_closing"),
        { code: "disk_full", about: name },
      );
    });
  });

test("a handler's bug stops the server, tells CometBFT on every connection, and reaches the owner", async () => {
  const bug = new TypeError("broken");
  await withServer(plainHandlers({ commit: failing(bug) }), async ({ server, client }) => {
    const [connection, other] = [await client(), await client()];
    const [told, toldOther] = await Promise.all([connection.ask(ask("commit")), other.answer()]);
    assert.equal(told.case === "exception" && told.value.error, "bug in commit");
    assert.equal(toldOther.case, "exception");
    await assert.rejects(server.failed, bug);
    await Promise.all([connection.closed, other.closed]);
    await assert.rejects(client());
  });
});

test("an answer that has no form in protobuf is a bug", async () => {
  await withServer(plainHandlers({ commit: async () => ({ retainHeight: 1.5 }) }), async ({ server, client }) => {
    const reply = await (await client()).ask(ask("commit"));
    assert.equal(reply.case, "exception");
    await assert.rejects(server.failed, RangeError);
  });
});

/** A server that listens at `path`, or the code of the fault why it can't. */
async function listenAt(path: string): Promise<AbciServer | string> {
  const server = new AbciServer(plainHandlers(), { at: { path } });
  try {
    await server.listen();
    return server;
  } catch (error) {
    assert.ok(error instanceof Fault);
    await server.close();
    return error.code;
  }
}

test("a socket is made in a folder that only its owner can enter", async () => {
  const folder = socketFolder();
  try {
    const path = join(folder, "inner", "abci.sock");
    const server = await listenAt(path);
    assert.ok(typeof server !== "string");
    try {
      assert.equal(server.address, `unix://${path}`);
      assert.equal(await listenAt(path), "engine_socket_taken");
      assert.equal((await (await AbciClient.connect(server.address)).ask(FLUSH)).case, "flush", "and goes on");
    } finally {
      await server.close();
    }
    assert.equal(existsSync(path), false);

    const open = join(folder, "open");
    mkdirSync(open);
    chmodSync(open, 0o750);
    assert.equal(await listenAt(join(open, "abci.sock")), "engine_socket_folder");
    writeFileSync(path, "a file");
    assert.equal(await listenAt(path), "engine_socket_taken");
    assert.equal(await listenAt(join(folder, "x".repeat(120))), "engine_socket_path");
    assert.equal(await listenAt(join(path, "abci.sock")), "engine_socket_failed");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("a socket that a killed process left behind is taken over", async () => {
  const folder = socketFolder();
  try {
    const path = join(folder, "abci.sock");
    // As after a kill: the file is there, nobody listens.
    const listenAndDie = `require("net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))`;
    spawnSync(process.execPath, ["-e", listenAndDie, path]);
    assert.ok(existsSync(path));
    const server = await listenAt(path);
    assert.ok(typeof server !== "string");
    await server.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("a port of 127.0.0.1 does as well, and a taken one is named", async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  try {
    const { port } = taken.address() as { port: number };
    const server = new AbciServer(plainHandlers(), { at: { port } });
    await assert.rejects(server.listen(), { code: "port_in_use", facts: { port } });
    await server.close();
  } finally {
    taken.close();
  }
  const at = { port: 0 };
  await withServer(
    plainHandlers(),
    async ({ server, client }) => {
      assert.match(server.address, /^tcp:\/\/127\.0\.0\.1:\d+$/);
      assert.equal((await (await client()).ask(FLUSH)).case, "flush");
    },
    { at },
  );
});
