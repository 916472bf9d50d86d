/** Workers: one that dies is a fault and no loss, and more work than workers waits its turn. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { after, test } from "node:test";
import { ingest } from "../../src/ingest.ts";
import { retrieve } from "../../src/retrieve.ts";
import { retrieveFiles } from "../../src/retrieve-files.ts";
import { closeWorkers, runTask } from "../../src/work/pool.ts";
import { Consortium, contentBelow, fault } from "../support/consortium.ts";

after(closeWorkers);

test("a worker that dies is reported, and the next task gets another", async (t) => {
  const { stores } = await Consortium.open(t);
  await assert.rejects(runTask("no such task" as "importObject", {} as never), fault("worker_died"));
  await ingest([{ path: "x", content: randomBytes(10) }], { stores });
  await assert.rejects(runTask("no such task" as "importObject", {} as never), fault("worker_died"));
  await ingest([{ path: "x", content: randomBytes(10) }], { stores });
});

test("many operations at once all end rightly", async (t) => {
  const { stores, folder } = await Consortium.open(t);
  const contents = Array.from({ length: 12 }, (_, i) => randomBytes(1000 * (i + 1)));
  const objects = await Promise.all(contents.map((content) => ingest([{ path: "x", content }], { stores })));
  await Promise.all(
    objects.map(({ reference, objectId, key }, i) => retrieve(reference, objectId, key, stores, join(folder, `${i}`))),
  );
  for (const [i, content] of contents.entries()) assert.deepEqual((await contentBelow(join(folder, `${i}`))).get("x"), content);
});

test("of many streams at once none waits for another to end", async (t) => {
  const { stores } = await Consortium.open(t);
  const content = randomBytes(100_000);
  const { reference, objectId, key } = await ingest([{ path: "x", content }], { stores });
  const streams = Array.from({ length: 6 }, () => retrieveFiles(reference, objectId, key, stores));
  // All have begun before the first goes on: whoever reads slowly keeps its worker, and the others get theirs.
  const files = await Promise.all(streams.map((stream) => stream.next()));
  for (const [i, stream] of streams.entries()) {
    const { value } = files[i]!;
    assert.ok(value !== undefined && "content" in value);
    const parts: Uint8Array[] = [];
    for await (const part of value.content) parts.push(part);
    assert.deepEqual(Buffer.concat(parts), content);
    assert.equal((await stream.next()).done, true);
  }
});
