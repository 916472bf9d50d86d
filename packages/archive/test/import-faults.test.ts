/** Imports that fail leave nothing behind, and say why without telling names. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { appendFile, mkdir, rename, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { Bug } from "@xinglin/primitives";
import { bytesPerStore, diskCheck } from "../src/disk-check.ts";
import { ObjectStream } from "../src/filter/object-stream.ts";
import { ingest } from "../src/ingest.ts";
import { DEFAULT_CODE } from "../src/layout.ts";
import { profileNamed } from "../src/profile/profile.ts";
import { retrieve } from "../src/retrieve.ts";
import { planSource, SourceReader } from "../src/source.ts";
import { openStores } from "../src/store/open.ts";
import { closeWorkers } from "../src/work/pool.ts";
import { Consortium, FOURTEEN, fault, temporaryFolder } from "./support/consortium.ts";
import { whyNoTmpfs } from "./support/tmpfs.ts";

after(closeWorkers);

const content = randomBytes(6_000_000);

test("an import without a byte is refused", async (t) => {
  const { stores } = await Consortium.open(t);
  await assert.rejects(ingest([], { stores }), fault("source_empty"));
  await assert.rejects(ingest([{ path: "x", content: new Uint8Array(0) }], { stores }), fault("source_empty"));
});

test("a source that is not there, or no file, is named by its place and not by its name", async (t) => {
  const consortium = await Consortium.open(t);
  const { stores, folder } = consortium;
  const here = { path: "a", content };
  const told: string[] = [];
  const refused = async (location: string, errno: string): Promise<void> => {
    await assert.rejects(ingest([here, { path: "b", location }], { stores }), (error: Error) => {
      told.push(`${error.stack} ${JSON.stringify(error)} ${(error.cause as Error | undefined)?.message}`);
      return fault("source_unreadable", { file: 1, errno })(error);
    });
  };
  await refused(join(folder, "ZHANG^SAN"), "ENOENT");
  await mkdir(join(folder, "LI^SI"));
  await refused(join(folder, "LI^SI"), "not_a_file");
  assert.doesNotMatch(told.join(), /ZHANG|LI\^SI/);
  assert.deepEqual(await consortium.files(), []);
});

for (const path of ["../x", "/x", "a\\b", "C:/x", "a\0"])
  test(`a file to be named ${JSON.stringify(path)} is refused`, async () => {
    await assert.rejects(
      ingest(
        [
          { path: "ok", content },
          { path, content },
        ],
        { stores: [] },
      ),
      fault("path_refused", { file: 1 }),
    );
  });

test("too few stores, and stores that are not there, are named", async (t) => {
  const consortium = await Consortium.open(t);
  const { stores } = consortium;
  const source = [{ path: "x", content }];
  await assert.rejects(ingest(source, { stores: stores.slice(1) }), fault("stores_too_few", { needed: 14, stores: 13 }));
  await consortium.loseStores(stores.slice(4, 5));
  await assert.rejects(ingest(source, { stores }), fault("store_absent", { store: "b-4" }));
  assert.deepEqual((await Promise.all(stores.map((store) => store.isPresent()))).filter((present) => !present).length, 1);
});

test("a source that changes while it is read stops the import, however it changes", async (t) => {
  const consortium = await Consortium.open(t);
  const { stores, folder } = consortium;
  const first = join(folder, "first");
  const second = join(folder, "second");
  const changes: Record<string, () => Promise<void>> = {
    grows: () => appendFile(second, "x"),
    shrinks: () => writeFile(second, "x"),
    "is written again": () => utimes(second, 1, 1),
    vanishes: () => rm(second),
    "is replaced": async () => {
      await writeFile(`${second}.new`, content.subarray(0, 1000));
      await rename(`${second}.new`, second);
    },
  };
  let stopped = 0;
  for (const [what, change] of Object.entries(changes)) {
    await writeFile(first, content);
    await writeFile(second, content.subarray(0, 1000));
    const files = await planSource([
      { path: "a", location: first },
      { path: "b", location: second },
    ]);
    await change();
    const reader = new SourceReader(profileNamed(), files, { readMs: 0, fileHashMs: 0 });
    const stream = new ObjectStream(reader, { filterMs: 0 });
    assert.throws(() => stream.read(new Uint8Array(7_000_000)), fault("source_changed", { file: 1 }), what);
    reader.close();
    stopped++;
  }
  assert.equal(stopped, 5);

  // Through the whole import: the first stripe is done when the file that is read last goes away.
  await writeFile(second, content.subarray(0, 1000));
  const progress: Promise<void>[] = [];
  const source = [...Array.from({ length: 20 }, (_, i) => ({ path: `a${i}`, content })), { path: "b", location: second }];
  const onProgress = (): void => void progress.push(rm(second, { force: true }));
  await assert.rejects(ingest(source, { stores, onProgress }), fault("source_changed", { file: 20 }));
  await Promise.all(progress);
  assert.deepEqual(await consortium.files(), []);
});

test("an import that is stopped leaves nothing, at once or half-way", async (t) => {
  const consortium = await Consortium.open(t);
  const { stores } = consortium;
  const source = Array.from({ length: 20 }, (_, i) => ({ path: `a${i}`, content }));
  await assert.rejects(ingest(source, { stores, signal: AbortSignal.abort() }), fault("aborted"));
  const stop = new AbortController();
  const ticks: number[] = [];
  const onProgress = (done: number): void => {
    ticks.push(done);
    if (ticks.length === 2) stop.abort();
  };
  await assert.rejects(ingest(source, { stores, signal: stop.signal, onProgress }), fault("aborted"));
  assert.ok(ticks.length >= 2 && ticks.at(-1)! < 20 * content.length);
  assert.deepEqual(await consortium.files(), []);
});

test("a disk that is too small is named before anything is written, with what it needs and has", async (t) => {
  const needed = bytesPerStore(content.length, DEFAULT_CODE, 1);
  const roomy = await Consortium.open(t, FOURTEEN, needed);
  await ingest([{ path: "x", content }], { stores: roomy.stores });
  await assert.rejects(ingest([{ path: "x", content }], { stores: roomy.stores }), fault("disk_full"));

  const tight = await Consortium.open(t, FOURTEEN, needed - 1);
  await assert.rejects(
    diskCheck(tight.stores, content.length),
    fault("disk_full", { store: "a-0", neededBytes: needed, freeBytes: needed - 1 }),
  );
  await assert.rejects(ingest([{ path: "x", content }], { stores: tight.stores }), fault("disk_full"));
  assert.deepEqual(await tight.files(), []);
});

test("an id that is taken is a bug of the caller, and the older object stays", async (t) => {
  const { stores, folder } = await Consortium.open(t);
  const { reference, objectId, key } = await ingest([{ path: "x", content }], { stores });
  await assert.rejects(ingest([{ path: "x", content }], { stores, objectId }), Bug);
  await retrieve(reference, objectId, key, stores, join(folder, "out"));

  // The same id twice at once: one is whole, the other leaves nothing.
  const twice = new Uint8Array(randomBytes(16));
  const both = await Promise.allSettled([0, 1].map(() => ingest([{ path: "x", content }], { stores, objectId: twice })));
  assert.deepEqual(both.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
  const whole = both.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []))[0]!;
  await retrieve(whole.reference, twice, whole.key, stores, join(folder, "out-2"));
});

test("stores on one disk share its room", async (t) => {
  const { stores } = await Consortium.open(t);
  const { diskFreeBytes } = await stores[0]!.room();
  await diskCheck(stores.slice(0, 1), diskFreeBytes); // a tenth of it on one store
  await assert.rejects(diskCheck(stores, diskFreeBytes), fault("disk_full"));
});

test("a disk that fills up while it is written leaves nothing on any store", { skip: whyNoTmpfs() }, async (t) => {
  const consortium = await Consortium.open(t);
  let mounted: string | undefined;
  t.after(() => mounted && execFileSync("umount", [mounted])); // before the folder is removed
  const folder = await temporaryFolder(t);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=8m", "tmpfs", folder]);
  mounted = folder;
  const small = { kind: "directory" as const, id: "small", member: "z", path: folder };
  const stores = [...consortium.stores.slice(1), ...(await openStores([small], { create: true }))];
  const source = Array.from({ length: 15 }, (_, i) => ({ path: `a${i}`, content })); // 9 MB a store
  await assert.rejects(ingest(source, { stores }), fault("disk_full", { store: "small" }));
  assert.deepEqual(await consortium.files(), []);

  // The check passes, then someone else takes the room: the write itself fails.
  let taken: Promise<void> | undefined;
  const onProgress = (): void => {
    taken ??= writeFile(join(folder, "hog"), randomBytes(8_000_000)).catch(() => undefined); // it takes what there is
  };
  await assert.rejects(ingest(source.slice(0, 10), { stores, onProgress }), fault("disk_full", { store: "small" }));
  await taken;
  assert.deepEqual(await consortium.files(), []);
  await rm(join(folder, "hog"));
  const { reference, objectId, key } = await ingest(source.slice(0, 10), { stores });
  await retrieve(reference, objectId, key, stores, join(consortium.folder, "out"));
});
