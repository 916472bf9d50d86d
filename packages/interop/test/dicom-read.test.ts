/** Part 10 files: what is read from published ones, and a row for each way to be wrong. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { deflateRawSync } from "node:zlib";
import { concat, Fault } from "@xinglin/primitives";
import fc from "fast-check";
import { readDicomFile } from "../src/dicom/read-file.ts";
import { elementHeader, fileMeta } from "../src/dicom/write-elements.ts";
import { CT, END_OF_ITEMS, item, makeFile, withSyntax } from "./dicom-files.ts";
import { EXAMPLES, example, exampleNames } from "./examples.ts";

const folder = await mkdtemp(join(tmpdir(), "xinglin-dicom-"));
after(() => rm(folder, { recursive: true }));

const published: Readonly<
  Record<string, readonly [modality: string, rows: number, columns: number, frames: number, syntax: string]>
> = {
  "CT_small.dcm": ["CT", 128, 128, 1, "1.2.840.10008.1.2.1"],
  "MR_small.dcm": ["MR", 64, 64, 1, "1.2.840.10008.1.2.1"],
  "MR_small_implicit.dcm": ["MR", 64, 64, 1, "1.2.840.10008.1.2"],
  "MR_small_bigendian.dcm": ["MR", 64, 64, 1, "1.2.840.10008.1.2.2"],
  "MR_small_RLE.dcm": ["MR", 64, 64, 1, "1.2.840.10008.1.2.5"],
  "MR_small_jp2klossless.dcm": ["MR", 64, 64, 1, "1.2.840.10008.1.2.4.90"],
  "693_J2KI.dcm": ["CT", 512, 512, 1, "1.2.840.10008.1.2.4.91"],
  "image_dfl.dcm": ["OT", 512, 512, 1, "1.2.840.10008.1.2.1.99"],
  "reportsi.dcm": ["SR", 0, 0, 0, "1.2.840.10008.1.2.1"],
};
for (const [name, expected] of Object.entries(published))
  test(`reads ${name} from its path and from its bytes`, async () => {
    const bytes = example(`dicom/${name}`);
    for (const source of [`${EXAMPLES}dicom/${name}`, bytes]) {
      const { modality, rows, columns, frames, transferSyntax, sizeBytes } = await readDicomFile(source);
      assert.deepEqual([modality, rows, columns, frames, transferSyntax], expected);
      assert.equal(sizeBytes, bytes.length);
    }
  });

const END = makeFile().length;
const PIXEL_HEADER = END - 32 - 12;
const encapsulated = (...items: Uint8Array[]): Uint8Array =>
  concat(
    withSyntax(makeFile(), "1.2.840.10008.1.2.5").subarray(0, withSyntax(makeFile(), "1.2.840.10008.1.2.5").length - 32 - 12),
    elementHeader(0x7fe00010, "OB", 0xffffffff),
    ...items,
  );
const patched = (at: number, ...bytes: number[]): Uint8Array => {
  const file = makeFile();
  file.set(bytes, at);
  return file;
};
const deflated = (data: Uint8Array): Uint8Array => withSyntax(concat(fileMeta(CT, "2.25.1"), data), "1.2.840.10008.1.2.1.99");

const faults: readonly (readonly [string, string, Uint8Array, Fault["facts"]?])[] = [
  ["nothing", "dicom_not_part10", new Uint8Array()],
  ["text", "dicom_not_part10", new TextEncoder().encode("x".repeat(500))],
  ["a file without preamble", "dicom_not_part10", makeFile().subarray(132)],
  ["a file that ends in its meta header", "dicom_truncated", makeFile().subarray(0, 200), { part: "meta", sizeBytes: 200 }],
  ["a file that ends in the group length", "dicom_truncated", makeFile().subarray(0, 140), { part: "meta", sizeBytes: 140 }],
  ["no group length", "dicom_malformed", patched(134, 2, 0), { part: "meta_length" }],
  ["a group length that is too short", "dicom_malformed", patched(140, 20), { part: "meta_length" }],
  ["a group length that is too long", "dicom_malformed", patched(140, (makeFile()[140] ?? 0) + 30), { part: "meta_length" }],
  ["an unknown transfer syntax", "dicom_transfer_syntax_unknown", withSyntax(makeFile(), "1.2.3"), { transferSyntax: "1.2.3" }],
  [
    "a transfer syntax that is no UID",
    "dicom_transfer_syntax_unknown",
    withSyntax(makeFile(), "Secret"),
    { transferSyntax: "malformed" },
  ],
  ["no transfer syntax", "dicom_malformed", withSyntax(makeFile(), ""), { part: "transfer_syntax" }],
  ["no study", "dicom_element_missing", makeFile({ without: [0x0020000d] }), { element: "(0020,000D)" }],
  ["no SOP class", "dicom_element_missing", makeFile({ without: [0x00080016] }), { element: "(0008,0016)" }],
  ["a study that is no UID", "dicom_uid_malformed", makeFile({ studyInstanceUid: "Secret^Name" }), { element: "(0020,000D)" }],
  [
    "a UID of 65 characters",
    "dicom_uid_malformed",
    makeFile({ studyInstanceUid: `1.${"2".repeat(63)}` }),
    { element: "(0020,000D)" },
  ],
  ["two names for one instance", "dicom_uid_mismatch", withSyntax(makeFile({ sopInstanceUid: "2.25.9" }), "1.2.840.10008.1.2.1")],
  [
    "an image without its pixels",
    "dicom_truncated",
    makeFile().subarray(0, PIXEL_HEADER),
    { part: "pixel_data_missing", sizeBytes: PIXEL_HEADER },
  ],
  [
    "fewer pixels than announced",
    "dicom_truncated",
    makeFile().subarray(0, END - 1),
    { part: "pixel_data", declaredBytes: 32, presentBytes: 31 },
  ],
  [
    "fewer pixels than rows and columns need",
    "dicom_pixels_short",
    makeFile({ pixelBytes: 30 }),
    { expectedBytes: 32, declaredBytes: 30 },
  ],
  [
    "something after the pixels that is no element",
    "dicom_malformed",
    concat(makeFile(), new TextEncoder().encode("Secret^Name, more")),
    { part: "after_pixel_data" },
  ],
  [
    "an element after the pixels that is cut off",
    "dicom_truncated",
    concat(makeFile(), elementHeader(0xfffcfffc, "OB", 8), new Uint8Array(4)),
  ],
  [
    "plain pixels under a compressed syntax",
    "dicom_malformed",
    withSyntax(makeFile(), "1.2.840.10008.1.2.5"),
    { part: "pixel_encoding" },
  ],
  [
    "fragments that do not end",
    "dicom_truncated",
    encapsulated(item(new Uint8Array()), item(new Uint8Array(8))),
    { part: "fragment", fragment: 2, presentBytes: 24 },
  ],
  [
    "a fragment that is cut off",
    "dicom_truncated",
    encapsulated(item(new Uint8Array()), item(new Uint8Array(8)).subarray(0, 12)),
  ],
  [
    "no frame among the fragments",
    "dicom_pixels_short",
    encapsulated(item(new Uint8Array()), END_OF_ITEMS),
    { frames: 1, fragments: 0 },
  ],
  [
    "something among the fragments that is none",
    "dicom_malformed",
    encapsulated(item(new Uint8Array()), new Uint8Array(16).fill(1)),
    { part: "fragment", fragment: 1 },
  ],
  [
    "a deflated data set that is cut off",
    "dicom_truncated",
    deflated(deflateRawSync(new Uint8Array(5000).fill(1)).subarray(0, 5)),
    { part: "deflated", sizeBytes: 227 },
  ],
  [
    "a deflated data set that unpacks without end",
    "dicom_too_large",
    deflated(deflateRawSync(new Uint8Array(256 * 1024 * 1024 + 1))),
  ],
];
for (const [name, code, bytes, facts] of faults)
  test(`${code}: ${name}`, async () => {
    const path = join(folder, "wrong.dcm");
    await writeFile(path, bytes);
    for (const source of [bytes, path])
      await assert.rejects(readDicomFile(source), (error) => {
        assert.ok(error instanceof Fault, String(error));
        assert.equal(error.code, code, error.message);
        if (facts !== undefined) assert.deepEqual(error.facts, facts);
        assert.ok(!error.message.includes("Secret"));
        return true;
      });
  });

test("reads the right file, encapsulated and with zeros after the pixels", async () => {
  assert.equal((await readDicomFile(makeFile())).sopClassUid, CT);
  assert.equal((await readDicomFile(encapsulated(item(new Uint8Array()), item(new Uint8Array(8)), END_OF_ITEMS))).frames, 1);
  assert.equal((await readDicomFile(concat(makeFile(), new Uint8Array(20)))).rows, 4);
  assert.equal((await readDicomFile(concat(makeFile(), elementHeader(0xfffcfffc, "OB", 4), new Uint8Array(4)))).rows, 4);
});

const publishedWrong: Readonly<Record<string, string>> = {
  "MR_truncated.dcm": "dicom_truncated",
  "meta_missing_tsyntax.dcm": "dicom_malformed",
  "no_meta_group_length.dcm": "dicom_malformed",
  "rtplan.dcm": "dicom_uid_mismatch",
};
for (const [name, code] of Object.entries(publishedWrong))
  test(`refuses the published ${name} with ${code}`, () => assert.rejects(readDicomFile(`${EXAMPLES}dicom/${name}`), { code }));

test("every published file has its row", () => {
  const names = exampleNames("dicom").filter((name) => name.endsWith(".dcm"));
  assert.deepEqual(names, [...Object.keys(published), ...Object.keys(publishedWrong)].sort());
});

/** Where the pixel data, or the deflated stream, of each file ends: a file cut after it is whole as far as anyone can tell. */
const cuttable: readonly (readonly [string, number])[] = [
  ["CT_small.dcm", 39_206 - 138],
  ["MR_small.dcm", 9_692],
  ["MR_small_implicit.dcm", 9_702],
  ["MR_small_bigendian.dcm", 9_708],
  ["MR_small_RLE.dcm", 7_652],
  ["MR_small_jp2klossless.dcm", 5_870],
  ["image_dfl.dcm", 4_629],
];
for (const [name, pixelsEnd] of cuttable)
  test(`${name} cut at any length is refused with a code`, async () => {
    const whole = example(`dicom/${name}`);
    const codes = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(fc.nat(Math.min(pixelsEnd, whole.length) - 1), async (length) => {
        await assert.rejects(readDicomFile(whole.subarray(0, length)), (error) => {
          assert.ok(error instanceof Fault, `${length}: ${error}`);
          codes.set(error.code, (codes.get(error.code) ?? 0) + 1);
          return true;
        });
      }),
      { numRuns: 300 },
    );
    assert.ok((codes.get("dicom_truncated") ?? 0) > 100, JSON.stringify([...codes]));
  });

test("a file that ends anywhere in its first 512 bytes is refused with a code", async () => {
  const whole = example("dicom/MR_small.dcm");
  for (let length = 0; length < 512; length++)
    await assert.rejects(readDicomFile(whole.subarray(0, length)), (error) => error instanceof Fault, `cut at ${length}`);
});

test("damaged bytes are read or refused with a code, and a message never holds the name", async () => {
  const whole = example("ct/IM000003.dcm").subarray(0, 40_000);
  let read = 0;
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.nat(1_180), fc.nat(255)), { minLength: 1, maxLength: 4 }), async (edits) => {
      const bytes = Uint8Array.from(whole);
      for (const [at, byte] of edits) bytes[at] = byte;
      try {
        (await readDicomFile(bytes)).decodePatientTexts();
        read++;
      } catch (error) {
        refused++;
        assert.ok(error instanceof Fault, String((error as Error).stack));
        assert.ok(!/Wang|XiaoMing|SYNTHETIC/.test(error.message));
      }
    }),
    { numRuns: 2_000 },
  );
  assert.ok(read > 100 && refused > 100, `${read} read, ${refused} refused`);
});
