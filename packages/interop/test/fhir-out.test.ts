/** What leaves is what came in: whole, by class, or amended in the values that changed and no other. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Fault } from "@xinglin/primitives";
import fc from "fast-check";
import { classKey } from "../src/classes.ts";
import { type AllergyAmendment, amendAllergy } from "../src/fhir/amend-allergy.ts";
import { exportBundle, exportSearchset, resourceBytes, splitByClass } from "../src/fhir/export-bundle.ts";
import { type AcceptedBundle, closeValidator, validateBundle } from "../src/fhir/validate.ts";
import { bytesOf, example } from "./examples.ts";

after(closeValidator);

async function accepted(bytes: Uint8Array): Promise<AcceptedBundle> {
  const result = await validateBundle(bytes);
  assert.ok(result.ok, result.ok ? "" : JSON.stringify(result.refusal.issues));
  return result.value;
}
const record = await accepted(example("fhir/record.json"));
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const parse = (bytes: Uint8Array): { entry?: { fullUrl: string; resource: Record<string, unknown> }[]; total?: number } =>
  JSON.parse(text(bytes)) as never;

test("a Bundle goes out with the bytes it came in with", () => {
  assert.deepEqual(exportBundle(record), example("fhir/record.json"));
});

test("splitting by class gives valid Bundles with each resource's bytes in exactly one", async () => {
  const groups = splitByClass(record);
  const keys = groups.map((group) => classKey(group.recordClass));
  assert.equal(new Set(keys).size, keys.length);
  assert.deepEqual(
    groups.flatMap((group) => group.entries).sort((a, b) => a - b),
    record.entries.map((entry) => entry.index),
  );
  for (const group of groups) {
    const part = await accepted(group.bytes);
    assert.equal(part.entries.length, group.entries.length);
    for (const [position, index] of group.entries.entries()) {
      const original = record.entries[index];
      const copy = part.entries[position];
      assert.ok(original && copy);
      assert.deepEqual(resourceBytes(part, copy), resourceBytes(record, original));
      assert.deepEqual([copy.fullUrl, copy.recordClass], [original.fullUrl, group.recordClass]);
    }
  }
  const laboratory = groups.find((group) => group.recordClass.category === "laboratory");
  assert.ok(laboratory);
  const types = parse(laboratory.bytes).entry?.map(({ resource }) => resource.resourceType);
  assert.deepEqual(types, ["Observation", "Observation", "Observation", "Observation", "Observation", "DiagnosticReport"]);
  assert.ok(!text(laboratory.bytes).includes('"Patient","id"'));
  assert.deepEqual(splitByClass(record), groups);
});

test("a searchset holds what is admitted, in order, and counts it", async () => {
  const admit = (entry: { resourceType?: string }): boolean => entry.resourceType === "Observation";
  const found = exportSearchset(record, admit);
  assert.equal(parse(found).total, 6);
  assert.equal((await accepted(found)).entries.length, 6);
  assert.deepEqual(exportSearchset(record, admit), found);
  const none = exportSearchset(record, () => false);
  assert.equal(text(none), '{"resourceType":"Bundle","type":"searchset","total":0}');
  await accepted(none);
});

test("decimals keep their zeros and entries without identity get one that is stable", async () => {
  const weight = '{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":1.500e+2}}';
  const request = '"request":{"method":"POST","url":"Observation"}';
  const bundle = await accepted(
    bytesOf(`{"resourceType":"Bundle","type":"transaction","entry":[{"resource":${weight},${request}},{${request}}]}`),
  );
  const [group, ...more] = splitByClass(bundle);
  assert.ok(group && more.length === 0);
  assert.ok(text(group.bytes).includes(weight));
  await accepted(group.bytes);
  const requestOnly = bundle.entries[1];
  assert.ok(requestOnly);
  assert.throws(() => resourceBytes(bundle, requestOnly), { code: "fhir_entry_without_resource" });
});

const allergyAt = record.entries.findIndex((entry) => entry.resourceType === "AllergyIntolerance");
const lastUpdated = "2026-02-03T03:00:00+08:00";

test("an amended allergy has the new criticality and version, and nothing else changes", async () => {
  const { bundle, versionId } = await amendAllergy(record, { entry: allergyAt, criticality: "low", lastUpdated });
  assert.equal(versionId, "2");
  const before = parse(record.bytes);
  const now = parse(bundle.bytes);
  const allergy = now.entry?.[allergyAt]?.resource;
  const { text: narrative, ...rest } = before.entry?.[allergyAt]?.resource ?? {};
  assert.ok(narrative, "the published allergy has a narrative");
  assert.deepEqual(allergy, { ...rest, criticality: "low", meta: { ...(rest.meta as object), versionId: "2", lastUpdated } });
  for (const [index, entry] of bundle.entries.entries()) {
    const original = record.entries[index];
    assert.ok(original);
    if (index !== allergyAt) assert.deepEqual(resourceBytes(bundle, entry), resourceBytes(record, original));
  }
  const again = await amendAllergy(bundle, {
    entry: allergyAt,
    code: { system: "http://snomed.info/sct", code: "227493005", display: "Cashew nuts" },
    lastUpdated,
  });
  assert.equal(again.versionId, "3");
  const code = parse(again.bundle.bytes).entry?.[allergyAt]?.resource.code;
  assert.deepEqual(code, { coding: [{ system: "http://snomed.info/sct", code: "227493005", display: "Cashew nuts" }] });
});

test("amends whatever the order, spacing and presence of the members are", async () => {
  const members: readonly (readonly [string, unknown])[] = [
    ["resourceType", "AllergyIntolerance"],
    ["id", "a"],
    ["text", { status: "generated", div: '<div xmlns="http://www.w3.org/1999/xhtml">old</div>' }],
    ["meta", { versionId: "41", tag: [{ code: "x" }] }],
    ["criticality", "high"],
    ["patient", { reference: "Patient/p" }],
    ["code", { text: "x" }],
    [
      "clinicalStatus",
      { coding: [{ system: "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", code: "active" }] },
    ],
  ];
  const needed = new Set(["resourceType", "patient", "clinicalStatus"]);
  const anyOrder = fc.tuple(
    fc.shuffledSubarray([...members], { minLength: members.length }),
    fc.subarray(members.map(([name]) => name)),
  );
  let amended = 0;
  let without = 0;
  await fc.assert(
    fc.asyncProperty(anyOrder, fc.constantFrom(undefined, 2), async ([ordered, kept], indent) => {
      const resource = Object.fromEntries(ordered.filter(([name]) => needed.has(name) || kept.includes(name)));
      const bytes = bytesOf(
        JSON.stringify(
          { resourceType: "Bundle", type: "collection", entry: [{ fullUrl: "http://a.example/x", resource }] },
          null,
          indent,
        ),
      );
      const { bundle, versionId } = await amendAllergy(await accepted(bytes), { entry: 0, criticality: "low", lastUpdated });
      const { text: _, ...rest } = resource;
      const meta = { ...(resource.meta as object | undefined), versionId, lastUpdated };
      assert.deepEqual(parse(bundle.bytes).entry?.[0]?.resource, { ...rest, criticality: "low", meta });
      assert.equal(versionId, resource.meta === undefined ? "2" : "42");
      if (resource.text === undefined) without++;
      else amended++;
    }),
    { numRuns: 150 },
  );
  assert.ok(amended > 20 && without > 20, `generator too narrow: ${amended} with a narrative, ${without} without`);
});

const allergy = (more: object): Promise<AcceptedBundle> =>
  accepted(
    bytesOf({
      resourceType: "Bundle",
      type: "collection",
      entry: [
        {
          fullUrl: "http://a.example/x",
          resource: {
            resourceType: "AllergyIntolerance",
            patient: { reference: "Patient/p" },
            clinicalStatus: {
              coding: [{ system: "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", code: "active" }],
            },
            ...more,
          },
        },
      ],
    }),
  );
const faults: readonly (readonly [string, AcceptedBundle, Partial<AllergyAmendment>])[] = [
  ["fhir_entry_not_an_allergy", record, { entry: 0, criticality: "low" }],
  ["fhir_entry_not_an_allergy", record, { entry: 99, criticality: "low" }],
  ["fhir_nothing_to_amend", record, {}],
  ["fhir_version_not_countable", await allergy({ meta: { versionId: "a7" } }), { entry: 0, criticality: "low" }],
  [
    "fhir_narrative_not_generated",
    await allergy({ text: { status: "additional", div: '<div xmlns="http://www.w3.org/1999/xhtml">more</div>' } }),
    { entry: 0, criticality: "low" },
  ],
  ["fhir_invalid", record, { criticality: "extreme" as never }],
];
for (const [code, bundle, amendment] of faults)
  test(`amending is refused with ${code}`, async () => {
    const attempt = amendAllergy(bundle, { entry: allergyAt, lastUpdated, ...amendment });
    await assert.rejects(attempt, (error) => error instanceof Fault && error.code === code && !error.message.includes("extreme"));
  });
