/** Columns of stores that are gone for good are rebuilt elsewhere, apart from the others, and a store that comes back is not left with a spare pack. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { after, test } from "node:test";
import { repair } from "../src/audit.ts";
import { ingest } from "../src/ingest.ts";
import { placeColumns } from "../src/placement.ts";
import { retrieve } from "../src/retrieve.ts";
import { siteOf } from "../src/store/description.ts";
import type { Store } from "../src/store/store.ts";
import { closeWorkers } from "../src/work/pool.ts";
import { Consortium, contentBelow } from "./support/consortium.ts";

after(closeWorkers);

const content = randomBytes(2_500_000);
const code = { k: 4, m: 2 };
const holdersOf = async (stores: readonly Store[], objectId: Uint8Array): Promise<string[]> => {
  const held = await Promise.all(stores.map((store) => store.has(objectId).catch(() => false)));
  return stores.filter((_, i) => held[i]).map(({ id }) => id);
};

test("two stores gone for good, two that remain lost after: nothing is lost in the end", async (t) => {
  const consortium = await Consortium.open(t, [..."abcdefgh"]);
  const { stores, folder } = consortium;
  const { reference, objectId, key } = await ingest([{ path: "x", content }], { stores, code });
  const before = await holdersOf(stores, objectId);
  const gone = stores.filter(({ id }) => before.slice(0, 2).includes(id));
  const bringBack = await consortium.loseStores(gone);

  const waiting = await repair(reference, objectId, stores);
  assert.equal(waiting.after.intact, false); // without relocation it waits for them
  const moved = await repair(reference, objectId, stores, { relocate: true });
  assert.equal(moved.after.intact, true);
  const spare = stores.filter(({ id }) => !before.includes(id)).map(({ id }) => id);
  assert.deepEqual(moved.repaired.map(({ store }) => store).sort(), spare.sort());
  assert.deepEqual(
    await holdersOf(stores, objectId),
    stores.map(({ id }) => id).filter((id) => !gone.some((one) => one.id === id)),
  );

  // Two others are away now: with the first two it would be four.
  const others = stores.filter(({ id }) => before.slice(2, 4).includes(id));
  const bringOthers = await consortium.loseStores(others);
  await retrieve(reference, objectId, key, stores, join(folder, "out"));
  assert.deepEqual(await contentBelow(join(folder, "out")), new Map([["x", content]]));

  await bringOthers();
  await bringBack();
  assert.equal((await holdersOf(stores, objectId)).length, 8);
  const cleared = await repair(reference, objectId, stores, { relocate: true });
  assert.deepEqual([cleared.after.intact, (await holdersOf(stores, objectId)).length], [true, 6]);
  assert.equal((await repair(reference, objectId, stores)).before.intact, true);
});

test("a store is emptied by leaving it out and then removing the object from it", async (t) => {
  const { stores } = await Consortium.open(t, [..."abcdefg"]);
  const { reference, objectId } = await ingest([{ path: "x", content }], { stores, code });
  const [leaving] = await holdersOf(stores, objectId);
  const others = stores.filter(({ id }) => id !== leaving);
  assert.equal((await repair(reference, objectId, others, { relocate: true })).after.intact, true);
  await stores.find(({ id }) => id === leaving)!.remove(objectId);
  assert.deepEqual(
    await holdersOf(stores, objectId),
    others.map(({ id }) => id),
  );
  assert.equal((await repair(reference, objectId, others)).before.intact, true);
});

test("with no store to move to, what can be repaired is, and the rest waits", async (t) => {
  const consortium = await Consortium.open(t, [..."abcdef"]);
  const { stores } = consortium;
  const { reference, objectId } = await ingest([{ path: "x", content }], { stores, code });
  const bringBack = await consortium.loseStores([stores[2]!]);
  await stores[4]!.remove(objectId);
  const { before, after: done, repaired } = await repair(reference, objectId, stores, { relocate: true });
  assert.deepEqual([before.intact, done.intact, repaired.map(({ store }) => store)], [false, false, [stores[4]!.id]]);
  await bringBack();
  assert.equal((await repair(reference, objectId, stores)).before.intact, true);
});

test("a new place is apart from those that stay", () => {
  const at = (id: string, member: string, city: string) => ({ id, member, site: siteOf({ member, site: { city } }) });
  const kept = [at("a", "a", "x"), at("b", "b", "x"), at("c", "c", "y"), at("d", "d", "y")];
  const free = [at("a2", "a", "z"), at("e", "e", "x"), at("f", "f", "y"), at("g", "g", "z"), at("h", "h", "z")];
  for (let i = 0; i < 20; i++) {
    const objectId = Uint8Array.of(i);
    const chosen = placeColumns([...kept, ...free], kept, 2, { code, objectId }).map(({ id }) => id);
    assert.deepEqual(chosen.sort(), ["g", "h"]); // not with a, and no third column in x or y
    assert.equal(placeColumns([...kept, ...free], kept, 9, { code, objectId }).length, 5);
    const facts = { g: { freeBytes: 0 } };
    assert.ok(!placeColumns([...kept, ...free], kept, 2, { code, objectId, facts }).some(({ id }) => id === "g"));
  }
});
