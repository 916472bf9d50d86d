/** Reading from stores that are far: in parallel, around those that hang, lie, cut off or are gone. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { test } from "node:test";
import { toHex } from "@xinglin/primitives";
import { repair } from "../src/audit.ts";
import { type Ingested, ingest } from "../src/ingest.ts";
import { retrieve } from "../src/retrieve.ts";
import type { Store } from "../src/store/store.ts";
import { Pace } from "../src/work/pace.ts";
import { closeWorkers } from "../src/work/pool.ts";
import { contentBelow, fault, flipBit, temporaryFolder } from "./support/consortium.ts";
import { Lender } from "./support/lender.ts";

test.after(closeWorkers);

const SIZE = 9_000_000;

/** Fourteen stores of seven members, an object on them, and the reader of another member. */
async function network(t: { after(work: () => Promise<void>): void }) {
  const folder = await temporaryFolder(t);
  const lenders = await Promise.all(
    Array.from({ length: 7 }, (_, i) => Lender.open(folder, { member: `m${"x".repeat(i + 1)}`, count: 2 })),
  );
  t.after(async () => {
    for (const lender of lenders) {
      for (const store of lender.inner) store.release();
      await lender.service.close().catch(() => undefined);
    }
  });
  const as = async (guest: string): Promise<Store[]> =>
    (await Promise.all(lenders.map(async (lender) => [await lender.store(guest, 0), await lender.store(guest, 1)]))).flat();
  const content = randomBytes(SIZE);
  const object = await ingest([{ path: "x", content }], { stores: await as("importer") });
  const read = async (only?: { path: string; start: number; end: number }) => {
    const out = join(folder, `out-${randomBytes(4).toString("hex")}`);
    const { reference, objectId, key } = object;
    const outcome = await retrieve(reference, objectId, key, await as("reader"), out, only === undefined ? {} : { only });
    const expected = only === undefined ? content : content.subarray(only.start, only.end);
    assert.deepEqual((await contentBelow(out)).get("x"), Buffer.from(expected));
    return outcome;
  };
  return { lenders, object, read, as };
}

const packOf = async (lender: Lender, i: number, { objectId }: Ingested): Promise<string> => {
  const folder = join(lender.inner[i]!.description.path, "objects", toHex(objectId));
  return join(folder, [...(await contentBelow(folder)).keys()].find((name) => name.startsWith("pieces."))!);
};

test("an object and a range come back whole from fourteen far stores", async (t) => {
  const { read } = await network(t);
  // On a busy machine one may be late: then it is read around.
  for (const only of [undefined, { path: "x", start: 3_000_000, end: 3_000_100 }])
    assert.ok((await read(only)).troubles.every(({ kind }) => kind === "slow"));
});

test("stores that never answer are read around, of whole objects and of ranges", async (t) => {
  const { lenders, read } = await network(t);
  for (const lender of lenders.slice(0, 4)) lender.inner[0]!.hang();
  const { troubles, rebuiltPieces } = await read();
  assert.ok(rebuiltPieces > 0);
  assert.ok(troubles.every(({ kind }) => kind === "slow"));
  // Every chunk in turn: those on a hanging store too.
  for (let at = 0; at < 10 * 262_144; at += 262_144) await read({ path: "x", start: at, end: at + 1_000 });
});

test("with two members gone and one store lying, all of it comes from the others", async (t) => {
  const { lenders, object, read } = await network(t);
  await lenders[0]!.service.close();
  await flipBit(await packOf(lenders[1]!, 0, object), 300_000);
  await flipBit(await packOf(lenders[2]!, 1, object), 10);
  const { troubles, rebuiltPieces } = await read();
  assert.ok(rebuiltPieces > 0);
  const kinds = new Set(troubles.map(({ store, kind }) => `${store} ${kind}`));
  assert.ok(kinds.has(`${lenders[0]!.inner[0]!.id} absent`), [...kinds].join());
});

test("with nine left it fails closed at once, and with ten a repair makes it whole", async (t) => {
  const { object, read, as } = await network(t);
  const importer = await as("importer");
  for (const store of importer.slice(0, 4)) await store.remove(object.objectId);
  await read();
  const { after } = await repair(object.reference, object.objectId, importer);
  assert.equal(after.intact, true);
  for (const store of importer.slice(0, 5)) await store.remove(object.objectId);
  await assert.rejects(read(), fault("archive_unrecoverable"));
});

test("a store that was late to say what it holds is asked before anything is given up", async (t) => {
  const { lenders, object, read, as } = await network(t);
  for (const store of (await as("importer")).slice(0, 3)) await store.remove(object.objectId);
  const [late, lying] = [lenders[5]!.inner[0]!, lenders[6]!.inner[1]!];
  await flipBit(await packOf(lenders[6]!, 1, object), 10);
  late.hangOpening();
  lying.onRead = () => late.release(); // by now the reader goes on without it, and needs it
  const { troubles } = await read();
  assert.ok(troubles.some(({ store, kind }) => store === late.id && kind === "slow"));
  assert.ok(troubles.some(({ store, kind }) => store === lying.id && kind === "piece_corrupt"));
});

test("pace: late is what takes three times the middle; who failed rests; who is slow is tried again now and then", () => {
  const pace = new Pace();
  assert.equal(pace.delayMs, 300);
  for (let i = 0; i < 10; i++) pace.answered("quick", 20);
  assert.equal(pace.delayMs, 60);
  pace.late("slow", 400);
  assert.equal(pace.isWorthAsking("quick", 0), true);
  assert.equal(pace.isWorthAsking("unknown", 0), true);
  const asked = Array.from({ length: 32 }, () => pace.isWorthAsking("slow", 0));
  assert.equal(asked.filter(Boolean).length, 2);
  pace.failed("quick", 0);
  assert.deepEqual([pace.isWorthAsking("quick", 4_999), pace.isWorthAsking("quick", 5_000)], [false, true]);
  for (let i = 0; i < 10; i++) pace.answered("slow", 20);
  assert.equal(pace.isWorthAsking("slow", 0), true);
});
