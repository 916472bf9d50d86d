/** Generated studies are as large as asked, the same for the same seed, valid, and varied. */
import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { readDicomSeries } from "../src/dicom/read-series.ts";
import { type GeneratedStudy, generateStudy, type StudyProgress } from "../src/generate-study.ts";
import { EXAMPLES } from "./examples.ts";

const folder = await mkdtemp(join(tmpdir(), "xinglin-generated-"));
after(() => rm(folder, { recursive: true }));
const from = [1, 2, 3, 4].map((n) => `${EXAMPLES}ct/IM00000${n}.dcm`);
const make = (
  name: string,
  sizeBytes: number,
  seed: number,
  onProgress?: (progress: StudyProgress) => void,
): Promise<GeneratedStudy> =>
  generateStudy({ from, outputFolder: join(folder, name), sizeBytes, seed, ...(onProgress && { onProgress }) });

test("makes a small study of small slices and a larger one of 512 × 512", async () => {
  for (const [sizeBytes, side] of [
    [300_000, 128],
    [9_000_000, 512],
  ] as const) {
    const told: StudyProgress[] = [];
    const made = await make(`size ${side}`, sizeBytes, 1, (progress) => told.push(progress));
    const study = await readDicomSeries(join(folder, `size ${side}`));
    assert.equal(study.sizeBytes, made.sizeBytes);
    assert.equal(study.studyInstanceUid, made.studyInstanceUid);
    const slice = study.instances[0]?.sizeBytes ?? 0;
    assert.ok(Math.abs(made.sizeBytes - sizeBytes) <= slice, `${made.sizeBytes} bytes`);
    assert.ok(study.instances.length > 5);
    for (const [index, instance] of study.instances.entries()) {
      assert.deepEqual(
        [instance.modality, instance.rows, instance.columns, instance.instanceNumber],
        ["CT", side, side, index + 1],
      );
      assert.match(instance.sopInstanceUid, /^2\.25\.\d+$/);
      assert.equal(instance.decodePatientTexts().name.text, "Wang^XiaoMing=王^小明");
      assert.equal(instance.decodePatientTexts().studyDescription, "CT平扫");
    }
    assert.equal(told.length, study.instances.length);
    assert.equal(told.at(-1)?.writtenBytes, made.sizeBytes);
    assert.ok(told.every(({ writtenBytes, totalBytes }) => writtenBytes <= totalBytes * 1.01));
  }
});

test("the same seed gives the same bytes, another seed other pixels and UIDs", async () => {
  const [a, b, c] = [await make("a", 200_000, 5), await make("b", 200_000, 5), await make("c", 200_000, 6)];
  for (const name of await readdir(join(folder, "a"))) {
    const bytes = await readFile(join(folder, "a", name));
    assert.deepEqual(await readFile(join(folder, "b", name)), bytes);
    assert.notDeepEqual((await readFile(join(folder, "c", name))).subarray(-4096), bytes.subarray(-4096));
  }
  assert.equal(a.studyInstanceUid, b.studyInstanceUid);
  assert.notEqual(a.studyInstanceUid, c.studyInstanceUid);
});

test("no block of pixels is repeated from slice to slice", async () => {
  const { paths } = await make("varied", 900_000, 3);
  const blocks = new Set<string>();
  let count = 0;
  for (const path of paths) {
    const pixels = (await readFile(path)).subarray(-128 * 128 * 2);
    for (let at = 0; at < pixels.length; at += 1024, count++) blocks.add(pixels.subarray(at, at + 1024).toString("latin1"));
  }
  assert.equal(blocks.size, count);
});

test("is refused without sources and with a compressed one, and leaves nothing", async () => {
  await assert.rejects(generateStudy({ from: [], outputFolder: join(folder, "none") }), { code: "dicom_no_instances" });
  const compressed = generateStudy({ from: [`${EXAMPLES}dicom/693_J2KI.dcm`], outputFolder: join(folder, "none") });
  await assert.rejects(compressed, { code: "dicom_source_unsupported" });
  await assert.rejects(readdir(join(folder, "none")), { code: "ENOENT" });
});
