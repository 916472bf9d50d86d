/** Codes other than 10+4, from import to repair: any m stores gone, and not one more. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { after, test } from "node:test";
import { auditPossession, repair } from "../src/audit.ts";
import { ingest } from "../src/ingest.ts";
import { layoutFor, MAX_STRIPES } from "../src/layout.ts";
import { MAX_TABLE_BYTES } from "../src/piece-table.ts";
import { retrieve } from "../src/retrieve.ts";
import { openStore } from "../src/store/open.ts";
import { closeWorkers } from "../src/work/pool.ts";
import { Consortium, contentBelow, fault } from "./support/consortium.ts";

after(closeWorkers);

const content = randomBytes(3_000_017);
for (const [k, m] of [
  [1, 2],
  [2, 1],
  [4, 2],
  [6, 3],
  [15, 5],
  [16, 5],
  [20, 8],
  [3, 0],
] as const)
  test(`${k}+${m}: written, read without ${m} stores, repaired, and closed without ${m + 1}`, async (t) => {
    const members = Array.from({ length: k + m + 1 }, (_, i) => `m${i}`); // one store more than columns
    const consortium = await Consortium.open(t, members);
    const code = { k, m };
    const { reference, objectId, key, storedBytes } = await ingest([{ path: "x", content }], { stores: consortium.stores, code });
    assert.deepEqual(reference.code, code);
    assert.ok(storedBytes < content.length * ((k + m) / k) * 1.2 + 14 * 8192 * (k + m)); // the last stripe may be filled up
    const holders = [];
    for (const store of consortium.stores) if (await store.has(objectId)) holders.push(store);
    assert.equal(holders.length, k + m);

    const bringBack = await consortium.loseStores(holders.slice(0, m));
    await retrieve(reference, objectId, key, consortium.stores, join(consortium.folder, "out"));
    assert.deepEqual(await contentBelow(join(consortium.folder, "out")), new Map([["x", content]]));
    await bringBack();

    for (const store of holders.slice(0, m)) await store.remove(objectId);
    const { before, after: mended } = await repair(reference, objectId, consortium.stores);
    assert.deepEqual([before.intact, mended.intact], [m === 0, true]);
    assert.equal((await auditPossession(reference, objectId, consortium.stores)).fewestHeld, k + m);

    await consortium.loseStores(holders.slice(0, m + 1));
    const closed = retrieve(reference, objectId, key, consortium.stores, join(consortium.folder, "no"));
    await assert.rejects(closed, fault("archive_unrecoverable"));
  });

test("the largest object of a wide code still has a table that is read", () => {
  const chunk = 262_144;
  for (const [k, m] of [
    [10, 4],
    [20, 8],
    [64, 32],
  ] as const) {
    const most = (stripes: number): number => stripes * k * chunk;
    let [low, high] = [1, MAX_STRIPES + 1];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      try {
        layoutFor(most(middle), { k, m });
        low = middle;
      } catch {
        high = middle;
      }
    }
    assert.ok(low * (k + m) * 32 <= MAX_TABLE_BYTES && low * (k + m) * 32 > 0.95 * MAX_TABLE_BYTES, `${k}+${m}: ${low} stripes`);
    assert.throws(() => layoutFor(most(low) + 1, { k, m }), fault("object_too_large"));
  }
});

test("a store that is absent or too full is passed over while there are enough others", async (t) => {
  const consortium = await Consortium.open(
    t,
    Array.from({ length: 8 }, (_, i) => `m${i}`),
  );
  await consortium.loseStores([consortium.store("m3-3")]);
  const full = consortium.stores.map((store) =>
    store.id === "m5-5" ? openStore({ ...store.description, quotaBytes: 1000 }) : store,
  );
  for (let i = 0; i < 4; i++) {
    const { objectId } = await ingest([{ path: "x", content }], { stores: full, code: { k: 4, m: 2 } });
    for (const store of full) assert.equal(await store.has(objectId).catch(() => false), !["m3-3", "m5-5"].includes(store.id));
  }
  const facts = { "m0-0": { availability: 0.5 } };
  const stores = full.filter(({ id }) => id !== "m3-3" && id !== "m5-5");
  let taken = 0;
  for (let i = 0; i < 12; i++) {
    const { objectId } = await ingest([{ path: "x", content: Buffer.from("x") }], { stores, code: { k: 2, m: 1 }, facts });
    if (await consortium.store("m0-0").has(objectId)) taken++;
  }
  assert.ok(taken < 4, `${taken} of 12 on a store that is out half of the time`); // six of twelve without what is known of it
});
