/** The store in an IPFS node, on real nodes: the contract, what damage does, what is left behind, and what a node must not be believed. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { IpfsNode } from "@xinglin/engines";
import { equal, toHex } from "@xinglin/primitives";
import { rawCid, sha256 } from "../../src/digest.ts";
import { describeStore } from "../../src/store/contract.ts";
import type { IpfsDescription } from "../../src/store/description.ts";
import { IpfsStore } from "../../src/store/ipfs.ts";
import { IpfsBlocks } from "../../src/store/ipfs-blocks.ts";
import { collectionMarker, collectionName, StoreNames } from "../../src/store/ipfs-names.ts";
import { IpfsRpc } from "../../src/store/ipfs-rpc.ts";
import { IpfsStagedPack } from "../../src/store/ipfs-stage.ts";
import { sweep } from "../../src/store/ipfs-sweep.ts";
import { stageOwner } from "../../src/store/owner.ts";
import type { StoredPack } from "../../src/store/store.ts";
import { fault, flipBit } from "../support/consortium.ts";
import { Impostor } from "../support/ipfs-impostor.ts";
import { findNode, IpfsNodes } from "../support/ipfs-nodes.ts";

const found = await findNode();
const skip = "missing" in found ? found.missing : false;
const PIECE = 1_040;
const deadOwner = stageOwner.replace(/-\d+-/, "-4194305-"); // beyond the largest process id

describe("IPFS stores on a real node", { skip }, () => {
  let nodes: IpfsNodes;
  let node: IpfsNode;
  let count = 0;
  before(async () => {
    nodes = await IpfsNodes.open((found as { path: string }).path);
    node = await nodes.start("one");
  });
  after(() => nodes.end());
  const fresh = (more: Partial<IpfsDescription> = {}): IpfsDescription => ({
    kind: "ipfs",
    id: `one-${count++}`,
    member: "a",
    api: node.api,
    ...more,
  });
  const made = async (more: Partial<IpfsDescription> = {}): Promise<IpfsStore> => {
    const store = new IpfsStore(fresh(more));
    await store.create();
    return store;
  };
  /** The files of all blocks on the node's disk. */
  const blockFiles = async (): Promise<string[]> => {
    const folder = join(nodes.folderOf("one"), "blocks");
    return (await readdir(folder, { recursive: true }))
      .filter((name) => name.endsWith(".data"))
      .map((name) => join(folder, name));
  };
  const fileWith = async (bytes: Uint8Array): Promise<string> => {
    for (const path of await blockFiles()) if (equal(await readFile(path), bytes)) return path;
    throw new Error("no such block");
  };

  describeStore("ipfs", async () => {
    const description = fresh();
    const store = new IpfsStore(description);
    await store.create();
    return {
      store,
      reopen: () => new IpfsStore(description),
      // The node is another one: the disk that it had is not there.
      vanish: async () => {
        const port = new URL(node.api).port;
        await nodes.kill("one");
        await rm(nodes.folderOf("one"), { recursive: true });
        node = await nodes.start("one", { api: `127.0.0.1:${port}` });
      },
      dispose: async () => {},
    };
  });

  test("a flipped bit, a lost block and a truncated one are seen, and a rewritten piece is right again", async () => {
    const store = await made();
    const { objectId, pieces } = await publish(store, 4);
    const [flipped, lost, cut] = [await fileWith(pieces[0]!), await fileWith(pieces[1]!), await fileWith(pieces[2]!)];
    await flipBit(flipped, 17);
    await rm(lost);
    await writeFile(cut, pieces[2]!.subarray(0, 100));
    const pack = (await store.open(objectId))!;
    const into = new Uint8Array(PIECE);
    assert.equal(await pack.read(0, into), true, "what lies there is given; the table tells that it is wrong");
    assert.ok(!equal(into, pieces[0]!));
    assert.equal(await pack.read(PIECE, into), false);
    assert.equal(await pack.read(2 * PIECE, into), false);
    for (const i of [0, 1, 2]) await pack.rewrite(i * PIECE, pieces[i]!);
    await pack.settle(4 * PIECE);
    await assertPieces((await store.open(objectId))!, pieces);
    assert.deepEqual(await readFile(flipped), Buffer.from(pieces[0]!));
    assert.deepEqual(await store.list(), [toHex(objectId)]);
  });

  test("a node that keeps a damaged block because it knows the name is made to take the right one", async () => {
    // A stock node remembers names and writes nothing under one that it has; and what a pin keeps it does not remove.
    const stubborn = await Impostor.start(node.api);
    try {
      const store = await made({ api: stubborn.api });
      const { objectId, pieces } = await publish(store, 3);
      await flipBit(await fileWith(pieces[1]!), 3);
      let removed = false;
      stubborn.meddling = (call, answer, name) => {
        if (name === "block/rm") removed = true;
        if (name !== "block/put" || removed || !(call.url ?? "").includes("cid-codec=raw")) return false;
        call.resume().on("end", () => answer.end(JSON.stringify({ Key: cidText(pieces[1]!), Size: PIECE })));
        return true;
      };
      const pack = (await store.open(objectId))!;
      await pack.rewrite(PIECE, pieces[1]!);
      await pack.settle(3 * PIECE);
      assert.ok(removed);
      await assertPieces((await store.open(objectId))!, pieces);
      const other = await publish(store, 1);
      await store.remove(other.objectId);
      await store.room(); // the collector has run, and the pack is kept
      await assertPieces((await new IpfsStore(store.description).open(objectId))!, pieces);
    } finally {
      await stubborn.end();
    }
  });

  test("a pack whose root is damaged is none, and a repair puts a whole one in its place", async () => {
    const store = await made();
    const { objectId, pieces } = await publish(store, 2);
    const before = new Set(await blockFiles());
    const root = (await Promise.all([...before].map(async (path) => ({ path, bytes: await readFile(path) })))).find(
      ({ bytes }) => bytes.includes(Buffer.from(objectId)) && bytes.includes("pieces"),
    )!;
    await flipBit(root.path, 40);
    assert.equal(await store.open(objectId), undefined);
    assert.equal(await store.has(objectId), true);
    const stage = await store.stage(objectId, 2, "repair", stageOwner);
    for (const [i, piece] of pieces.entries()) await stage.write(i * PIECE, piece);
    for (const name of ["table", "manifest"] as const) await stage.writeDocument(name, documentOf(objectId, name));
    await stage.settle();
    await stage.publish();
    await assertPieces((await store.open(objectId))!, pieces);
    assert.deepEqual(await store.list(), [toHex(objectId)]);
    assert.deepEqual(await readFile(root.path), root.bytes, "the same root as before");
  });

  test("packs of thousands of pieces and documents of megabytes come back", async () => {
    const store = await made();
    const { objectId, pieces } = await publish(store, 1_030, 3_000_000);
    const pack = (await new IpfsStore(store.description).open(objectId))!;
    for (const i of [0, 1_023, 1_024, 1_029]) {
      const into = new Uint8Array(PIECE);
      assert.equal(await pack.read(i * PIECE, into), true);
      assert.ok(equal(into, pieces[i]!));
    }
    assert.equal(await pack.read(1_030 * PIECE, new Uint8Array(1)), false);
    assert.ok(equal((await pack.readDocument("table", 3_000_000))!, documentOf(objectId, "table", 3_000_000)));
  });

  test("nothing is left on the node's disk by what was broken off, rolled back or removed", async () => {
    const store = await made();
    const kept = await publish(store, 1);
    await store.remove((await publish(store, 1)).objectId);
    await store.room(); // what other tests left is collected, too
    const before = (await blockFiles()).length;
    const discarded = await store.stage(randomBytes(16), 1, "import", stageOwner);
    await discarded.write(0, randomBytes(PIECE));
    await discarded.settle();
    await discarded.discard();
    const dead = await store.stage(randomBytes(16), 1, "import", deadOwner);
    await dead.write(0, randomBytes(PIECE));
    await dead.settle(); // and then its process dies
    assert.equal((await store.collect()).length, 1);
    const removed = await publish(store, 2);
    await store.remove(removed.objectId);
    await store.room(); // what was put off is done by now
    assert.equal((await blockFiles()).length, before);
    await assertPieces((await store.open(kept.objectId))!, kept.pieces);
  });

  test("nothing is collected while another import is under way", async () => {
    const store = await made();
    const other = await made();
    const living = await store.stage(randomBytes(16), 1, "import", stageOwner);
    await living.write(0, randomBytes(PIECE));
    const gone = await publish(other, 1);
    await other.remove(gone.objectId);
    await other.room();
    await living.settle();
    await living.publish();
    assert.equal((await store.list()).length, 1);
    await other.room();
    await assert.rejects(fileWith(gone.pieces[0]!), /no such block/, "afterwards it is");
  });

  test("an import that begins in the moment in which a collection does loses nothing to it", async () => {
    const store = await made();
    const gone = await publish(store, 1);
    await store.remove(gone.objectId);
    // Between the collector's look at the stages and the collection: exactly then the import begins.
    const about = Promise.withResolvers<void>();
    const further = Promise.withResolvers<void>();
    const collector = new IpfsBlocks(new IpfsRpc("collector", node.api));
    const lines = collector.rpc.lines.bind(collector.rpc);
    collector.rpc.lines = async function* (name, call) {
      if (name === "repo/gc") {
        about.resolve();
        await further.promise;
      }
      yield* lines(name, call);
    };
    const collected = sweep(`${node.api}/${randomBytes(4).toString("hex")}`, collector, true);
    await about.promise;
    const writer = new IpfsBlocks(new IpfsRpc(store.id, node.api));
    const [pins, pin] = [writer.pins.bind(writer), writer.pin.bind(writer)];
    let looks = 0;
    writer.pins = async function* (kind, prefix) {
      if (prefix.includes("collecting") && ++looks === 2) further.resolve(); // it has seen the collector, and waits
      yield* pins(kind, prefix);
    };
    writer.pin = async (link, kind, name) => {
      if (name.includes("/root/")) {
        // One that did not wait has stored everything by now, and no pin keeps it yet.
        further.resolve();
        await collected;
      }
      await pin(link, kind, name);
    };
    const stage = { objectId: randomBytes(16), purpose: "import", owner: stageOwner, startedMs: Date.now() } as const;
    const context = { store: store.id, names: new StoreNames(store.id), slot: 1, budget: 1e9, sweep: async () => undefined };
    const pack = await IpfsStagedPack.begin(stage, { ...context, blocks: writer });
    const pieces = Array.from({ length: 50 }, () => randomBytes(PIECE));
    for (const [i, piece] of pieces.entries()) await pack.write(i * PIECE, piece);
    await pack.settle();
    await pack.publish();
    await assertPieces((await store.open(stage.objectId))!, pieces);
    await assert.rejects(fileWith(gone.pieces[0]!), /no such block/);
  });

  test("a collection whose process died is waited for by nobody", async () => {
    const store = await made();
    const blocks = new IpfsBlocks(new IpfsRpc(store.id, node.api));
    const dead = { owner: deadOwner, startedMs: Date.now() };
    const { link, bytes } = collectionMarker(dead);
    await blocks.keep(link, bytes, "direct", collectionName(dead));
    await (await store.stage(randomBytes(16), 1, "import", stageOwner)).discard();
    assert.equal(await blocks.pinName(link, "direct"), undefined);
  });

  test("an object outlives the node's death at once after it was published", async () => {
    const store = await made();
    const { objectId, pieces } = await publish(store, 3);
    const port = new URL(node.api).port;
    await nodes.kill("one");
    await assert.rejects(store.open(objectId), fault("store_absent", { store: store.id }));
    assert.equal(await store.isPresent(), false);
    node = await nodes.start("one", { api: `127.0.0.1:${port}` });
    await assertPieces((await store.open(objectId))!, pieces);
  });

  test("a quota bounds what is written", async () => {
    const { freeBytes } = await (await made({ quotaBytes: 1e9 })).room();
    const store = await made({ quotaBytes: 1e9 - freeBytes + 4_000 });
    const pack = await store.stage(randomBytes(16), 1, "import", stageOwner);
    await assert.rejects(pack.write(0, randomBytes(5_000)), fault("disk_full", { store: store.id }));
    await pack.discard();
  });

  test("what is no IPFS node, refuses, cuts its answer off or is full is told apart", async () => {
    const store = await made();
    const { objectId } = await publish(store, 2);
    const impostor = await Impostor.start(node.api);
    const through = new IpfsStore({ ...store.description, api: impostor.api });
    const told = async (meddling: Impostor["meddling"], work: () => Promise<unknown>, code: string): Promise<void> => {
      impostor.meddling = meddling;
      await assert.rejects(work, fault(code, { store: store.id }));
    };
    const refuse =
      (status: number, body: string, only?: string): Impostor["meddling"] =>
      (call, answer, name) => {
        if (only !== undefined && name !== only) return false;
        call.resume().on("end", () => answer.writeHead(status).end(body));
        return true;
      };
    const stage = async (): Promise<void> => {
      const pack = await through.stage(randomBytes(16), 0, "import", stageOwner);
      try {
        await pack.write(0, randomBytes(PIECE));
        await pack.settle();
      } finally {
        await pack.discard();
      }
    };
    try {
      await told(refuse(404, "<html>"), () => through.list(), "ipfs_answer_foreign");
      await told(refuse(200, "<html>"), () => through.list(), "ipfs_answer_foreign");
      await told(refuse(403, "Kubo RPC Access Denied"), () => through.open(objectId), "ipfs_refused");
      const full = JSON.stringify({ Message: "write /x/y: no space left on device", Code: 0, Type: "error" });
      await told(refuse(500, full, "dag/import"), stage, "disk_full");
      await told(refuse(200, '{"Stats":{"BlockCount":1}}', "dag/import"), stage, "ipfs_answer_cut");
      const cut: Impostor["meddling"] = (_call, answer, name) => {
        if (name !== "block/get") return false;
        answer.writeHead(200, { "content-length": "5000" }).write("x");
        answer.socket?.end();
        return true;
      };
      impostor.meddling = () => false;
      const pack = (await through.open(objectId))!;
      await told(cut, () => pack.read(0, new Uint8Array(PIECE)), "ipfs_answer_cut");
      impostor.meddling = () => false;
      assert.equal(await pack.read(0, new Uint8Array(PIECE)), true);
    } finally {
      await impostor.end();
    }
    await assert.rejects(through.list(), fault("store_absent", { store: store.id }));
  });
});

const cidText = (bytes: Uint8Array): string => rawCid(sha256(bytes));

/** What a document of an object is in these tests. */
const documentOf = (objectId: Uint8Array, name: string, bytes = 20): Uint8Array =>
  new Uint8Array(bytes).fill(objectId[0]! ^ name.length);

async function publish(
  store: IpfsStore,
  count: number,
  documentBytes = 20,
): Promise<{ objectId: Uint8Array; pieces: Uint8Array[] }> {
  const objectId = new Uint8Array(randomBytes(16));
  const pieces = Array.from({ length: count }, () => new Uint8Array(randomBytes(PIECE)));
  const pack = await store.stage(objectId, 2, "import", stageOwner);
  for (const [i, piece] of pieces.entries()) await pack.write(i * PIECE, piece);
  for (const name of ["table", "manifest"] as const) await pack.writeDocument(name, documentOf(objectId, name, documentBytes));
  await pack.settle();
  await pack.publish();
  return { objectId, pieces };
}

async function assertPieces(pack: StoredPack, pieces: readonly Uint8Array[]): Promise<void> {
  for (const [i, piece] of pieces.entries()) {
    const into = new Uint8Array(piece.length);
    assert.equal(await pack.read(i * piece.length, into), true, `piece ${i}`);
    assert.ok(equal(into, piece), `piece ${i}`);
  }
}
