/** What a process that died had begun is removed, unless the chain names it; what a living one is at stays. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { closeWorkers, DirectoryStore, ingest } from "@xinglin/archive";
import { keys } from "@xinglin/contracts";
import { type Bytes, cbor, toHex } from "@xinglin/primitives";
import { newRecordId } from "../src/ids.ts";
import { ImportJournal } from "../src/import-journal.ts";

const folder = mkdtempSync(join(tmpdir(), "xinglin-journal-"));
const stores = Array.from(
  { length: 14 },
  (_, i) => new DirectoryStore({ kind: "directory", id: `s${i}`, member: `m${i % 6}`, path: join(folder, `s${i}`) }),
);
const journal = new ImportJournal(join(folder, "imports"));
const dead = { pid: 0 };
let living: ChildProcess;
before(async () => {
  for (const store of stores) await store.create();
  const child = spawn(process.execPath, ["--eval", ""]);
  await once(child, "exit");
  dead.pid = child.pid as number;
  living = spawn(process.execPath, ["--eval", "process.stdin.resume()"], { stdio: ["pipe", "ignore", "ignore"] });
  await once(living, "spawn");
});
after(async () => {
  living.kill("SIGKILL");
  await closeWorkers();
  rmSync(folder, { recursive: true });
});

/** An object on all stores that the process `pid` had begun. */
async function begun(pid: number): Promise<{ object: Bytes; record: ReturnType<typeof newRecordId> }> {
  const record = newRecordId();
  const sealed = await ingest([{ content: Buffer.from("bundle"), path: "bundle.json", mediaType: "application/json" }], {
    stores,
  });
  journal.begin(sealed.objectId, record, 1);
  const entry = join(folder, "imports", toHex(sealed.objectId));
  writeFileSync(entry, JSON.stringify({ ...(JSON.parse(readFileSync(entry, "utf8")) as object), process: pid }));
  return { object: sealed.objectId, record };
}
const holders = async (object: Bytes): Promise<number> =>
  (await Promise.all(stores.map((store) => store.has(object)))).filter(Boolean).length;
const nothingAnchored = (): undefined => undefined;

test("without a journal there is nothing to remove", async () => {
  assert.equal(await new ImportJournal(join(folder, "never")).collect(stores, nothingAnchored), 0);
});

test("what a dead process left is removed from every store; twice is no error", async () => {
  const { object } = await begun(dead.pid);
  assert.equal(await holders(object), 14);
  assert.equal(await journal.collect(stores, nothingAnchored), 1);
  assert.equal(await holders(object), 0);
  assert.equal(await journal.collect(stores, nothingAnchored), 0);
  assert.deepEqual(readdirSync(join(folder, "imports")), []);
});

test("our own number from before a restart counts as dead", async () => {
  const { object } = await begun(process.pid);
  assert.equal(await journal.collect(stores, nothingAnchored), 1);
  assert.equal(await holders(object), 0);
});

test("an anchored object is never removed, as newest version or as an old one", async () => {
  for (const keyOf of [keys.record, (record: ReturnType<typeof newRecordId>) => keys.recordVersion(record, 1)]) {
    const { object, record } = await begun(dead.pid);
    const state = new Map([[keyOf(record), cbor.encode({ object: { id: object } })]]);
    assert.equal(await journal.collect(stores, (key) => state.get(key)), 0);
    assert.equal(await holders(object), 14);
    assert.deepEqual(readdirSync(join(folder, "imports")), [], "the anchor is known: the entry has done its work");
  }
  // The record is anchored, but with another object: this one is left over.
  const { object, record } = await begun(dead.pid);
  const other = new Map([[keys.record(record), cbor.encode({ object: { id: new Uint8Array(16) } })]]);
  assert.equal(await journal.collect(stores, (key) => other.get(key)), 1);
  assert.equal(await holders(object), 0);
});

test("the entry of a running process is left alone until it ends", async () => {
  const { object } = await begun(living.pid as number);
  assert.equal(await journal.collect(stores, nothingAnchored), 0);
  assert.equal(await holders(object), 14);
  const exited = once(living, "exit");
  living.kill("SIGKILL");
  await exited;
  assert.equal(await journal.collect(stores, nothingAnchored), 1);
  assert.equal(await holders(object), 0);
});

test("a pack stays if the chain names its batch; otherwise pieces and leaves go, however far its import came", async () => {
  const root = new Uint8Array(32).fill(7);
  const leaves = join(folder, "leaves");
  const unnamed = (): void => {};
  const stages: readonly [name: (object: Bytes) => void, get: (key: string) => Bytes | undefined, kept: boolean][] = [
    [unnamed, nothingAnchored, false],
    [(object) => journal.nameBatch(object, root, leaves), nothingAnchored, false],
    [
      (object) => journal.nameBatch(object, root, leaves),
      (key) => (key === keys.batch(toHex(root)) ? new Uint8Array(1) : undefined),
      true,
    ],
  ];
  for (const [name, get, kept] of stages) {
    const { objectId } = await ingest(
      [{ content: Buffer.from("pack"), path: "records", mediaType: "application/octet-stream" }],
      {
        stores,
      },
    );
    journal.beginPack(objectId);
    name(objectId);
    if (name !== unnamed) writeFileSync(leaves, "leaves");
    const entry = join(folder, "imports", toHex(objectId));
    writeFileSync(entry, JSON.stringify({ ...(JSON.parse(readFileSync(entry, "utf8")) as object), process: dead.pid }));
    assert.equal(await journal.collect(stores, get), kept ? 0 : 1);
    assert.equal(await holders(objectId), kept ? 14 : 0);
    assert.equal(existsSync(leaves), kept);
    rmSync(leaves, { force: true });
    assert.ok(!existsSync(entry));
  }
});
