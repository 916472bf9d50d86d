/** The read model follows the ledger by itself: operations of several to a transaction, a fault in between, and closing under way. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { ReadModel } from "@xinglin/index";
import { cbor, Fault } from "@xinglin/primitives";
import { ledgerSource, Projection } from "../src/projection.ts";
import { keyOf, Stage } from "./stage.ts";

let stage: Stage;
before(async () => {
  stage = await Stage.open();
});
after(() => stage.close());

const anchors = (name: string, count: number) =>
  Array.from({ length: count }, (_, n) => ({ op: "anchorBatch" as const, root: keyOf(`${name} ${n}`).publicKey, count: 1 }));

test("the source hands each entry the operation that it decided", async () => {
  const operations = anchors("several", 5);
  const [first, second] = [
    await stage.transaction("hospital-a", operations.slice(0, 3)),
    await stage.transaction("hospital-b", operations.slice(3)),
  ];
  await stage.post("/v1/transactions:batch", cbor.encode([first, second]));
  await stage.accepted("hospital-a", anchors("last", 1)[0]!);
  const source = ledgerSource(stage.ledger);
  const items = await source.read(0, 100);
  assert.equal(items.length, await source.size());
  assert.deepEqual(
    new Set(items.map(({ operation }) => (operation as { root: Uint8Array }).root.join())),
    new Set([...operations, ...anchors("last", 1)].map(({ root }) => root.join())),
  );
  assert.deepEqual(await source.read(items.length, 10), []);
  assert.equal((await source.read(2, 2)).length, 2);
  // The comparison with the chain checks every operation against the hash in its entry.
  assert.deepEqual((await stage.index.verify()).findings, []);
});

test("it catches up after a fault, and says what the fault was", async () => {
  const faults: string[] = [];
  let broken = true;
  let sequence = 0;
  const index = {
    get sequence() {
      return sequence;
    },
    async catchUp() {
      if (broken) throw new Fault("index_unavailable", {}, { retry: true });
      sequence = stage.ledger.entryCount();
    },
  } as unknown as ReadModel;
  const projection = new Projection(stage.ledger, index, (code) => {
    faults.push(code);
    broken = false;
  });
  await projection.caughtUp(30_000);
  assert.equal(sequence, stage.ledger.entryCount());
  assert.deepEqual(faults, ["index_unavailable"]);
  await projection.stop();
});

test("who waits longer than it may is told to try again", async () => {
  const index = { sequence: 0, catchUp: async () => {} } as unknown as ReadModel;
  const projection = new Projection(stage.ledger, index, () => {});
  await assert.rejects(projection.caughtUp(5), (error) => error instanceof Fault && error.code === "index_behind" && error.retry);
  await projection.stop();
});

test("a read that follows a commit shows it", async () => {
  const commission = await stage.as("commission");
  for (let n = 0; n < 5; n++) {
    const { sequence } = await stage.accepted("hospital-b", anchors(`read your writes ${n}`, 1)[0]!);
    const { items } = await commission.json("/v1/entries?limit=1");
    assert.equal(items[0].sequence, sequence);
  }
});
