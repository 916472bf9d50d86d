/** What a search may know: of the example files exactly the coded values, and nothing of the patient, whatever a file writes where. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Description, description, type FhirDescription } from "@xinglin/contracts";
import { concat } from "@xinglin/primitives";
import fc from "fast-check";
import { describeResources } from "../src/describe/describe-resources.ts";
import { describeStudy } from "../src/describe/describe-study.ts";
import { parseSearchCode, publicCode } from "../src/describe/public-code.ts";
import { readDicomFile } from "../src/dicom/read-file.ts";
import { type DicomElement, elementHeader, encodeElements, fileMeta } from "../src/dicom/write-elements.ts";
import { bytesOf, EXAMPLES, example, exampleNames } from "./examples.ts";

const studyOf = async (...paths: string[]): Promise<Description> =>
  describeStudy(await Promise.all(paths.map((path) => readDicomFile(`${EXAMPLES}${path}`))));

test("the example CT is described by its codes, a published one by what it says", async () => {
  const ct = exampleNames("ct").map((name) => `ct/${name}`);
  assert.deepEqual(await studyOf(...ct), {
    format: "dicom",
    modalities: ["CT"],
    bodyParts: ["HEAD", "TSPINE"],
    manufacturers: [],
    month: 202_602,
    seriesClass: 2,
    instanceClass: 3,
    sliceMicrometres: 1_000,
    contrast: false,
  });
  const withAgent = await studyOf("dicom/CT_small.dcm");
  assert.deepEqual(withAgent.format === "dicom" && [withAgent.manufacturers, withAgent.contrast, withAgent.month], [
    ["GE"],
    true,
    200_401,
  ]);
  const magnetic = await studyOf("dicom/MR_small_bigendian.dcm");
  assert.deepEqual(magnetic.format === "dicom" && [magnetic.manufacturers, magnetic.sliceMicrometres], [["TOSHIBA"], 800]);
});

test("whatever stands in an element that is described, only a value of the lists leaves it", async () => {
  const hostile = fc.oneof(
    fc.string({ unit: "binary-ascii", maxLength: 60 }),
    fc.constantFrom("CT", "CHEST", "GE", "1.25", "20250304"),
  );
  let told = 0;
  await fc.assert(
    fc.asyncProperty(fc.tuple(hostile, hostile, hostile, hostile, hostile, hostile), async (values) => {
      const [modality, part, maker, slice, date, agent] = values.map((value) => value.replaceAll("\\", "/")) as [
        string,
        string,
        string,
        string,
        string,
        string,
      ];
      const elements: DicomElement[] = [
        [0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.7"],
        [0x00080018, "UI", "2.25.1"],
        [0x00080020, "DA", date],
        [0x00080060, "CS", modality],
        [0x00080070, "LO", maker],
        [0x00180010, "LO", agent],
        [0x00180015, "CS", part],
        [0x00180050, "DS", slice],
        [0x0020000d, "UI", "2.25.2"],
        [0x0020000e, "UI", "2.25.3"],
        [0x00280002, "US", 1],
        [0x00280010, "US", 1],
        [0x00280011, "US", 2],
        [0x00280100, "US", 8],
      ];
      const pixels = concat(elementHeader(0x7fe00010, "OW", 2), new Uint8Array(2));
      const file = concat(fileMeta("1.2.840.10008.5.1.4.1.1.7", "2.25.1"), encodeElements(elements), pixels);
      const described = describeStudy([await readDicomFile(file)]);
      assert.deepEqual(description.parse(described), described); // the schema has the lists
      if (described.format === "dicom" && described.bodyParts.length > 0) told++;
    }),
    { numRuns: 300 },
  );
  assert.ok(told > 5, "the values of the lists were never among them");
});

const fhir = (json: Uint8Array): FhirDescription => {
  const described = describeResources(json);
  assert.deepEqual(description.parse(described), described);
  return described as FhirDescription;
};

test("the example Bundle: codes of public systems with type, status and months, and nobody's name or number", () => {
  const { entries } = fhir(example("fhir/record.json"));
  const of = (code: string) => entries.filter((entry) => entry.code?.code === code);
  assert.ok(entries.some(({ type, code }) => type === "Patient" && code === undefined));
  assert.ok(entries.some(({ type, code }) => type === "Observation" && code?.system === "LOINC"));
  for (const entry of entries) assert.ok(entry.firstMonth === undefined || entry.firstMonth <= (entry.lastMonth as number));
  assert.deepEqual(of("no such code"), []);
  const text = JSON.stringify(entries);
  const record = JSON.parse(Buffer.from(example("fhir/record.json")).toString("utf8")) as { entry: { resource: unknown }[] };
  let compared = 0;
  const walk = (value: unknown, name = ""): void => {
    if (Array.isArray(value)) for (const item of value) walk(item, name);
    else if (typeof value === "object" && value !== null) for (const [key, inner] of Object.entries(value)) walk(inner, key);
    else if (/^(family|given|text|value|reference|id|div|valueString|line|birthDate|display|fullUrl)$/.test(name)) {
      if (typeof value !== "string" || value.length < 4) return;
      compared++;
      assert.ok(!text.includes(value), name);
    }
  };
  walk(record);
  assert.ok(compared > 50, "the example has names and numbers to look for");
});

test("every published example has a description within its bounds, and what is no FHIR has an empty one", () => {
  let entries = 0;
  for (const name of exampleNames("fhir/published")) entries += fhir(example(`fhir/published/${name}`)).entries.length;
  assert.ok(entries > 50);
  for (const wrong of [
    "",
    "[]",
    "7",
    "{",
    '{"resourceType":"Secret Person"}',
    '{"resourceType":"Bundle","entry":[null,{"resource":3}]}',
  ])
    assert.deepEqual(fhir(bytesOf(wrong)).entries, []);
});

test("a value is no code, a repeated one is one entry over its months, and the entries are bounded", () => {
  const glucose = { coding: [{ system: "http://loinc.org", code: "2345-7", display: "Wang Xiaoming" }] };
  const observation = (month: string, more: object = {}) => ({
    resource: { resourceType: "Observation", status: "final", code: glucose, effectiveDateTime: `${month}-07`, ...more },
  });
  const hidden = { valueCodeableConcept: { coding: [{ system: "http://loinc.org", code: "718-7" }] } };
  const bundle = {
    resourceType: "Bundle",
    entry: [observation("2025-03", hidden), observation("2024-11"), observation("2025-01")],
  };
  assert.deepEqual(fhir(bytesOf(bundle)).entries, [
    { type: "Observation", status: "final", code: { system: "LOINC", code: "2345-7" }, firstMonth: 202_411, lastMonth: 202_503 },
  ]);
  const coding = Array.from({ length: 1_000 }, (_, i) => ({
    system: "http://hl7.org/fhir/sid/icd-10",
    code: `A${10 + (i % 90)}.${i}`,
  }));
  assert.equal(fhir(bytesOf({ resourceType: "Condition", code: { coding } })).entries.length, 256);
});

test("codes are those of their systems: check digits are checked, and numbers of people are none", () => {
  for (const [told, code] of [
    ["LOINC|2345-7", { system: "LOINC", code: "2345-7" }],
    ["http://loinc.org|718-7", { system: "LOINC", code: "718-7" }],
    ["snomed|73211009", { system: "SNOMED", code: "73211009" }],
    ["ICD-10|E11.9", { system: "ICD-10", code: "E11.9" }],
    ["icd-10|I10.x05", { system: "ICD-10", code: "I10.x05" }],
    ["ATC|A10BA02", { system: "ATC", code: "A10BA02" }],
  ] as const)
    assert.deepEqual(parseSearchCode(told), code);
  for (const told of [
    "LOINC|2345-6",
    "SNOMED|73211008",
    "LOINC|13800138000",
    "2345-7",
    "|",
    "LOINC|",
    "EMPI|123",
    "ICD-10|王小明",
  ])
    assert.equal(parseSearchCode(told), undefined, told);
  // A resident identity card and a telephone number where a code should stand.
  for (const number of ["11010519491231002X", "110105194912310021", "13800138000"])
    for (const system of [
      "http://snomed.info/sct",
      "http://loinc.org",
      "http://hl7.org/fhir/sid/icd-10",
      "http://www.whocc.no/atc",
    ])
      assert.equal(publicCode(system, number), undefined);
});
