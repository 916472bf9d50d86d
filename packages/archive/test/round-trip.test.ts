/** What goes in comes out, byte for byte, from any ten of fourteen stores; from nine nothing comes out. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { ingest } from "../src/ingest.ts";
import { PROFILES } from "../src/profile/profile.ts";
import { retrieve } from "../src/retrieve.ts";
import { type RetrievedFile, retrieveFiles } from "../src/retrieve-files.ts";
import type { SourceFile } from "../src/source.ts";
import { closeWorkers } from "../src/work/pool.ts";
import { Consortium, contentBelow, fault } from "./support/consortium.ts";

after(closeWorkers);

const random = randomBytes(9_000_000);
const CHUNK = 262_144;
const STRIPE = 10 * CHUNK;

const sizes = fc.oneof(
  fc.constantFrom(
    1,
    15,
    16,
    1023,
    1024,
    10_240,
    10_241,
    CHUNK,
    STRIPE - 1,
    STRIPE,
    STRIPE + 1,
    STRIPE + CHUNK,
    2 * STRIPE,
    3 * STRIPE + 17,
  ),
  fc.integer({ min: 1, max: 40_000 }),
  fc.integer({ min: 1, max: 3 * STRIPE }),
);

/** The slow one less often. */
const profiles = [...PROFILES, "standard", "standard"] as const;

test("any size survives any loss of up to four stores, and not of five, under either profile", async (t) => {
  const consortium = await Consortium.open(t);
  const { stores, folder } = consortium;
  let restored = 0;
  let refused = 0;
  let run = 0;
  const losses = fc.shuffledSubarray([...stores], { maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(sizes, losses, fc.nat(100_000), fc.constantFrom(...profiles), async (size, lost, offset, profile) => {
      const content = random.subarray(offset, offset + size);
      const { reference, objectId, key, ...figures } = await ingest([{ path: "x", content }], { stores, profile });
      assert.equal(figures.sizeBytes, size);
      const destination = join(folder, `out-${run++}`);
      const bringBack = await consortium.loseStores(lost);
      try {
        if (lost.length <= 4) {
          const { troubles } = await retrieve(reference, objectId, key, stores, destination);
          assert.deepEqual(await contentBelow(destination), new Map([["x", Buffer.from(content)]]));
          assert.deepEqual(troubles.map(({ store }) => store).sort(), lost.map(({ id }) => id).sort());
          restored++;
        } else {
          await assert.rejects(retrieve(reference, objectId, key, stores, destination), fault("archive_unrecoverable"));
          await assert.rejects(contentBelow(destination), { code: "ENOENT" });
          refused++;
        }
      } finally {
        await bringBack();
        for (const store of stores) await store.remove(objectId);
      }
    }),
    {
      numRuns: 40,
      examples: [
        [STRIPE + 1, stores.slice(0, 4), 1, "standard"],
        [STRIPE + 1, stores.slice(0, 4), 1, "national"],
        [2 * STRIPE, stores.slice(5, 10), 2, "standard"],
        [1, stores.slice(9, 14), 0, "national"],
      ],
    },
  );
  assert.ok(restored > 10 && refused >= 2, `generator too narrow: ${restored} restored, ${refused} refused`);
});

test("other codes work alike: 4+2 over six stores, 6+3 over nine", async (t) => {
  for (const [k, m] of [
    [4, 2],
    [6, 3],
  ] as const) {
    const consortium = await Consortium.open(
      t,
      Array.from({ length: k + m }, (_, i) => `m${i}`),
    );
    const { stores, folder } = consortium;
    const content = random.subarray(0, 2 * k * CHUNK + 5);
    const { reference, objectId, key } = await ingest([{ path: "x", content }], { stores, code: { k, m } });
    await consortium.loseStores(stores.slice(0, m));
    await retrieve(reference, objectId, key, stores, join(folder, "out"));
    assert.deepEqual(await contentBelow(join(folder, "out")), new Map([["x", Buffer.from(content)]]));
    await consortium.loseStores(stores.slice(m, m + 1));
    await assert.rejects(
      retrieve(reference, objectId, key, stores, join(folder, "out-2")),
      fault("archive_unrecoverable", { stripe: 0, available: k - 1, needed: k }),
    );
  }
});

/** A study: many files, some across chunk and stripe boundaries, one empty, one as bytes. */
async function study(folder: string): Promise<{ source: SourceFile[]; content: Map<string, Buffer> }> {
  const lengths = [1, 0, CHUNK - 1, 3 * CHUNK, 100, STRIPE, 7_777, 0];
  const source: SourceFile[] = [];
  const content = new Map<string, Buffer>();
  let at = 0;
  for (const [i, length] of lengths.entries()) {
    const path = `研究/series-${i % 3}/IM${i}`;
    const bytes = random.subarray(at, at + length);
    at += length;
    content.set(path, Buffer.from(bytes));
    if (i % 2 === 0) {
      await writeFile(join(folder, `source-${i}`), bytes);
      source.push({ path, location: join(folder, `source-${i}`), mediaType: "application/dicom" });
    } else source.push({ path, content: bytes });
  }
  return { source, content };
}

test("a study of many files comes back as files, whole, in part and as a stream", async (t) => {
  const consortium = await Consortium.open(t);
  const { stores, folder } = consortium;
  const { source, content } = await study(folder);
  const ticks: number[] = [];
  const { reference, objectId, key, sizeBytes, storedBytes, stripes } = await ingest(source, {
    stores,
    onProgress: (done) => ticks.push(done),
  });
  assert.ok(ticks.length >= 1 && ticks.length <= stripes && ticks.every((done, i) => i === 0 || done > ticks[i - 1]!));
  assert.equal(ticks.at(-1), sizeBytes);
  assert.ok(storedBytes > sizeBytes * 1.4);
  const bringBack = await consortium.loseStores(stores.slice(3, 7));

  const whole = await retrieve(reference, objectId, key, stores, join(folder, "whole"));
  assert.deepEqual(await contentBelow(join(folder, "whole")), content);
  assert.deepEqual(
    whole.manifest.files!.map((file) => file.path),
    source.map((file) => file.path),
  );
  assert.deepEqual(whole.manifest.files!.map((file) => file.mediaType).slice(0, 2), [
    "application/dicom",
    "application/octet-stream",
  ]);
  assert.ok(whole.rebuiltPieces > 0);

  const paths = ["研究/series-0/IM3", "研究/series-1/IM1", "研究/series-2/IM5"];
  await retrieve(reference, objectId, key, stores, join(folder, "part"), { only: { paths } });
  assert.deepEqual(
    await contentBelow(join(folder, "part")),
    new Map(paths.map((path) => [path, content.get(path)!]).sort() as [string, Buffer][]),
  );
  await assert.rejects(
    retrieve(reference, objectId, key, stores, join(folder, "none"), { only: { paths: ["研究"] } }),
    fault("file_unknown"),
  );

  const streamed = new Map<string, Buffer>();
  for await (const file of retrieveFiles(reference, objectId, key, stores)) streamed.set(file.path, await gather(file));
  assert.deepEqual(streamed, content);
  await bringBack();
});

async function gather(file: RetrievedFile): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of file.content) parts.push(part);
  return Buffer.concat(parts);
}

test("ranges of one file come back exactly, and others are refused", async (t) => {
  const { stores } = await Consortium.open(t);
  const content = random.subarray(0, STRIPE + 5 * CHUNK);
  const source = [
    { path: "before", content: random.subarray(0, 99_999) },
    { path: "x", content },
  ];
  const { reference, objectId, key } = await ingest(source, { stores });
  const range = (start: number, end: number) => ({ only: { path: "x", start, end } });
  for (const [start, end] of [
    [0, 1],
    [CHUNK - 5, CHUNK + 5],
    [STRIPE - 99_999, STRIPE - 99_998],
    [STRIPE - 100_005, STRIPE],
    [5, content.length],
    [0, content.length],
  ] as const)
    for await (const file of retrieveFiles(reference, objectId, key, stores, range(start, end)))
      assert.equal(Buffer.compare(await gather(file), content.subarray(start, end)), 0, `${start}..${end}`);
  for (const [start, end] of [
    [0, 0],
    [-1, 5],
    [5, 4],
    [0, content.length + 1],
    [0.5, 2],
  ] as const)
    await assert.rejects(retrieveFiles(reference, objectId, key, stores, range(start, end)).next(), fault("range_invalid"));
});

test("a stream that is left early, or file by file, stops or goes on", async (t) => {
  const { stores, folder } = await Consortium.open(t);
  const { source, content } = await study(folder);
  const { reference, objectId, key } = await ingest(source, { stores });
  const read: string[] = [];
  for await (const file of retrieveFiles(reference, objectId, key, stores)) {
    read.push(file.path);
    if (file.sizeBytes === 7_777) {
      assert.deepEqual(await gather(file), content.get(file.path));
      break;
    }
    for await (const _ of file.content) break; // the rest is skipped
  }
  assert.deepEqual(
    read,
    source.slice(0, 7).map((file) => file.path),
  );
  const stream = retrieveFiles(reference, objectId, key, stores);
  await stream.next();
  await stream.return(undefined as never);
  for await (const file of retrieveFiles(reference, objectId, key, stores)) assert.ok(file.path.length > 0); // the worker is free again
});

test("what comes out is plain, and for its owner only", {
  skip: process.platform === "win32" && "win32: no modes",
}, async (t) => {
  const { stores, folder } = await Consortium.open(t);
  const { reference, objectId, key } = await ingest([{ path: "a/x", content: random.subarray(0, 10) }], { stores });
  const destination = join(folder, "mine");
  await retrieve(reference, objectId, key, stores, destination);
  const modes = await Promise.all(["", "a", "a/x"].map(async (name) => (await stat(join(destination, name))).mode & 0o777));
  assert.deepEqual(modes, [0o700, 0o700, 0o600]);
});
