/** The process dies in the middle of projecting, the folder breaks, the chain is another: the next start is right by itself. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { sql } from "kysely";
import { ReadModel, type RebuildReason } from "../src/read-model.ts";
import type { StoreLocation } from "../src/store/open.ts";
import { A, hashOf, TestChain } from "./chain-fixture.ts";
import { template } from "./databases.ts";

const ENTRIES = 4_000;
let folder: string;
let location: StoreLocation;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "xinglin-index-"));
  location = { kind: "embedded", folder: join(folder, "index"), template: await template() };
});
after(() => rm(folder, { recursive: true, force: true }));

const longChain = (prefix: string, entries = ENTRIES): TestChain => {
  const chain = new TestChain();
  for (let i = 0; i < entries; i++) chain.submit(A, { op: "anchorBatch", root: hashOf(`${prefix} ${i}`), count: 1 });
  return chain;
};
async function open(source: TestChain): Promise<{ model: ReadModel; rebuilds: RebuildReason[]; found: number }> {
  const rebuilds: RebuildReason[] = [];
  const model = await ReadModel.open({ location, source, onRebuild: (reason) => rebuilds.push(reason) });
  const found = model.sequence;
  await model.catchUp();
  return { model, rebuilds, found };
}
async function close(model: ReadModel): Promise<void> {
  assert.deepEqual((await model.verify()).findings, []);
  await model.close();
}

test("killed in the middle of projecting, it goes on where the cursor stands", async () => {
  const child = spawn(process.execPath, [new URL("./projecting-child.ts", import.meta.url).pathname], {
    env: { ...process.env, XINGLIN_TEST_LOCATION: JSON.stringify(location), XINGLIN_TEST_ENTRIES: String(ENTRIES) },
    stdio: ["ignore", "pipe", "inherit"],
  });
  // The child says when some batches are written and goes on writing.
  await once(child.stdout, "data");
  child.kill("SIGKILL");
  await once(child, "exit");

  const { model, rebuilds, found } = await open(longChain("killed"));
  assert.ok(found > 0 && found < ENTRIES, `killed at ${found}`);
  assert.deepEqual(rebuilds, []);
  assert.equal(model.sequence, ENTRIES);
  await close(model);
});

test("opened on another chain, a shorter one or one that differs at the end, it begins again", async () => {
  const other = longChain("killed", 100);
  other.chain = "other-000000000000";
  const chains = [longChain("killed", 100), longChain("different", 100), other];
  for (const chain of chains) {
    const { model, rebuilds } = await open(chain);
    assert.deepEqual(rebuilds, ["mismatch"]);
    assert.equal(model.sequence, 100);
    await close(model);
  }
});

test("a cursor that lost its rows, or rows that lost their cursor, begin again", async () => {
  const chain = longChain("killed", 100);
  chain.chain = "other-000000000000";
  for (const damage of [`delete from xinglin.entries where sequence = 99`, `delete from xinglin.projection`]) {
    const first = await open(chain);
    await sql.raw(damage).execute(first.model.db);
    await first.model.close();
    const { model, rebuilds } = await open(chain);
    assert.equal(rebuilds.length, 1, damage);
    await close(model);
  }
});

test("a folder that PGlite cannot open is replaced", async () => {
  const chain = longChain("killed", 50);
  assert.ok(location.kind === "embedded" && location.folder !== undefined);
  await truncate(join(location.folder, "global/pg_control"), 100);
  const { model, rebuilds } = await open(chain);
  assert.deepEqual(rebuilds, ["unreadable"]);
  await close(model);
  await writeFile(join(location.folder, "PG_VERSION"), "9\n");
  const again = await open(chain);
  assert.deepEqual(again.rebuilds, ["unreadable"]);
  await close(again.model);
});

test("overlapping calls share one pass, and rows are there when a call returns", async () => {
  const chain = longChain("shared", 1_000);
  const { model } = await open(chain);
  for (let i = 0; i < 20; i++) chain.submit(A, { op: "anchorBatch", root: hashOf(`late ${i}`), count: 1 });
  await Promise.all([model.catchUp(), model.catchUp(), model.catchUp()]);
  assert.equal(model.sequence, 1_020);
  await close(model);
});
