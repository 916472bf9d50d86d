/** A node that joins by a snapshot is the node that never did: same roots, same refusals, same proofs from there on. */
import assert from "node:assert/strict";
import { readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { chainIdOf, keys } from "@xinglin/contracts";
import { nodeSha256 } from "@xinglin/crypto/node";
import { merkle } from "@xinglin/crypto/pure";
import { type Bytes, cbor, Fault, toHex } from "@xinglin/primitives";
import type { Snapshot } from "../src/index.ts";
import { decodeLogHead } from "../src/log-head.ts";
import { anchor, genesisBytes, signed } from "./support/chain.ts";
import { atEnd, folder } from "./support/folder.ts";
import { GENESIS_TIME, HandDrivenNode, type NodeOptions } from "./support/node.ts";

const genesis = genesisBytes({ logEpochEntries: 300, maxValiditySeconds: 400 });
const chain = chainIdOf(genesis);
let count = 0;
const tx = (operations = 1): Bytes =>
  signed({
    chain,
    key: count++ % 2 === 0 ? "hospital-a" : "hospital-b",
    operations: Array.from({ length: operations }, (_, i) => anchor(`${count} ${i}`)),
    notAfter: { time: GENESIS_TIME + 300, height: 1_000 },
  });

async function open(context: TestContext, options: NodeOptions = {}, path?: string): Promise<HandDrivenNode> {
  const node = await HandDrivenNode.open(path ?? (await folder(context)), genesis, { partBytes: 2_000, ...options });
  atEnd(context, () => node.close());
  return node;
}

/** A chain of 12 blocks with snapshots at 6 and 12, and what its blocks were. */
async function source(context: TestContext, options: NodeOptions = {}) {
  const node = await open(context, { everyBlocks: 6, ...options });
  const transactions: Bytes[] = [];
  for (let height = 1; height <= 12; height++) {
    const block = height === 1 ? [] : [tx(20), tx(30)];
    transactions.push(...block);
    await node.block(block);
    await node.snapshots.settled();
  }
  const [newest] = node.snapshots.list() as [Snapshot];
  return { node, transactions, newest, appHash: node.application.appHash };
}

const chunkOf = async (node: HandDrivenNode, { height, format }: Snapshot, index: number): Promise<Bytes> =>
  Uint8Array.from((await node.snapshots.chunk(height, format, index)) as Bytes);

async function sync(from: HandDrivenNode, to: HandDrivenNode, snapshot: Snapshot, appHash: Bytes): Promise<void> {
  assert.equal(await to.sink.offer(snapshot, appHash), "accept");
  for (let i = 0; i < snapshot.chunks; i++)
    assert.deepEqual(await to.sink.apply(i, await chunkOf(from, snapshot, i), "peer"), { result: "accept" });
}

test("a node that joined goes on with the same roots, refuses replays, and proves what comes after", async (context) => {
  const { node, transactions, newest, appHash } = await source(context);
  assert.ok(newest.chunks > 5);
  const path = await folder(context);
  let joined = await open(context, {}, path);
  await sync(node, joined, newest, appHash);
  assert.equal(joined.application.height, 12);
  assert.deepEqual(joined.application.appHash, appHash);
  const old = transactions.at(-1) as Bytes;
  await assert.rejects(joined.application.checkTx(old), { code: "already_known", facts: { height: 12 } });
  const included = tx();
  for (const block of [[included, old], [], [tx(100), tx(100)], [tx(3)]]) {
    const [mine, theirs] = [await joined.block(block), await node.block(block)];
    assert.deepEqual(toHex(mine.appHash), toHex(theirs.appHash));
    assert.deepEqual(mine.results, theirs.results);
    assert.deepEqual(mine.entries, theirs.entries);
    if (block.length === 2 && joined.application.height === 13) assert.deepEqual(mine.results[1], { code: "already_known" });
    // The next process reads it all from disk.
    await joined.close();
    joined = await open(context, {}, path);
  }
  const { log } = joined.application;
  assert.equal(log.oldest, 550);
  assert.equal(log.entry(549), undefined);
  const head = decodeLogHead(joined.state.get(keys.log));
  for (let sequence = head.first; sequence < log.length; sequence += 7) {
    const place = log.place(sequence);
    if (sequence < log.oldest) continue;
    const proof = log.path(place, head.size);
    assert.ok(merkle.verifyInclusion(log.entry(sequence) as Bytes, place.index, head.size, proof, head.root));
    assert.deepEqual(log.entry(sequence), node.application.log.entry(sequence));
  }
  // Receipts are told of what this node saw, and nothing wrong of what it did not.
  const { transaction } = await node.application.checkTx(tx());
  assert.equal(joined.application.find(transaction.id), undefined);
  const seen = node.application.find(idOfTransaction(included));
  assert.equal(seen?.height, 13);
  assert.deepEqual(joined.application.find(idOfTransaction(included)), seen);
  assert.equal(joined.application.find(idOfTransaction(old)), undefined);
});

test("what peers handed on while a snapshot came is not proposed again if the snapshot's blocks hold it", async (context) => {
  const { node, transactions, newest, appHash } = await source(context);
  const joined = await open(context);
  const old = transactions.at(-1) as Bytes;
  const other = tx();
  for (const bytes of [old, other]) await joined.application.insertTx(bytes).verified;
  await sync(node, joined, newest, appHash);
  const block = { height: 13, time: { seconds: GENESIS_TIME + 13, nanos: 0 }, maxBytes: 100_000, maxOperations: 1_000 };
  const proposed = joined.application.prepareProposal(block);
  assert.deepEqual(proposed, [other]);
  assert.equal(await node.application.processProposal({ ...block, transactions: proposed }), undefined);
  assert.equal(joined.application.waiting, 1);
});

/** The id of a transaction: of its body, signature excluded. */
const idOfTransaction = (bytes: Bytes): Bytes => nodeSha256((cbor.decodeTrusted(bytes) as { body: Bytes }).body);

test("two nodes tell of the same snapshot, whatever their past, and a joined one can be joined from", async (context) => {
  const { node, newest, appHash } = await source(context);
  const second = await open(context, { everyBlocks: 13 });
  await sync(node, second, newest, appHash);
  const block = [tx(5)];
  await second.block(block);
  await second.snapshots.settled();
  const [theirs] = second.snapshots.list() as [Snapshot];
  const third = await open(context, { everyBlocks: 13 });
  await sync(second, third, theirs, second.application.appHash);
  await node.block(block);
  assert.deepEqual(third.application.appHash, node.application.appHash);
  const next = [tx(7)];
  assert.deepEqual((await third.block(next)).appHash, (await node.block(next)).appHash);
});

test("an offer that does not follow from the app hash is refused before anything is fetched or changed", async (context) => {
  const { node, newest, appHash } = await source(context);
  const joining = await open(context);
  const said = cbor.decodeTrusted(newest.metadata) as { chain: string; height: number; cut: Bytes; log: Record<string, Bytes> };
  const saying = (change: object): Snapshot => {
    const metadata = cbor.encode({ ...said, ...change });
    return { ...newest, metadata, hash: nodeSha256(metadata) };
  };
  const flipped = (bytes: Bytes, at: number): Bytes => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte));
  const older = node.snapshots.list()[1] as Snapshot;
  const { head, proof, leaves } = said.log as { head: Bytes; proof: Bytes; leaves: Bytes };
  const wrong: Record<string, Snapshot> = {
    "another hash than the metadata's": { ...newest, hash: flipped(newest.hash, 0) },
    "metadata that is none": { ...newest, metadata: Uint8Array.of(1, 2, 3), hash: nodeSha256(Uint8Array.of(1, 2, 3)) },
    "another chain": saying({ chain: "other-0123456789ab" }),
    "another height inside": saying({ height: 11 }),
    "another height outside": { ...newest, height: 11 },
    "a chunk more": { ...newest, chunks: newest.chunks + 1 },
    "a part less": { ...saying({ cut: said.cut.subarray(34) }), chunks: newest.chunks - 1 },
    "a part's hash": saying({ cut: flipped(said.cut, 5) }),
    "half a part": saying({ cut: said.cut.subarray(0, -1) }),
    "the log's head": saying({ log: { head: flipped(head, head.length - 1), proof, leaves } }),
    "no log": saying({ log: { head: new Uint8Array(0), proof, leaves } }),
    "the log's proof": saying({ log: { head, proof: proof.subarray(0, -1), leaves } }),
    "a leaf of the log": saying({ log: { head, proof, leaves: flipped(leaves, 3) } }),
    "a leaf less": saying({ log: { head, proof, leaves: leaves.subarray(0, -32) } }),
    "an older snapshot as if it were this one": { ...older, height: newest.height },
  };
  assert.ok(leaves.length > 32);
  const rows = (await joining.database.keys().all()).length;
  for (const [what, snapshot] of Object.entries(wrong))
    assert.equal(await joining.sink.offer(snapshot, appHash), "reject_sender", what);
  assert.equal(await joining.sink.offer({ ...newest, format: 2 }, appHash), "reject_format");
  assert.equal(await joining.sink.offer({ ...newest, height: 0 }, appHash), "reject");
  assert.equal(await joining.sink.offer(newest, older.hash), "reject_sender", "a forged state under another app hash");
  assert.deepEqual(await joining.sink.apply(0, await chunkOf(node, newest, 0), "peer"), { result: "abort" });
  assert.equal((await joining.database.keys().all()).length, rows, "nothing was written");
  await sync(node, joining, newest, appHash);
});

test("whoever sends a wrong chunk is named at that chunk, and the right one from another is taken", async (context) => {
  const { node, newest, appHash } = await source(context);
  const joining = await open(context);
  assert.equal(await joining.sink.offer(newest, appHash), "accept");
  assert.equal(joining.application.height, 0);
  const older = node.snapshots.list()[1] as Snapshot;
  for (let i = 0; i < newest.chunks; i++) {
    const right = await chunkOf(node, newest, i);
    const changed = right.slice();
    changed[changed.length - 1]! ^= 1;
    const swapped = await chunkOf(node, newest, (i + 1) % newest.chunks);
    const stale = await chunkOf(node, older, Math.min(i, older.chunks - 1));
    const lies = [changed, right.subarray(0, -1), right.subarray(1), new Uint8Array(0), swapped, Buffer.concat([right, right])];
    if (!Buffer.from(stale).equals(right)) lies.push(stale);
    for (const lie of lies)
      assert.deepEqual(await joining.sink.apply(i, lie, "liar"), {
        result: "retry",
        refetchChunks: [i],
        rejectSenders: ["liar"],
      });
    assert.deepEqual(await joining.sink.apply(i, right, "peer"), { result: "accept" });
    if (i > 0)
      assert.deepEqual(await joining.sink.apply(0, right, "peer"), { result: i + 1 < newest.chunks ? "accept" : "abort" });
  }
  assert.deepEqual(joining.application.appHash, appHash);
});

test("chunks out of order mean beginning again; a second offer does so too", async (context) => {
  const { node, newest, appHash } = await source(context);
  const joining = await open(context);
  assert.equal(await joining.sink.offer(newest, appHash), "accept");
  assert.deepEqual(await joining.sink.apply(1, await chunkOf(node, newest, 1), "peer"), { result: "retry_snapshot" });
  assert.deepEqual(await joining.sink.apply(0, await chunkOf(node, newest, 0), "peer"), { result: "abort" });
  assert.equal(await joining.sink.offer(newest, appHash), "accept");
  assert.deepEqual(await joining.sink.apply(0, await chunkOf(node, newest, 0), "peer"), { result: "accept" });
  await sync(node, joining, newest, appHash);
  assert.deepEqual(joining.application.appHash, appHash);
});

test("a ledger with blocks of its own is not given up; one that an import left as it is may be filled again", async (context) => {
  const { node, newest, appHash } = await source(context);
  const joining = await open(context);
  await sync(node, joining, newest, appHash);
  // CometBFT was killed before it noted where it stands.
  assert.equal(await joining.sink.offer(newest, appHash), "accept");
  assert.deepEqual([joining.application.height, joining.application.log.oldest], [0, 0]);
  await sync(node, joining, newest, appHash);
  assert.deepEqual(joining.application.appHash, appHash);
  assert.equal(joining.application.firstEntry, 550);
  await joining.block([tx()]);
  assert.equal(joining.application.firstEntry, 550);
  assert.equal(await joining.sink.offer(newest, appHash), "abort");
  assert.equal(await node.sink.offer(newest, appHash), "abort");
});

test("blocks that are committed while a snapshot is written are not in it", async (context) => {
  const node = await open(context, { everyBlocks: 4 });
  for (let height = 1; height <= 4; height++) await node.block(height === 1 ? [] : [tx(50)]);
  const { appHash } = node.application;
  for (let height = 5; height <= 7; height++) await node.block([tx(50)]);
  await node.snapshots.settled();
  const [snapshot] = node.snapshots.list() as [Snapshot];
  assert.equal(snapshot.height, 4);
  await sync(node, await open(context), snapshot, appHash);
});

test("the two newest are kept, for their owner's eyes only, over restarts; what is half-written or foreign goes", async (context) => {
  const path = await folder(context);
  const node = await open(context, { everyBlocks: 3 }, path);
  for (let height = 1; height <= 9; height++) {
    await node.block([tx()]);
    await node.snapshots.settled();
  }
  const heights = (): number[] => node.snapshots.list().map(({ height }) => height);
  assert.deepEqual(heights(), [9, 6]);
  const directory = join(path, "snapshots");
  assert.deepEqual((await readdir(directory)).sort(), ["6", "9"]);
  assert.equal((await stat(join(directory, "9"))).mode & 0o777, 0o700);
  for (const name of await readdir(join(directory, "9")))
    assert.equal((await stat(join(directory, "9", name))).mode & 0o777, 0o600, name);
  const [newest] = node.snapshots.list() as [Snapshot];
  assert.equal(await node.snapshots.chunk(3, 1, 0), undefined, "superseded");
  assert.equal(await node.snapshots.chunk(9, 2, 0), undefined, "another format");
  assert.equal(await node.snapshots.chunk(9, 1, newest.chunks), undefined, "beyond the last");
  assert.equal(await node.snapshots.chunk(9, 1, -1), undefined);
  const before = node.snapshots.list();
  await node.close();
  await writeFile(join(directory, "6", "snapshot"), "no snapshot");
  const again = await open(context, { everyBlocks: 3 }, path);
  assert.deepEqual(again.snapshots.list(), before.slice(0, 1));
  assert.deepEqual(await readdir(directory), ["9"]);
});

test("a snapshot that has no room is dropped whole and told of, and the next is taken", async (context) => {
  let isFull = true;
  const path = await folder(context);
  const checkRoom = (): void => {
    if (isFull) throw new Fault("disk_full", {}, { retry: true });
  };
  const node = await open(context, { everyBlocks: 2, checkRoom }, path);
  for (let height = 1; height <= 4; height++) {
    isFull = height < 3;
    await node.block([tx()]);
    await node.snapshots.settled();
  }
  assert.deepEqual(node.snapshotFaults, ["disk_full"]);
  assert.deepEqual(await readdir(join(path, "snapshots")), ["4"]);
  assert.equal(node.snapshots.list().length, 1);
});

test("closing drops the snapshot under way", async (context) => {
  const path = await folder(context);
  const node = await open(context, { everyBlocks: 2, partBytes: 200 }, path);
  for (let height = 1; height <= 2; height++) await node.block([tx(50)]);
  await node.close();
  assert.deepEqual(node.snapshotFaults, []);
  assert.deepEqual(await readdir(join(path, "snapshots")), []);
});
