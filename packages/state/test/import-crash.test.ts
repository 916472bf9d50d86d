import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { isImportUnfinished, openState, StateExport } from "../src/index.ts";
import { block, folder, fresh, hex, openLevel, put } from "./fixture.ts";

/** Lets a child import and kills it once it told of `parts` parts; with none, lets it finish. */
async function importing(path: string, file: string, parts = Number.POSITIVE_INFINITY): Promise<void> {
  const child = fork(new URL("./import-child.ts", import.meta.url), [path, file], {
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
  const ended = once(child, "exit");
  let told = 0;
  for await (const _ of createInterface({ input: child.stdout as NodeJS.ReadableStream }))
    if (++told === parts) child.kill("SIGKILL");
  const [code, signal] = await ended;
  if (Number.isFinite(parts)) assert.equal(signal, "SIGKILL");
  else assert.equal(code, 0);
}

test("an import that is killed leaves a folder that says so, and the next one is whole", async (t) => {
  const { state, db } = await fresh(t);
  await block(
    state,
    3,
    Array.from({ length: 2_000 }, (_, i) => put(`k/${i}`, `value ${i}`)),
  );
  const parts: { depth: number; hash: string; bytes: string }[] = [];
  const source = new StateExport(db, 2_000);
  await source.run(async ({ depth, hash, bytes }) => void parts.push({ depth, hash: hex(hash), bytes: hex(bytes) }));
  await source.close();
  const file = join(await folder(t), "parts.json");
  await writeFile(file, JSON.stringify({ height: 3, root: hex(state.root), parts }));
  const path = await folder(t);
  for (const killedAt of [1, 5, Math.floor(parts.length / 2)]) {
    await importing(path, file, killedAt);
    const left = await openLevel(path);
    assert.equal(isImportUnfinished(left), true);
    await assert.rejects(openState(left), { code: "state_import_unfinished" });
    await left.close();
  }
  await importing(path, file);
  const whole = await openLevel(path);
  t.after(() => whole.close());
  const copy = await openState(whole);
  assert.equal(hex(copy.root), hex(state.root));
  assert.equal(copy.statistics().keys, 2_000);
  const more = [put("k/1", "changed"), put("k/new", "new")];
  assert.equal(await block(copy, 4, more), await block(state, 4, more));
});
