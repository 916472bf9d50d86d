/** Possession audits and repairs by someone without the key. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { auditPossession, repair } from "../src/audit.ts";
import { ingest } from "../src/ingest.ts";
import { columnOf, slotOf } from "../src/layout.ts";
import { verifyPiece } from "../src/piece-table.ts";
import { retrieve } from "../src/retrieve.ts";
import { closeWorkers } from "../src/work/pool.ts";
import { Consortium, contentBelow, fault, flipBit } from "./support/consortium.ts";

after(closeWorkers);

const PIECE = 262_144 + 16;
const STRIPES = 4;
const content = randomBytes(STRIPES * 2_621_440 - 12_345);

test("an intact object is said to be intact, by all its pieces and by a sample with proofs", async (t) => {
  const { stores, pack } = await Consortium.open(t).then((c) => ({ stores: c.stores, pack: c.pack.bind(c) }));
  const { reference, objectId } = await ingest([{ path: "x", content }], { stores });
  const all = await auditPossession(reference, objectId, stores);
  assert.deepEqual(
    {
      checked: all.checked,
      held: all.held,
      missing: all.missing,
      corrupt: all.corrupt,
      intact: all.intact,
      fewestHeld: all.fewestHeld,
    },
    { checked: 56, held: 56, missing: 0, corrupt: 0, intact: true, fewestHeld: 14 },
  );

  const seed = new Uint8Array([1, 2, 3]);
  const sampled = await auditPossession(reference, objectId, stores, { sample: 2, seed });
  // One of the stripes is 1 % of them, rounded up: it is among two with two in so many.
  assert.deepEqual(all.finds, { lostShare: 0.01, probability: 1 });
  assert.ok(Math.abs(sampled.finds.probability - 2 / sampled.layout.stripes) < 1e-12);
  assert.equal(sampled.checked, 28);
  assert.equal(sampled.intact, true);
  assert.equal(sampled.fewestHeld, undefined);
  let proved = 0;
  for (const { store, slot, proofs } of sampled.stores)
    for (const proof of proofs) {
      const holder = stores.find(({ id }) => id === store)!;
      const bytes = (await readFile((await pack(holder, objectId)).path)).subarray(
        proof.stripe * PIECE,
        (proof.stripe + 1) * PIECE,
      );
      assert.equal(proof.column, columnOf(sampled.layout, proof.stripe, slot));
      assert.ok(verifyPiece(bytes, proof, reference.root, sampled.layout));
      proved++;
    }
  assert.equal(proved, 28);

  const chosen = (report: typeof sampled): number[][] => report.stores.map(({ proofs }) => proofs.map(({ stripe }) => stripe));
  assert.deepEqual(chosen(await auditPossession(reference, objectId, stores, { sample: 2, seed })), chosen(sampled));
  const others = await Promise.all(
    [7, 8, 9].map((byte) => auditPossession(reference, objectId, stores, { sample: 2, seed: new Uint8Array([byte]) })),
  );
  assert.ok(others.some((report) => JSON.stringify(chosen(report)) !== JSON.stringify(chosen(sampled))));
  await assert.rejects(auditPossession(reference, objectId, stores, { sample: 0 }), fault("sample_invalid"));
});

test("each damage is named with store, stripe and column, and repaired against the old root", async (t) => {
  const consortium = await Consortium.open(t);
  const { stores, folder } = consortium;
  const { reference, objectId, key } = await ingest([{ path: "x", content }], { stores });
  const at = async (slot: number) => await consortium.storeOfSlot(objectId, slot);
  const [flipped, cut, gone, forgetful] = [await at(2), await at(5), await at(9), await at(13)];
  const packless = await at(11); // its documents are there still
  await flipBit((await consortium.pack(flipped, objectId)).path, PIECE * 3 + 100);
  await truncate((await consortium.pack(cut, objectId)).path, PIECE * 2 + 7);
  await rm(consortium.objectFolder(gone, objectId), { recursive: true });
  await rm((await consortium.pack(packless, objectId)).path);
  await rm(join(consortium.objectFolder(forgetful, objectId), "table"));
  await writeFile(join(consortium.objectFolder(forgetful, objectId), "manifest"), "x");

  const { before, after: then, repaired, writtenBytes } = await repair(reference, objectId, stores);
  const report = (store: { id: string }) => before.stores.find((entry) => entry.store === store.id)!;
  assert.deepEqual(report(flipped).faults, [{ stripe: 3, column: columnOf(before.layout, 3, 2), kind: "corrupt" }]);
  assert.deepEqual(
    report(cut).faults,
    [2, 3].map((stripe) => ({ stripe, column: columnOf(before.layout, stripe, 5), kind: "missing" })),
  );
  assert.deepEqual([report(gone).pack, report(gone).missing, report(gone).table], ["missing", STRIPES, "missing"]);
  assert.deepEqual(
    [report(forgetful).table, report(forgetful).manifest, report(forgetful).held],
    ["missing", "corrupt", STRIPES],
  );
  assert.deepEqual([before.missing, before.corrupt, before.fewestHeld, before.intact], [2 * STRIPES + 2, 1, 10, false]);

  const did = Object.fromEntries(repaired.map(({ store, ...rest }) => [store, rest]));
  assert.deepEqual(did, {
    [flipped.id]: { pieces: 1, wholePack: false, documents: [] },
    [cut.id]: { pieces: 2, wholePack: false, documents: [] },
    [gone.id]: { pieces: STRIPES, wholePack: true, documents: ["table", "manifest"] },
    [packless.id]: { pieces: STRIPES, wholePack: true, documents: ["table", "manifest"] },
    [forgetful.id]: { pieces: 0, wholePack: false, documents: ["table", "manifest"] },
  });
  assert.equal(writtenBytes, (2 * STRIPES + 3) * PIECE);
  assert.equal(then.intact, true);
  assert.equal((await auditPossession(reference, objectId, stores)).intact, true);
  assert.deepEqual((await repair(reference, objectId, stores)).repaired, []);

  await consortium.loseStores(stores.filter((store) => ![flipped, cut, gone, packless, forgetful].includes(store)).slice(0, 4));
  await retrieve(reference, objectId, key, stores, join(folder, "out"));
  assert.equal(Buffer.compare((await contentBelow(join(folder, "out"))).get("x")!, content), 0);
});

test("stores that are not there stay in the record, and the rest is repaired", async (t) => {
  const consortium = await Consortium.open(t);
  const { stores } = consortium;
  const { reference, objectId } = await ingest([{ path: "x", content }], { stores });
  const absent = stores.slice(0, 2);
  const bringBack = await consortium.loseStores(absent);
  await flipBit((await consortium.pack(stores[7]!, objectId)).path, 1);
  const { before, after: then, repaired } = await repair(reference, objectId, stores);
  assert.deepEqual(
    before.stores
      .filter(({ pack }) => pack === "absent")
      .map(({ store }) => store)
      .sort(),
    absent.map(({ id }) => id),
  );
  assert.deepEqual(
    repaired.map(({ store }) => store),
    [stores[7]!.id],
  );
  assert.deepEqual([then.missing, then.corrupt, then.intact], [2 * STRIPES, 0, false]);
  await bringBack();
  assert.equal((await auditPossession(reference, objectId, stores)).intact, true);
});

test("what is beyond repair is refused, and nothing is changed", async (t) => {
  const consortium = await Consortium.open(t);
  const { stores } = consortium;
  const { reference, objectId } = await ingest([{ path: "x", content }], { stores });
  for (let column = 0; column < 5; column++) {
    const store = await consortium.storeOfSlot(objectId, slotOf(reference, 2, column));
    await flipBit((await consortium.pack(store, objectId)).path, PIECE * 2 + column);
  }
  await flipBit((await consortium.pack(stores[0]!, objectId)).path, 0); // could be repaired, but the object could not
  const before = await consortium.files();
  await assert.rejects(
    repair(reference, objectId, stores),
    fault("archive_unrecoverable", { stripe: 2, available: 9, needed: 10 }),
  );
  assert.deepEqual(await consortium.files(), before);
  assert.deepEqual((await auditPossession(reference, objectId, stores)).corrupt, 6);
});

test("any damage to up to four stores is counted exactly and repaired", async (t) => {
  const consortium = await Consortium.open(t);
  const { stores } = consortium;
  const { reference, objectId } = await ingest([{ path: "x", content: content.subarray(0, 2 * 2_621_440) }], { stores });
  const damage = fc.record({ slots: fc.uniqueArray(fc.nat(13), { maxLength: 4 }), stripe: fc.nat(1), offset: fc.nat(PIECE - 1) });
  let clean = 0;
  let damaged = 0;
  await fc.assert(
    fc.asyncProperty(damage, async ({ slots, stripe, offset }) => {
      for (const slot of slots)
        await flipBit(
          (await consortium.pack(await consortium.storeOfSlot(objectId, slot), objectId)).path,
          stripe * PIECE + offset,
        );
      const { before, after: then } = await repair(reference, objectId, stores);
      assert.deepEqual([before.corrupt, before.missing, before.intact], [slots.length, 0, slots.length === 0]);
      assert.equal(then.intact, true);
      if (slots.length === 0) clean++;
      else damaged++;
    }),
    { numRuns: 25, examples: [[{ slots: [], stripe: 0, offset: 0 }]] }, // no damage at all is drawn too rarely
  );
  assert.ok(clean > 0 && damaged > 10, `generator too narrow: ${clean} clean, ${damaged} damaged`);
});
