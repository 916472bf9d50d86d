/** What of old blocks goes, and what stays because somebody may still need it. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { chainIdOf } from "@xinglin/contracts";
import { cometbft } from "@xinglin/crypto/pure";
import type { Bytes } from "@xinglin/primitives";
import type { BatchOperation } from "@xinglin/state";
import { LIGHT_BLOCK_SPACING, retain } from "../src/retention.ts";
import { storageKeys } from "../src/storage-keys.ts";
import { anchor, genesisBytes, keyOf, signed } from "./support/chain.ts";
import { atEnd, folder } from "./support/folder.ts";
import { GENESIS_TIME, HandDrivenNode, type NodeOptions } from "./support/node.ts";

const genesis = genesisBytes({ maxValiditySeconds: 60 });
const chain = chainIdOf(genesis);
const NO_EVIDENCE = { maxAgeBlocks: 0, maxAgeSeconds: 0 };
const tx = (name: string, until: number): Bytes =>
  signed({ chain, key: "hospital-a", operations: [anchor(name)], notAfter: { time: GENESIS_TIME + until, height: 10_000 } });

async function open(context: TestContext, options: NodeOptions): Promise<HandDrivenNode> {
  const node = await HandDrivenNode.open(await folder(context), genesis, options);
  atEnd(context, () => node.close());
  return node;
}

/** A light block that announces the validators of the next height. */
function lightBlock(height: number, names: { now: string; next: string }): Bytes {
  const validator = (name: string) => [{ publicKey: keyOf(name).publicKey, power: 10 }];
  const header: cometbft.Header = {
    version: { block: 11, app: 0 },
    chainId: chain,
    height,
    time: { seconds: GENESIS_TIME + height, nanos: 0 },
    lastBlockId: cometbft.NO_BLOCK,
    lastCommitHash: new Uint8Array(32),
    dataHash: new Uint8Array(32),
    validatorsHash: cometbft.validatorsHash(validator(names.now)),
    nextValidatorsHash: cometbft.validatorsHash(validator(names.next)),
    consensusHash: new Uint8Array(32),
    appHash: new Uint8Array(32),
    lastResultsHash: new Uint8Array(32),
    evidenceHash: new Uint8Array(32),
    proposerAddress: new Uint8Array(20),
  };
  return cometbft.encodeLightBlock({ header, commit: { ...cometbft.NO_COMMIT, height }, validators: validator(names.now) });
}

/** What a driver that keeps blocks stores with one. */
const stored = (height: number, names = { now: "validator", next: "validator" }): BatchOperation[] => [
  { type: "put", key: storageKeys.block(height), value: Uint8Array.of(1) },
  { type: "put", key: storageKeys.lightBlock(height), value: lightBlock(height, names) },
];

/** Heights of which rows of a kind are there. */
const heightsOf = (node: HandDrivenNode, kind: (height: number) => Bytes): number[] =>
  Array.from({ length: node.application.height }, (_, i) => i + 1).filter(
    (height) => node.database.getSync(kind(height)) !== undefined,
  );

test("so many blocks are kept as the node was told; light blocks stay where the validators change", async (context) => {
  const node = await open(context, { retention: { keepBlocks: 5, evidence: NO_EVIDENCE } });
  for (let height = 1; height <= 40; height++) {
    const now = height <= 20 ? "first" : "second";
    await node.block([], height, stored(height, { now, next: height < 20 ? "first" : "second" }));
    assert.equal(node.committed.retainHeight, Math.max(1, height - 4));
  }
  const kept = [36, 37, 38, 39, 40];
  assert.deepEqual(heightsOf(node, storageKeys.block), kept);
  assert.deepEqual(heightsOf(node, storageKeys.results), kept);
  // The first, that which announces others, and the first of these.
  assert.deepEqual(heightsOf(node, storageKeys.lightBlock), [1, 20, 21, ...kept]);
});

test("without a policy everything is kept", async (context) => {
  const node = await open(context, {});
  for (let height = 1; height <= 10; height++) await node.block([], height, stored(height));
  assert.equal(node.committed.retainHeight, 0);
  assert.equal(heightsOf(node, storageKeys.block).length, 10);
});

test("blocks stay while evidence of that age counts, by height and by time", async (context) => {
  const byHeight = await open(context, { retention: { keepBlocks: 2, evidence: { maxAgeBlocks: 12, maxAgeSeconds: 0 } } });
  const byTime = await open(context, { retention: { keepBlocks: 2, evidence: { maxAgeBlocks: 0, maxAgeSeconds: 100 } } });
  for (let height = 1; height <= 20; height++) {
    await byHeight.block([], height, stored(height));
    await byTime.block([], 10 * height, stored(height));
  }
  // The block at height 8 is exactly 12 blocks old, which still counts.
  assert.equal(byHeight.committed.retainHeight, 8);
  // The block at height 9 is 110 seconds old, that at 10 exactly 100, which still counts.
  assert.equal(byTime.committed.retainHeight, 10);
});

test("blocks of transactions that could still be valid stay, so that receipts are told and replays refused", async (context) => {
  const node = await open(context, { retention: { keepBlocks: 1, evidence: NO_EVIDENCE } });
  await node.block([]);
  const early = tx("early", 30);
  const { ids } = await node.block([early], 2);
  for (let height = 3; height <= 10; height++) await node.block([], height);
  assert.equal(node.committed.retainHeight, 2);
  assert.equal(node.application.results(2)?.transactions.length, 1);
  await node.block([], 31);
  assert.equal(node.committed.retainHeight, 11);
  // It is over; the window still knows it, its block is gone.
  assert.equal(node.application.find(ids[0] as Bytes), undefined);
  assert.deepEqual((await node.block([early], 32)).results, [{ code: "already_known" }]);
  await node.block([tx("late", 60)], 33);
  await node.block([], 90);
  assert.equal(node.committed.retainHeight, 14);
  assert.deepEqual([node.application.firstEntry, node.application.log.length], [2, 2]);
  assert.equal(node.application.log.entry(0)?.length === undefined, false, "entries stay");
});

test("blocks above the oldest snapshot stay, and those that somebody has still to read", async (context) => {
  let neededFrom = 3;
  const node = await open(context, {
    everyBlocks: 10,
    retention: { keepBlocks: 1, evidence: NO_EVIDENCE, neededFrom: () => neededFrom },
  });
  for (let height = 1; height <= 9; height++) await node.block([]);
  assert.equal(node.committed.retainHeight, 3);
  neededFrom = 1_000;
  for (let height = 10; height <= 30; height++) {
    await node.block([]);
    await node.snapshots.settled();
  }
  assert.deepEqual(
    node.snapshots.list().map(({ height }) => height),
    [30, 20],
  );
  await node.block([]);
  assert.equal(node.committed.retainHeight, 20);
});

test("blocks that the driver has still to tell of stay, and go afterwards", async (context) => {
  const { application } = await open(context, { retention: { keepBlocks: 1, evidence: NO_EVIDENCE } });
  const commit = async (neededFrom: number): Promise<number> => {
    const height = application.height + 1;
    await application.finalizeBlock({ height, time: { seconds: GENESIS_TIME + height, nanos: 0 }, transactions: [] });
    return (await application.commit([], neededFrom)).retainHeight;
  };
  for (let height = 1; height <= 10; height++) assert.equal(await commit(3), Math.min(3, height));
  assert.notEqual(application.results(3), undefined);
  assert.equal(await commit(11), 11);
  assert.equal(application.results(3), undefined);
});

test("a long past goes in steps, and one light block in so many stays", () => {
  const rows = new Map<string, Bytes>();
  const keyOfRow = (key: Bytes): string => Buffer.from(key).toString("hex");
  const height = 2 * LIGHT_BLOCK_SPACING + 100;
  for (let h = 1; h <= height; h++) {
    for (const row of stored(h)) if (row.type === "put") rows.set(keyOfRow(row.key), row.value);
  }
  const policy = { keepBlocks: 50, evidence: NO_EVIDENCE };
  const block = { height, time: { seconds: GENESIS_TIME + height, nanos: 0 } };
  let steps = 0;
  for (let before = 0; ; steps++) {
    const { retainHeight, operations } = retain(policy, (key) => rows.get(keyOfRow(key)), block, {
      oldestReceipt: undefined,
      oldestSnapshot: undefined,
      oldestUntold: undefined,
    });
    if (retainHeight === before) break;
    assert.ok(operations.length < 300, "no block pays for the whole past");
    before = retainHeight;
    for (const row of operations) {
      if (row.type === "put") rows.set(keyOfRow(row.key), row.value);
      else rows.delete(keyOfRow(row.key));
    }
  }
  assert.ok(steps > 20);
  const light = Array.from({ length: height }, (_, i) => i + 1).filter((h) => rows.has(keyOfRow(storageKeys.lightBlock(h))));
  assert.deepEqual(light.slice(0, -50), [1, LIGHT_BLOCK_SPACING, 2 * LIGHT_BLOCK_SPACING]);
  assert.equal(light.length, 53);
});
