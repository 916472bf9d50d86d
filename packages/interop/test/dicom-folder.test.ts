/** Studies from folders and back, byte for byte, all or nothing. */
import assert from "node:assert/strict";
import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { readDicomSeries } from "../src/dicom/read-series.ts";
import { instanceFileName, writeDicomFolder } from "../src/dicom/write-folder.ts";
import { makeFile } from "./dicom-files.ts";
import { EXAMPLES } from "./examples.ts";

const folder = await mkdtemp(join(tmpdir(), "xinglin-study-"));
after(() => rm(folder, { recursive: true }));
let made = 0;
const newFolder = (): string => join(folder, String(++made));

test("reads the bundled study: two series of two real slices", async () => {
  const study = await readDicomSeries(`${EXAMPLES}ct`);
  assert.deepEqual(
    study.series.map(({ modality, instances }) => [modality, instances.map((instance) => instance.instanceNumber)]),
    [
      ["CT", [1, 2]],
      ["CT", [3, 4]],
    ],
  );
  assert.equal(
    study.sizeBytes,
    study.instances.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  );
  assert.equal(new Set(study.instances.map(({ studyInstanceUid }) => studyInstanceUid)).size, 1);
});

test("puts the slices of a published series in order", async () => {
  const { instances, series } = await readDicomSeries(`${EXAMPLES}dicom/axial-series`);
  assert.equal(series.length, 1);
  assert.deepEqual(
    instances.map(({ instanceNumber }) => instanceNumber),
    [6, 7, 8, 9, 10],
  );
  const positions = instances.map(({ slicePosition }) => slicePosition ?? Number.NaN);
  assert.deepEqual(
    positions,
    [...positions].sort((a, b) => b - a),
  );
});

test("the order never depends on the order of the files", async () => {
  const files = [3, 1, 2, 2].map((instanceNumber, i) => makeFile({ instanceNumber, sopInstanceUid: `2.25.1${i}` }));
  const expected = (await readDicomSeries(files)).instances.map(({ sopInstanceUid }) => sopInstanceUid);
  assert.deepEqual(expected, ["2.25.11", "2.25.12", "2.25.13", "2.25.10"]);
  const reversed = await readDicomSeries([...files].reverse());
  assert.deepEqual(
    reversed.instances.map(({ sopInstanceUid }) => sopInstanceUid),
    expected,
  );
});

test("a study comes back byte-identical under names that viewers open, whole or in pieces", async () => {
  const study = await readDicomSeries(`${EXAMPLES}ct`);
  const out = newFolder();
  const sources = study.instances.map(({ source }) => source as string);
  const paths = await writeDicomFolder(out, [
    ...sources.slice(0, 2).map((path) => createReadStream(path)),
    ...(await Promise.all(sources.slice(2).map((path) => readFile(path)))),
  ]);
  assert.deepEqual(await readdir(out), ["IM000001.dcm", "IM000002.dcm", "IM000003.dcm", "IM000004.dcm"]);
  for (const [index, instance] of study.instances.entries())
    assert.deepEqual(await readFile(paths[index] as string), await readFile(instance.source as string));
  const again = await readDicomSeries(out);
  assert.deepEqual(
    again.instances.map(({ sopInstanceUid }) => sopInstanceUid),
    study.instances.map(({ sopInstanceUid }) => sopInstanceUid),
  );
});

const faults: readonly (readonly [string, string, () => Promise<unknown>])[] = [
  [
    "an empty folder",
    "dicom_no_instances",
    async () => readDicomSeries((await mkdir(newFolder(), { recursive: true })) as string),
  ],
  ["no files", "dicom_no_instances", () => readDicomSeries([])],
  [
    "two studies",
    "dicom_mixed_studies",
    () => readDicomSeries([makeFile(), makeFile({ sopInstanceUid: "2.25.8", studyInstanceUid: "2.25.7" })]),
  ],
  ["one instance twice", "dicom_duplicate_instance", () => readDicomSeries([makeFile(), makeFile({ instanceNumber: 2 })])],
  [
    "one file that is cut off",
    "dicom_truncated",
    () => readDicomSeries([makeFile(), makeFile({ sopInstanceUid: "2.25.8" }).subarray(0, 400)]),
  ],
];
for (const [name, code, run] of faults) test(`${code}: ${name}`, () => assert.rejects(run, { code }));

test("says which file of a folder is wrong by its place, not by its name", async () => {
  const wrong = newFolder();
  await mkdir(wrong);
  await writeFile(join(wrong, "a-right.dcm"), makeFile());
  await writeFile(join(wrong, "b-王小明.dcm"), makeFile({ sopInstanceUid: "2.25.8" }).subarray(0, 400));
  await writeFile(join(wrong, "README.txt"), "not an instance");
  await assert.rejects(readDicomSeries(wrong), (error: Error & { facts?: { position?: number } }) => {
    assert.equal(error.facts?.position, 2);
    return !error.message.includes("王");
  });
});

test("never writes over files that are there", async () => {
  const out = newFolder();
  await mkdir(out);
  await writeFile(join(out, instanceFileName(1)), "mine");
  await assert.rejects(writeDicomFolder(out, [makeFile(), makeFile()]), { code: "dicom_folder_not_empty" });
  assert.deepEqual(await readdir(out), ["IM000002.dcm"]);
  assert.equal(await readFile(join(out, instanceFileName(1)), "utf8"), "mine");
});

test("leaves nothing behind when the source fails", async () => {
  const out = newFolder();
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield makeFile();
    yield makeFile();
    throw new Error("source failed");
  }
  await assert.rejects(writeDicomFolder(out, failing()), /source failed/);
  await assert.rejects(readdir(out), { code: "ENOENT" });
});
