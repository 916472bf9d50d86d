/** Published instances pass; published instances that break the specification are told where. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { BundleEntry } from "../src/fhir/check-bundle.ts";
import { closeValidator, type FhirRejection, validateBundle, validateResource } from "../src/fhir/validate.ts";
import { example, exampleNames } from "./examples.ts";

after(closeValidator);

const check = async (path: string): Promise<FhirRejection | undefined> => {
  const bytes = example(path);
  const isBundle = (JSON.parse(new TextDecoder().decode(bytes)) as { resourceType: string }).resourceType === "Bundle";
  const result = isBundle ? await validateBundle(bytes) : await validateResource(bytes);
  return result.ok ? undefined : result.refusal;
};

test("accepts every published example that is bundled", async () => {
  const names = exampleNames("fhir/published");
  assert.ok(names.length >= 200, `${names.length} files`);
  for (const name of names) assert.deepEqual(await check(`fhir/published/${name}`), undefined, name);
});

test("accepts the record of the story, entry by entry with ids and types", async () => {
  const bytes = example("fhir/record.json");
  const result = await validateBundle(bytes);
  assert.ok(result.ok);
  assert.equal(result.value.bytes, bytes);
  assert.equal(result.value.type, "transaction");
  assert.equal(result.value.entries.length, 15);
  const resources = (
    JSON.parse(new TextDecoder().decode(bytes)) as {
      entry: { fullUrl: string; resource: { resourceType: string; id: string } }[];
    }
  ).entry;
  for (const [index, { fullUrl, resource }] of resources.entries()) {
    const entry: BundleEntry | undefined = result.value.entries[index];
    assert.deepEqual([entry?.fullUrl, entry?.resourceType, entry?.id], [fullUrl, resource.resourceType, resource.id]);
    assert.ok(entry?.resource);
    assert.deepEqual(JSON.parse(new TextDecoder().decode(bytes.subarray(entry.resource.start, entry.resource.end))), resource);
  }
});

const wrong: Readonly<Record<string, readonly [string, string]>> = {
  "codesystem-extensions-CodeSystem-author.json": ["SearchParameter.base", "element_missing"],
  "devicemetric-example.json": ["DeviceMetric.parent.reference", "reference_target_wrong"],
  "deviceusestatement-example.json": ["DeviceUseStatement.reasonReference[0].reference", "reference_target_wrong"],
  "medicationrequest0301.json": ["MedicationRequest.dispenseRequest.performer.reference", "reference_target_wrong"],
  "message-request-link.json": ["Bundle.entry[2].fullUrl", "full_url_disagrees"],
  "observation-example-clinical-gender.json": ["Observation.performer[0].reference", "reference_target_wrong"],
  "valueset-extensions-ValueSet-end.json": ["SearchParameter.base", "element_missing"],
};
test("every wrong published example has its row", () =>
  assert.deepEqual(exampleNames("fhir/published-wrong"), Object.keys(wrong)));
for (const [name, [element, code]] of Object.entries(wrong))
  test(`refuses ${name}: ${element} ${code}`, async () => {
    const rejection = await check(`fhir/published-wrong/${name}`);
    assert.deepEqual(
      rejection?.issues.map((issue) => [issue.element, issue.code]),
      [[element, code]],
    );
  });
