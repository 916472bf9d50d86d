/** Every kind of record has the class that its row in the table says, and what nobody knows is closed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CATEGORIES, LEVELS } from "@xinglin/contracts";
import { isStricter } from "../src/classes.ts";
import { classify, classifyModality, classifyResource } from "../src/classify/classify.ts";
import { CARRIER_TYPES, CLASS_BY_MODALITY, CLASS_BY_TYPE, CODE_ROWS } from "../src/classify/table.ts";
import { allResourceNames } from "../src/fhir/definitions.ts";
import { example, exampleNames } from "./examples.ts";

const ICD10 = "http://hl7.org/fhir/sid/icd-10";
const ICD10_CHINA = "urn:oid:2.16.156.10011.2.3.3.11.3";
const LOINC = "http://loinc.org";
const coded = (resourceType: string, system: string, code: string, more: object = {}): Record<string, unknown> => ({
  resourceType,
  code: { coding: [{ system, code }] },
  ...more,
});
const category = (system: string, code: string): object => ({ category: [{ coding: [{ system, code }] }] });
const observation = (code: string): object => category("http://terminology.hl7.org/CodeSystem/observation-category", code);

const rows: readonly (readonly [string, Record<string, unknown>, string])[] = (
  [
    ["a patient", { resourceType: "Patient" }, "sensitive/identity"],
    ["a doctor", { resourceType: "Practitioner" }, "internal/identity"],
    ["a hospital", { resourceType: "Organization" }, "public/encounters"],
    ["a stay", { resourceType: "Encounter" }, "sensitive/encounters"],
    ["a diagnosis", coded("Condition", ICD10, "I21.0"), "sensitive/diagnoses"],
    ["an allergy", { resourceType: "AllergyIntolerance" }, "sensitive/medication"],
    ["a prescription", { resourceType: "MedicationRequest" }, "sensitive/medication"],
    ["a vaccination", { resourceType: "Immunization" }, "sensitive/medication"],
    ["a laboratory value", coded("Observation", LOINC, "15074-8", observation("laboratory")), "sensitive/laboratory"],
    ["a laboratory value without a category", coded("Observation", LOINC, "718-7"), "sensitive/laboratory"],
    ["a blood pressure by its category", { resourceType: "Observation", ...observation("vital-signs") }, "sensitive/vitals"],
    ["a blood pressure by its code", coded("Observation", LOINC, "85354-9"), "sensitive/vitals"],
    [
      "a radiology report",
      { resourceType: "DiagnosticReport", ...category("http://terminology.hl7.org/CodeSystem/v2-0074", "RAD") },
      "sensitive/imaging",
    ],
    [
      "a genetics report",
      { resourceType: "DiagnosticReport", ...category("http://terminology.hl7.org/CodeSystem/v2-0074", "GE") },
      "core/genome",
    ],
    ["an imaging study", { resourceType: "ImagingStudy" }, "sensitive/imaging"],
    ["an operation", { resourceType: "Procedure" }, "sensitive/procedures"],
    ["a gene sequence", { resourceType: "MolecularSequence" }, "core/genome"],
    ["a genotype", coded("Observation", LOINC, "84413-4"), "core/genome"],
    ["a bill", { resourceType: "Claim" }, "internal/cost"],
    ["insurance", { resourceType: "Coverage" }, "internal/cost"],
    ["a value set", { resourceType: "ValueSet" }, "public/cost"],
    ["HIV disease in ICD-10", coded("Condition", ICD10, "B20.6"), "core/protected"],
    ["HIV disease in the Chinese ICD-10", coded("Condition", ICD10_CHINA, "B24.x01"), "core/protected"],
    ["HIV disease in SNOMED CT", coded("Condition", "http://snomed.info/sct", "86406008"), "core/protected"],
    ["an HIV test", coded("Observation", LOINC, "75622-1", observation("laboratory")), "core/protected"],
    [
      "HIV medicine",
      {
        resourceType: "MedicationRequest",
        medicationCodeableConcept: { coding: [{ system: "http://www.whocc.no/atc", code: "J05AR02" }] },
      },
      "core/protected",
    ],
    ["depression", coded("Condition", ICD10, "F32.1"), "core/protected"],
    ["a depression questionnaire", coded("Observation", LOINC, "44249-1", observation("survey")), "core/protected"],
    ["an abortion", coded("Procedure", ICD10, "O04.9"), "core/protected"],
    ["syphilis", coded("Condition", ICD10, "A53.9"), "core/protected"],
    ["a rare disease", coded("Condition", "http://www.orpha.net", "355"), "core/protected"],
    ["a code next to a protected one is not", coded("Condition", ICD10, "B25.0"), "sensitive/diagnoses"],
    [
      "a code of another system that looks like one",
      coded("Condition", "http://acme.example/codes", "F32.1"),
      "sensitive/diagnoses",
    ],
    [
      "a stay with HIV as its reason",
      { resourceType: "Encounter", reasonCode: [{ coding: [{ system: ICD10, code: "B20" }] }] },
      "core/protected",
    ],
    [
      "what the source marks as very restricted",
      {
        resourceType: "Encounter",
        meta: { security: [{ system: "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", code: "V" }] },
      },
      "core/protected",
    ],
    [
      "what the source marks as normal",
      {
        resourceType: "Encounter",
        meta: { security: [{ system: "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", code: "N" }] },
      },
      "sensitive/encounters",
    ],
    [
      "a report that contains a genotype",
      { resourceType: "DiagnosticReport", contained: [coded("Observation", LOINC, "84413-4")] },
      "core/genome",
    ],
    [
      "a discharge summary",
      { resourceType: "Composition", type: { coding: [{ system: LOINC, code: "18842-5" }] } },
      "sensitive/encounters",
    ],
    ["a document of no known kind", { resourceType: "DocumentReference", type: { text: "?" } }, "core/protected"],
    ["a Binary", { resourceType: "Binary" }, "core/protected"],
    ["a type that does not exist", { resourceType: "Horoscope" }, "core/protected"],
  ] as const
).map(([name, resource, expected]) => [name, resource as Record<string, unknown>, expected]);
for (const [name, resource, expected] of rows)
  test(`${name} is ${expected}`, () => {
    const { level, category: found } = classifyResource(resource);
    assert.equal(`${level}/${found}`, expected);
    assert.deepEqual(classify(resource), { level, category: found });
  });

test("CT, MR and unknown modalities are imaging, an ECG is not", () => {
  for (const modality of ["CT", "MR", "US", "XX"])
    assert.deepEqual(classify({ modality }), { level: "sensitive", category: "imaging" });
  assert.equal(classifyModality("ECG").category, "vitals");
  assert.deepEqual(classifyModality("DOC"), { level: "core", category: "protected" });
});

test("every resource type of FHIR R4 is in the table once, or carries what somebody put into it", () => {
  for (const name of allResourceNames()) assert.ok(CLASS_BY_TYPE.has(name) !== CARRIER_TYPES.has(name), name);
  const known = new Set(allResourceNames());
  for (const name of [...CLASS_BY_TYPE.keys(), ...CARRIER_TYPES]) assert.ok(known.has(name), name);
});

test("rows use the levels and categories of the ledger, and its order of levels", () => {
  const classes = [...CLASS_BY_TYPE.values(), ...CLASS_BY_MODALITY.values(), ...CODE_ROWS.map((row) => row.recordClass)];
  for (const { level, category: found } of classes) assert.ok(LEVELS.includes(level) && CATEGORIES.includes(found));
  for (const [i, a] of LEVELS.entries()) for (const [j, b] of LEVELS.entries()) assert.equal(isStricter(a, b), i > j);
});

test("every published example has a class, and all eleven categories occur", () => {
  const seen = new Set<string>();
  for (const name of exampleNames("fhir/published")) {
    const resource = JSON.parse(new TextDecoder().decode(example(`fhir/published/${name}`))) as Record<string, unknown>;
    seen.add(classifyResource(resource).category);
  }
  assert.deepEqual([...seen].sort(), [...CATEGORIES].sort());
});
