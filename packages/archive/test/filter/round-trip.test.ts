/** Files that are filtered on the way in come back byte for byte: whole, by range, by series and by instance. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { ingest } from "../../src/ingest.ts";
import { type RetrieveOptions, retrieve } from "../../src/retrieve.ts";
import { retrieveFiles } from "../../src/retrieve-files.ts";
import type { SourceFile } from "../../src/source.ts";
import { closeWorkers } from "../../src/work/pool.ts";
import { Consortium, contentBelow, fault } from "../support/consortium.ts";
import { anatomy, element, IMPLICIT, type MadeFile, part10 } from "../support/part10.ts";

after(closeWorkers);

const examples = fileURLToPath(new URL("../../../../examples", import.meta.url));

/** All files of `examples/`, and made ones of every shape. */
async function everything(): Promise<SourceFile[]> {
  const source: SourceFile[] = [];
  for (const entry of await readdir(examples, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const location = join(entry.parentPath, entry.name);
    source.push({ path: `examples/${location.slice(examples.length + 1)}`, location });
  }
  const noise = randomBytes(60_000);
  const made: Record<string, MadeFile> = {
    signed: { rows: 300, columns: 300, signed: true, pixels: anatomy(300, 300, 1, true) },
    implicit: { syntax: IMPLICIT, rows: 128, columns: 128, pixels: anatomy(128, 128, 2) },
    frames: { rows: 128, columns: 128, frames: 11, pixels: anatomy(128, 128 * 11, 3) },
    strips: { rows: 1200, columns: 1500, pixels: anatomy(1500, 1200, 4) },
    odd: { rows: 99, columns: 33, channels: 3, bits: 8, planar: 1, pixels: anatomy(33, 198, 5).subarray(0, 9801) },
    colour: { rows: 50, columns: 40, channels: 3, bits: 8, planar: 0, pixels: anatomy(40, 75, 6) },
    noise: { rows: 150, columns: 200, pixels: noise },
    tail: { rows: 64, columns: 64, pixels: anatomy(64, 64, 7), tail: element(0xfffc_fffc, "OB", Buffer.alloc(5000, "pad")) },
    wide: { rows: 3, columns: 65_535, pixels: anatomy(65_535, 3, 8) },
    twice: { rows: 64, columns: 64, pixels: Buffer.concat([anatomy(64, 64, 9), anatomy(64, 64, 10)]) },
    deep: { rows: 64, columns: 32, bits: 32, pixels: anatomy(64, 64, 11) },
  };
  for (const [name, file] of Object.entries(made)) source.push({ path: `made/${name}.dcm`, content: part10(file) });
  const record = { resourceType: "Observation", status: "final", code: { text: "血红蛋白" }, valueQuantity: { value: 132 } };
  source.push({ path: "bulk.ndjson", content: Buffer.from(`${JSON.stringify(record)}\n`.repeat(25_000)) });
  source.push({ path: "empty", content: new Uint8Array(0) }, { path: "noise", content: noise });
  return source;
}

const contentOf = async (file: SourceFile): Promise<Buffer> =>
  "content" in file ? Buffer.from(file.content) : await readFile(file.location);

test("every file comes back as it was, from any ten of fourteen stores, and takes less than it was", async (t) => {
  const consortium = await Consortium.open(t);
  const { stores, folder } = consortium;
  const source = await everything();
  const object = await ingest(source, { stores });
  const { reference, objectId, key } = object;
  assert.ok(object.streamBytes < object.sizeBytes / 3, `${object.streamBytes} of ${object.sizeBytes}`);
  await consortium.loseStores(stores.slice(2, 6));
  const { files, manifest } = await retrieve(reference, objectId, key, stores, join(folder, "out"));
  assert.deepEqual([files, manifest.fileCount, manifest.sizeBytes], [source.length, source.length, object.sizeBytes]);
  const found = await contentBelow(join(folder, "out"));
  for (const file of source) assert.equal(Buffer.compare(found.get(file.path)!, await contentOf(file)), 0, file.path);
});

test("any range of a filtered file comes back exactly, decoding no more than its units", async (t) => {
  const { stores } = await Consortium.open(t);
  const pixels = anatomy(512, 512 * 30, 3);
  const file = part10({ rows: 512, columns: 512, frames: 30, pixels, tail: element(0xfffc_fffc, "OB", randomBytes(300)) });
  const at = file.length - pixels.length - 312;
  const before = { path: "before", content: randomBytes(5000) };
  const { reference, objectId, key, ...object } = await ingest([before, { path: "x", content: file }], { stores });
  assert.ok(object.stripes >= 2, "the object has more than one stripe, so that reading less can be seen");
  const read = async (start: number, end: number): Promise<Buffer> => {
    const parts: Uint8Array[] = [];
    const only = { path: "x", start, end };
    for await (const found of retrieveFiles(reference, objectId, key, stores, { only }))
      for await (const part of found.content) parts.push(part);
    return Buffer.concat(parts);
  };
  const frame = 512 * 512 * 2;
  const ranges = [
    [0, 1],
    [0, at + 1],
    [at - 1, at + 1],
    [at + frame, at + 2 * frame], // the second frame
    [at + 3 * frame - 7, at + 5 * frame + 9],
    [at + pixels.length - 1, file.length],
    [file.length - 1, file.length],
    [0, file.length],
  ] as const;
  for (const [start, end] of ranges)
    assert.equal(Buffer.compare(await read(start, end), file.subarray(start, end)), 0, `${start}..${end}`);
});

test("a series and an instance are retrieved by their identifiers, from a study of few files or of thousands", async (t) => {
  const { stores, folder } = await Consortium.open(t);
  const slice = (series: number, instance: number): SourceFile => ({
    path: `S${series}/IM${instance}`,
    content: part10({
      rows: 4,
      columns: 4,
      pixels: anatomy(4, 4, instance),
      study: "1.2.840.1",
      series: `1.2.840.1.${series}`,
      instance: `1.2.840.1.${series}.${instance}`,
    }),
  });
  let run = 0;
  for (const instances of [5, 600]) {
    const source = [1, 2, 3].flatMap((series) => Array.from({ length: instances }, (_, i) => slice(series, i)));
    const { reference, objectId, key, manifestBytes } = await ingest(source, { stores });
    assert.ok(manifestBytes < 70_000, `the root stays small: ${manifestBytes}`);
    const paths = async (only: NonNullable<RetrieveOptions["only"]>): Promise<string[]> => {
      const destination = join(folder, `out-${run++}`);
      await retrieve(reference, objectId, key, stores, destination, { only });
      const found = await contentBelow(destination);
      for (const file of source)
        if (found.has(file.path)) assert.equal(Buffer.compare(found.get(file.path)!, await contentOf(file)), 0);
      return [...found.keys()].sort();
    };
    const second = source.filter(({ path }) => path.startsWith("S2/")).map(({ path }) => path);
    assert.deepEqual(await paths({ series: "1.2.840.1.2" }), second.sort());
    assert.deepEqual(await paths({ instance: "1.2.840.1.3.4" }), ["S3/IM4"]);
    assert.deepEqual(await paths({ paths: ["S1/IM2", "S3/IM0"] }), ["S1/IM2", "S3/IM0"]);
    await assert.rejects(paths({ series: "1.2.840.1" }), fault("file_unknown"));
    const whole = await retrieve(reference, objectId, key, stores, join(folder, `out-${run++}`));
    assert.equal(whole.files, source.length);
  }
});
