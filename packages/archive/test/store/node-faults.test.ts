/** Stores of other members that are slow, that lie, that cut off, that go away in the middle. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { cbor } from "@xinglin/primitives";
import { issuePass } from "../../src/lending/pass.ts";
import { NodeStore } from "../../src/store/node-store.ts";
import { stageOwner } from "../../src/store/owner.ts";
import { fault, temporaryFolder } from "../support/consortium.ts";
import { IMPATIENT, Lender, signerOf } from "../support/lender.ts";

/** A store at a server that answers as it likes. */
async function strange(t: { after(work: () => Promise<void>): void }, listener: RequestListener): Promise<NodeStore> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const access = await issuePass(signerOf("guest"), "test-0", Math.floor(Date.now() / 1000));
  const { port } = server.address() as AddressInfo;
  return new NodeStore({ kind: "node", id: "odd", member: "lender", url: `http://127.0.0.1:${port}`, access }, IMPATIENT);
}

test("a store that never answers is slow", async (t) => {
  const store = await strange(t, () => {});
  await assert.rejects(store.list(), fault("store_slow", { store: "odd" }));
  assert.equal(await store.isPresent(), false);
});

test("a store that drips is slow", async (t) => {
  const store = await strange(t, (_, response) => {
    response.writeHead(200, { "content-length": 10_000 });
    const dripping = setInterval(() => response.write("."), 50);
    response.on("close", () => clearInterval(dripping));
  });
  await assert.rejects(store.list(), fault("store_slow"));
});

test("a store that cuts off, sends too much or speaks another language answers wrongly", async (t) => {
  const answers: RequestListener[] = [
    (_, response) => {
      response.writeHead(200, { "content-length": 1_000 });
      response.write("half");
      setImmediate(() => response.destroy());
    },
    (_, response) => response.end(Buffer.alloc(1_000_000)),
    (_, response) => response.end("<html>"),
    (_, response) => response.writeHead(302, { location: "http://127.0.0.1:1/" }).end(),
    (_, response) => response.writeHead(500).end(JSON.stringify({ code: "grant_everything" })),
  ];
  for (const answer of answers) await assert.rejects((await strange(t, answer)).room(), fault("store_answer_wrong"));
});

test("a list that never ends is cut short", async (t) => {
  const ids = Array.from({ length: 10_000 }, (_, i) => i.toString(16).padStart(32, "0"));
  const store = await strange(t, (_, response) => response.end(cbor.encode({ ids })));
  await assert.rejects(store.list(), fault("store_answer_wrong"));
});

test("a store without a pass is not asked at all, one that nobody serves is absent", async (t) => {
  const description = { kind: "node", id: "odd", member: "lender", url: "http://127.0.0.1:1" } as const;
  await assert.rejects(new NodeStore(description).list(), fault("store_pass_missing"));
  const access = await issuePass(signerOf("guest"), "test-0", Math.floor(Date.now() / 1000));
  await assert.rejects(new NodeStore({ ...description, access }, IMPATIENT).list(), fault("store_absent"));
  const folder = await temporaryFolder(t);
  const lender = await Lender.open(folder);
  const store = await lender.store("guest");
  const objectId = randomBytes(16);
  const pack = await store.stage(objectId, 0, "import", stageOwner);
  await pack.write(0, randomBytes(10));
  await lender.service.close();
  await assert.rejects(pack.settle(), fault("store_absent"));
  assert.deepEqual(await lender.inner[0]!.list(), []);
});

test("after a restart of the store's node a pack that was being written is lost, and says so", async (t) => {
  const folder = await temporaryFolder(t);
  const lender = await Lender.open(folder);
  const pack = await (await lender.store("guest")).stage(randomBytes(16), 0, "import", stageOwner);
  const { port } = lender.service;
  await lender.service.close();
  const again = await Lender.open(folder, { port });
  t.after(() => again.service.close());
  await pack.write(0, randomBytes(10));
  await assert.rejects(pack.settle(), fault("store_stage_lost"));
});
