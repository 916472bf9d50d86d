/**
 * What every store must do, as tests for `node:test`: `describeStore("directory", …)` in the tests of an implementation registers them.
 * Source: style.md, "Tests" (contract: one suite that the fake and the real adapter both pass).
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { equal, Fault, toHex } from "@xinglin/primitives";
import { stageOwner } from "./owner.ts";
import type { DocumentName, Store } from "./store.ts";

/** A store to try out, empty and made, and what makes it unreachable as a pulled disk or a cut line would. */
export interface StoreUnderTest {
  readonly store: Store;
  /** Opens the same store again, as another process does. */
  reopen(): Store;
  vanish(): Promise<void>;
  dispose(): Promise<void>;
}

const fresh = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes));
const isFault =
  (code: string) =>
  (error: unknown): boolean =>
    error instanceof Fault && error.code === code;

/** Registers the contract's tests for one implementation. */
export function describeStore(name: string, make: () => Promise<StoreUnderTest>): void {
  const check = (what: string, work: (subject: StoreUnderTest) => Promise<void>): void =>
    void test(`${name} store: ${what}`, async () => {
      const subject = await make();
      try {
        await work(subject);
      } finally {
        await subject.dispose();
      }
    });

  check("an object appears whole when it is published, and not before", async ({ store, reopen }) => {
    const objectId = fresh(16);
    const pieces = [fresh(1000), fresh(1000)];
    const pack = await store.stage(objectId, 13, "import", stageOwner);
    await pack.write(1000, pieces[1]!);
    await pack.write(0, pieces[0]!);
    await pack.writeDocument("table", pieces[0]!);
    await pack.writeDocument("manifest", pieces[1]!);
    await pack.settle();
    assert.equal(await reopen().open(objectId), undefined);
    assert.deepEqual([await store.list(), await store.has(objectId)], [[], false]);
    await pack.publish();
    assert.equal(await store.has(objectId), true);

    assert.deepEqual(await reopen().list(), [toHex(objectId)]);
    const found = await reopen().open(objectId);
    assert.ok(found !== undefined);
    assert.equal(found.slot, 13);
    for (const [i, piece] of pieces.entries()) {
      const into = new Uint8Array(1000);
      assert.equal(await found.read(i * 1000, into), true);
      assert.ok(equal(into, piece));
    }
    assert.equal(await found.read(1500, new Uint8Array(1000)), false, "beyond the end");
    assert.equal(await found.read(5000, new Uint8Array(1)), false, "far beyond the end");
    assert.ok(equal((await found.readDocument("table", 1000))!, pieces[0]!));
    assert.ok(equal((await found.readDocument("manifest", 1000))!, pieces[1]!));
    assert.equal(await found.readDocument("table", 999), undefined, "longer than wanted");
    await found.close();
  });

  check("what is discarded leaves nothing, and its object can be staged again", async ({ store }) => {
    const objectId = fresh(16);
    assert.ok((await store.room()).freeBytes > 0);
    for (let round = 0; round < 2; round++) {
      const pack = await store.stage(objectId, 0, "import", stageOwner);
      await pack.write(0, fresh(100));
      await pack.writeDocument("table", fresh(10));
      if (round === 1) {
        await pack.settle();
        await pack.publish();
      }
      await pack.discard();
      assert.equal(await store.open(objectId), undefined);
      assert.deepEqual(await store.list(), []);
    }
  });

  check("an object is published once, and who comes second takes nothing away", async ({ store }) => {
    const objectId = await publish(store, fresh(10));
    const second = await store.stage(objectId, 3, "import", stageOwner);
    await second.write(0, fresh(20));
    await second.settle();
    await assert.rejects(second.publish(), Fault);
    await second.discard();
    const pack = await store.open(objectId);
    assert.equal(pack?.slot, 2);
    await pack?.close();
  });

  check("pieces and documents are replaced in place, and a tail is cut", async ({ store, reopen }) => {
    const objectId = await publish(store, fresh(3000));
    const [piece, document] = [fresh(1000), fresh(50)];
    const pack = await store.open(objectId);
    await pack!.rewrite(1000, piece);
    await pack!.rewriteDocument("manifest", document);
    await pack!.settle(2000);
    await pack!.close();

    const found = await reopen().open(objectId);
    const into = new Uint8Array(1000);
    assert.equal(await found!.read(1000, into), true);
    assert.ok(equal(into, piece));
    assert.equal(await found!.read(2000, new Uint8Array(1)), false);
    assert.ok(equal((await found!.readDocument("manifest", 50))!, document));
    await found!.close();
  });

  check("a missing document is none", async ({ store }) => {
    const objectId = await publish(store, fresh(10), ["table"]);
    const pack = await store.open(objectId);
    assert.equal(await pack!.readDocument("manifest", 1000), undefined);
    assert.ok((await pack!.readDocument("table", 1000)) !== undefined);
    await pack!.close();
  });

  check("a removed object is gone, staged or published, and removing none is fine", async ({ store }) => {
    const published = await publish(store, fresh(10));
    const staged = fresh(16);
    await (await store.stage(staged, 1, "import", stageOwner)).write(0, fresh(10));
    for (const objectId of [published, staged, fresh(16)]) await store.remove(objectId);
    assert.deepEqual(await store.list(), []);
    await (await store.stage(staged, 1, "import", stageOwner)).discard();
  });

  check("a place is given back when nothing is in it, and can be claimed again", async ({ store, reopen }) => {
    // Another member's place is not ours to give back.
    if (store.description.kind === "node") return await assert.rejects(store.unclaim(), isFault("store_forbidden"));
    const objectId = await publish(store, fresh(10));
    await assert.rejects(store.unclaim(), isFault("store_not_empty"));
    assert.equal(await reopen().has(objectId), true);
    await store.remove(objectId);
    await store.unclaim();
    assert.equal(await reopen().isPresent(), false);
    await store.create();
    assert.deepEqual(await reopen().list(), []);
  });

  check("stages of processes that are gone are collected, others are not", async ({ store, reopen }) => {
    const [dead, alive] = [fresh(16), fresh(16)];
    await (await store.stage(dead, 1, "import", stageOwner.replace(/-\d+-/, "-4194305-"))).write(0, fresh(10));
    const living = await store.stage(alive, 1, "import", stageOwner);
    await living.write(0, fresh(10));
    const collected = await reopen().collect();
    assert.deepEqual(
      collected.map(({ objectId, purpose }) => [toHex(objectId), purpose]),
      [[toHex(dead), "import"]],
    );
    assert.deepEqual(await store.collect(), []);
    await living.settle();
    await living.publish();
    assert.deepEqual(await store.list(), [toHex(alive)]);
  });

  check("a store that is not there says so and is not made by the way", async ({ store, reopen, vanish }) => {
    const objectId = await publish(store, fresh(10));
    assert.equal(await store.isPresent(), true);
    await vanish();
    assert.equal(await reopen().isPresent(), false);
    const refusals = [
      () => store.open(objectId),
      () => store.stage(fresh(16), 0, "import", stageOwner),
      () => store.list(),
      () => store.room(),
      () => store.collect(),
    ];
    for (const refused of refusals) await assert.rejects(refused, isFault("store_absent"));
    assert.equal(await store.isPresent(), false);
    await store.create();
    assert.equal(await store.isPresent(), true);
    assert.equal(await store.open(objectId), undefined);
  });
}

async function publish(
  store: Store,
  pieces: Uint8Array,
  documents: readonly DocumentName[] = ["table", "manifest"],
): Promise<Uint8Array> {
  const objectId = fresh(16);
  const pack = await store.stage(objectId, 2, "import", stageOwner);
  await pack.write(0, pieces);
  for (const name of documents) await pack.writeDocument(name, fresh(20));
  await pack.settle();
  await pack.publish();
  return objectId;
}
