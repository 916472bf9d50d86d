/** The archive looks after itself: over real stores in folders, with what hospitals' disks do to them. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { auditPossession, closeWorkers, openStore, type StoreDescription } from "@xinglin/archive";
import { type AnchoredObject, archived, auditFile, countStatements, decodeAuditFile, decodeStatement } from "@xinglin/gateway";
import { fromHex, toHex } from "@xinglin/primitives";
import type { ArchiveNotice } from "../../src/keeping/keeper.ts";
import { keeperOf, MEMBER, makeArchive } from "./folder-archive.ts";

after(closeWorkers);

const HOUR = 3_600_000;
const CHILD = fileURLToPath(new URL("./dying-child.ts", import.meta.url));
const pathOf = (store: StoreDescription): string => (store as { path: string }).path;
const isWhole = async (stores: readonly StoreDescription[], object: AnchoredObject): Promise<boolean> => {
  const { id, reference } = archived(object);
  return (await auditPossession(reference, id, stores.map(openStore))).intact;
};

test("pieces deleted by hand come back by themselves, the operator hears of it, and what was done stands in the record", async (t) => {
  const { folder, stores, objects } = await makeArchive(5, 300_000);
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const notices: ArchiveNotice[] = [];
  const { keeper, recorded } = keeperOf(folder, { onNotice: (notice) => notices.push(notice) });
  t.after(() => keeper.close());
  await keeper.look();
  assert.deepEqual([keeper.report?.objects, keeper.report?.byMissing, notices], [5, { 0: 5 }, []]);

  for (const store of stores.slice(0, 2)) rmSync(join(pathOf(store), "objects", objects[1]!.object.id), { recursive: true });
  rmSync(join(pathOf(stores[2]!), "objects", objects[3]!.object.id), { recursive: true });
  await keeper.look();
  for (const object of objects) assert.ok(await isWhole(stores, object));
  assert.deepEqual(notices, [{ event: "archive_endangered", objects: 2, unreadable: 0, stores: 3 }]);
  const { report } = keeper;
  assert.ok(report !== undefined);
  assert.deepEqual([report.repaired.objects, report.endangered, report.waiting, report.round], [2, 0, 0, 2]);
  assert.ok(report.lost > 0 && report.yearlyLoss < 1e-4 && report.cost.yuan < report.cost.threeCopies.yuan);
  assert.equal(report.overhead, 1.5);

  const [, second] = recorded;
  assert.ok(second !== undefined && second.objects === 5 && second.repaired === report.repaired.pieces);
  const kept = decodeAuditFile(Uint8Array.from(readFileSync(auditFile(join(folder, "audits"), MEMBER, 2))));
  assert.ok("statements" in kept);
  assert.deepEqual(countStatements(kept.statements).root, second.root);
  const repairs = second.statements.map(decodeStatement).flatMap((statement) => statement.repairs);
  // The one that can lose least is first.
  assert.deepEqual(
    repairs.map(({ object, before, after: left }) => [toHex(object), before, left]),
    [
      [objects[1]!.object.id, 2, 0],
      [objects[3]!.object.id, 1, 0],
    ],
  );
});

test("killed in the middle of a round, the next start goes on where it was, and the round is recorded once", async (t) => {
  const objectsOfStatement = 64;
  const { folder, stores, objects } = await makeArchive(objectsOfStatement + 6, 3_000);
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const [early, late] = [objects[3]!, objects[objectsOfStatement + 4]!];
  for (const { object } of [early, late]) rmSync(join(pathOf(stores[0]!), "objects", object.id), { recursive: true });
  const child = spawn(process.execPath, [CHILD, folder, String(objectsOfStatement + 2)], { stdio: "inherit" });
  assert.deepEqual(await once(child, "exit"), [null, "SIGKILL"]);
  assert.ok(!(await isWhole(stores, early)), "repairs come after looks");
  // A write that was cut off.
  appendFileSync(join(folder, "keeping", "round"), Buffer.from([0, 0, 1, 0, 7]));

  const { keeper, recorded } = keeperOf(folder);
  t.after(() => keeper.close());
  await keeper.look();
  for (const object of [early, late]) assert.ok(await isWhole(stores, object));
  assert.deepEqual([keeper.report?.objects, keeper.report?.repaired.objects, recorded.length], [objects.length, 2, 1]);
  const said = recorded[0]!.statements.map(decodeStatement);
  const looked = said.flatMap((statement) => statement.objects.map(({ id }) => toHex(id)));
  assert.deepEqual(
    looked,
    objects.map(({ object }) => object.id),
    "each once, those before the kill too",
  );
  assert.equal(new Set(said.map(({ draw }) => toHex(draw.secret))).size, 2 - 1, "one draw");
});

test("a store that takes nothing is left and named, the others are mended; one that is away is waited for, and rebuilt elsewhere when it is gone", async (t) => {
  const { folder, stores, objects } = await makeArchive(2, 100_000);
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const [broken, mended, away] = stores as [StoreDescription, StoreDescription, StoreDescription];
  const object = objects[0]!;
  for (const store of [broken, mended]) rmSync(join(pathOf(store), "objects", object.object.id), { recursive: true });
  rmSync(join(pathOf(broken), "incoming"), { recursive: true });
  writeFileSync(join(pathOf(broken), "incoming"), "a file where a folder was");
  const first = keeperOf(folder);
  await first.keeper.look();
  await first.keeper.close();
  assert.deepEqual(first.keeper.report?.left, [{ store: broken.id, code: "store_absent", objects: 1 }]);
  assert.deepEqual([first.keeper.report?.byMissing, first.keeper.report?.waiting], [{ 0: 1, 1: 1 }, 1]);
  rmSync(join(pathOf(broken), "incoming"));
  mkdirSync(join(pathOf(broken), "incoming"));

  renameSync(pathOf(away), `${pathOf(away)}.unplugged`);
  let now = Date.now();
  const { keeper, recorded } = keeperOf(folder, { now: () => now, goneHours: 10 });
  t.after(() => keeper.close());
  await keeper.look();
  assert.equal(keeper.report?.stores.find(({ store }) => store === away.id)?.state, "away");
  assert.deepEqual([keeper.report?.byMissing, keeper.report?.repaired.pieces], [{ 1: 2 }, 1]);
  now += 11 * HOUR;
  await keeper.look();
  // Six stores for six columns: gone, it is asked for elsewhere, and there is nowhere to go.
  assert.equal(keeper.report?.stores.find(({ store }) => store === away.id)?.state, "gone");
  const repairs = recorded
    .at(-1)!
    .statements.map(decodeStatement)
    .flatMap((statement) => statement.repairs);
  assert.deepEqual(
    repairs.map(({ before, after: left }) => [before, left]),
    [
      [1, 1],
      [1, 1],
    ],
  );
  renameSync(`${pathOf(away)}.unplugged`, pathOf(away));
  await keeper.look();
  assert.deepEqual(keeper.report?.byMissing, { 0: 2 });
});

test("two members' nodes that mend the same object at once spoil nothing, and one whose turn it is not only looks", async (t) => {
  const { folder, stores, objects } = await makeArchive(1, 2_000_000);
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const other = `${folder}-other`;
  mkdirSync(other);
  t.after(() => rmSync(other, { recursive: true, force: true }));
  writeFileSync(join(other, "archive.json"), readFileSync(join(folder, "archive.json")));
  const damage = (): void => {
    for (const store of stores.slice(0, 2)) rmSync(join(pathOf(store), "objects", objects[0]!.object.id), { recursive: true });
  };
  damage();
  const keepers = [folder, other].map((where) => keeperOf(where).keeper);
  t.after(() => Promise.all(keepers.map((keeper) => keeper.close())));
  await Promise.all(keepers.map((keeper) => keeper.look()));
  assert.ok(await isWhole(stores, objects[0]!));
  const held = await Promise.all(stores.map((store) => openStore(store).has(fromHex(objects[0]!.object.id))));
  assert.deepEqual(
    held,
    stores.map(() => true),
  );

  damage();
  const idle = keeperOf(other, { isRepaired: () => false });
  t.after(() => idle.keeper.close());
  await idle.keeper.look();
  assert.deepEqual([idle.keeper.report?.repaired, idle.keeper.report?.endangered], [{ objects: 0, pieces: 0 }, 1]);
});
