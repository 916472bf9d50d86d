/** One row for each way in which an instance can be wrong: the element that is named, and the code. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkBundleBytes, checkResourceBytes } from "../src/fhir/check-bundle.ts";
import { issueSentence } from "../src/fhir/issue-sentence.ts";
import { FHIR_ISSUE_CODES, type FhirIssue, type FhirIssueCode, MAX_ISSUES } from "../src/fhir/issues.ts";
import { MAX_JSON_BYTES, rejectionFault, validateBundle, validateResource } from "../src/fhir/validate.ts";
import { bytesOf } from "./examples.ts";

type Row = readonly [code: FhirIssueCode, element: string, value: unknown, facts?: FhirIssue["facts"]];

const patient = (more: object): object => ({ resourceType: "Patient", id: "p", ...more });
const observation = (more: object): object => ({ resourceType: "Observation", status: "final", code: { text: "x" }, ...more });
const narrative = (html: string): object =>
  patient({ text: { status: "generated", div: `<div xmlns="http://www.w3.org/1999/xhtml">${html}</div>` } });
const UUID = "urn:uuid:0f8fad5b-d9cb-469f-a165-70867728950e";

const resources: readonly Row[] = [
  ["not_utf8", "Resource", Uint8Array.of(0x7b, 0xff, 0x7d)],
  ["byte_order_mark", "Resource", Uint8Array.of(0xef, 0xbb, 0xbf, 0x7b, 0x7d)],
  ["not_json", "Resource", "{", { offset: 1 }],
  ["too_deep", "Resource", `{"resourceType":"Patient","x":${"[".repeat(200)}${"]".repeat(200)}}`],
  ["duplicate_name", "Resource.gender", '{"resourceType":"Patient","gender":"male","gender":"female"}'],
  ["duplicate_name", "Resource.(unknown)", '{"resourceType":"Patient","王小明":1,"王小明":2}'],
  ["not_an_object", "Resource", "[]"],
  ["resource_type_missing", "Resource", { id: "p" }],
  ["resource_type_unknown", "Resource.resourceType", { resourceType: "Pateint" }],
  ["resource_type_unknown", "Resource.resourceType", { resourceType: "DomainResource", id: "x" }],
  ["resource_type_unknown", "Resource.resourceType", { resourceType: "toString", id: "x" }],
  ["element_unknown", "Patient.(unknown 3)", patient({ brithDate: "1990-03-07" }), { position: 3, nearest: "birthDate" }],
  ["element_unknown", "Patient.(unknown 3)", patient({ 王小明: 1 }), { position: 3 }],
  ["element_unknown", "Patient.(unknown 3)", patient({ toString: 1 })],
  ["element_unknown", "Patient.(unknown 3)", '{"resourceType":"Patient","id":"p","__proto__":{"gender":"male"}}'],
  [
    "element_unknown",
    "Patient.name[0].(unknown 1)",
    patient({ name: [{ familyy: "Wang" }] }),
    { position: 1, nearest: "family" },
  ],
  ["element_unknown", "Patient.(unknown 3)", patient({ _name: [{ id: "a" }] })],
  ["element_missing", "Observation.code", { resourceType: "Observation", status: "final" }],
  ["list_expected", "Patient.name", patient({ name: { family: "Wang" } })],
  ["list_expected", "Patient.name", patient({ name: "Wang" })],
  ["list_unexpected", "Patient.birthDate", patient({ birthDate: ["1990-03-07"] })],
  ["list_unexpected", "Patient.maritalStatus", patient({ maritalStatus: [{ text: "x" }] })],
  ["empty", "Patient", { resourceType: "Patient" }],
  ["empty", "Patient.name[0]", patient({ name: [{}] })],
  ["empty", "Patient.birthDate", patient({ birthDate: "" })],
  ["empty", "Patient.name[0].family", patient({ name: [{ family: "  " }] })],
  ["empty_list", "Patient.name", patient({ name: [] })],
  ["empty_list", "Patient.name[0].given", patient({ name: [{ family: "Wang", given: [] }] })],
  ["null_value", "Patient.gender", patient({ gender: null })],
  ["null_value", "Patient.name", patient({ name: null })],
  ["null_value", "Patient.name[0].given[0]", patient({ name: [{ given: [null, "x"] }] })],
  ["type_wrong", "Patient.active", patient({ active: "yes" }), { expected: "boolean" }],
  ["type_wrong", "Patient.birthDate", patient({ birthDate: { year: 1990 } }), { expected: "date" }],
  ["type_wrong", "Patient.maritalStatus", patient({ maritalStatus: "M" }), { expected: "CodeableConcept" }],
  ["type_wrong", "Patient.multipleBirthInteger", patient({ multipleBirthInteger: "2" })],
  ["format_wrong", "Patient.birthDate", patient({ birthDate: "7.3.1990" }), { type: "date" }],
  ["format_wrong", "Patient.birthDate", patient({ birthDate: "1990-02-30" }), { type: "date" }],
  ["format_wrong", "Observation.issued", observation({ issued: "2026-02-03T03:00:00" }), { type: "instant" }],
  ["value_out_of_range", "Patient.multipleBirthInteger", patient({ multipleBirthInteger: 3_000_000_000 })],
  [
    "value_out_of_range",
    "Observation.valueQuantity.value",
    '{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":1e999}}',
  ],
  ["value_too_long", "Patient.name[0].family", patient({ name: [{ family: "x".repeat(1024 * 1024 + 1) }] })],
  [
    "choice_conflict",
    "Patient.deceasedDateTime",
    patient({ deceasedBoolean: true, deceasedDateTime: "2020" }),
    { other: "deceasedBoolean" },
  ],
  [
    "choice_conflict",
    "Observation.valueString",
    observation({ valueQuantity: { value: 1 }, valueString: "x" }),
    { other: "valueQuantity" },
  ],
  ["id_malformed", "Patient.id", { resourceType: "Patient", id: "a b", active: true }],
  ["id_malformed", "Patient.id", { resourceType: "Patient", id: "王小明", active: true }],
  ["id_malformed", "Patient.id", { resourceType: "Patient", id: "x".repeat(65), active: true }],
  ["id_malformed", "Patient.id", { resourceType: "Patient", id: 7, active: true }],
  ["contained_id_missing", "Patient.contained[0]", patient({ contained: [{ resourceType: "Organization", name: "x" }] })],
  [
    "contained_id_duplicate",
    "Patient.contained[1].id",
    patient({
      contained: [1, 2].map(() => ({ resourceType: "Organization", id: "o", name: "x" })),
      managingOrganization: { reference: "#o" },
    }),
  ],
  ["contained_missing", "Patient.managingOrganization.reference", patient({ managingOrganization: { reference: "#o" } })],
  [
    "reference_malformed",
    "Patient.managingOrganization.reference",
    patient({ managingOrganization: { reference: "the hospital" } }),
  ],
  [
    "reference_malformed",
    "Patient.managingOrganization.reference",
    patient({ managingOrganization: { reference: `Organization/${"x".repeat(65)}` } }),
  ],
  [
    "reference_target_wrong",
    "Patient.managingOrganization.reference",
    patient({ managingOrganization: { reference: "Patient/1" } }),
    { expected: "Organization" },
  ],
  [
    "reference_target_wrong",
    "Patient.managingOrganization.reference",
    patient({ managingOrganization: { reference: "https://a.example/fhir/Patient/1" } }),
  ],
  [
    "reference_target_wrong",
    "Patient.managingOrganization.type",
    patient({ managingOrganization: { type: "Device", display: "x" } }),
  ],
  [
    "reference_target_wrong",
    "Patient.managingOrganization.reference",
    patient({ contained: [{ resourceType: "Device", id: "d" }], managingOrganization: { reference: "#d" } }),
  ],
  ["code_not_in_value_set", "Patient.name[0].use", patient({ name: [{ use: "L", family: "Wang" }] })],
  [
    "code_not_in_value_set",
    "Condition.clinicalStatus.coding",
    {
      resourceType: "Condition",
      subject: { reference: "Patient/p" },
      code: { text: "x" },
      clinicalStatus: { coding: [{ system: "http://terminology.hl7.org/CodeSystem/condition-clinical", code: "活动" }] },
    },
  ],
  [
    "code_not_in_value_set",
    "Binary.contentType",
    { resourceType: "Binary", contentType: "text / plain" },
    { system: "urn:ietf:bcp:13" },
  ],
  [
    "code_missing",
    "AllergyIntolerance.clinicalStatus",
    { resourceType: "AllergyIntolerance", patient: { reference: "Patient/p" }, clinicalStatus: { text: "active" } },
  ],
  ["narrative_unsafe", "Patient.text.div", narrative("<script>x</script>")],
  ["narrative_unsafe", "Patient.text.div", narrative('<p onclick="x()">x</p>')],
  ["narrative_unsafe", "Patient.text.div", narrative('<a href=" java\tscript:x">x</a>')],
  ["narrative_unsafe", "Patient.text.div", narrative('<a href="&#106;avascript:x">x</a>')],
  ["narrative_unsafe", "Patient.text.div", narrative('<img src="x" onerror="x"')],
  ["narrative_unsafe", "Patient.text.div", narrative("<form><input/></form>")],
  ["narrative_unsafe", "Patient.text.div", narrative("<!--".repeat(100_000))],
  ["narrative_unsafe", "Patient.text.div", narrative('<a "'.repeat(100_000))],
  ["narrative_unsafe", "Patient.text.div", narrative("<a '\" ".repeat(100_000))],
  ["narrative_unsafe", "Patient.text.div", narrative('<a href="data:text/html,x">x</a>')],
  ["narrative_unsafe", "Patient.text.div", patient({ text: { status: "generated", div: "<p>x</p>" } })],
  ["constraint_failed", "Patient.contact[0]", patient({ contact: [{ gender: "male" }] }), { rule: "pat-1" }],
];

const entry = (resource: object, more: object = {}): object => ({
  fullUrl: "http://a.example/fhir/Patient/p",
  resource,
  ...more,
});
const collection = (...entries: unknown[]): object => ({ resourceType: "Bundle", type: "collection", entry: entries });
const someone = patient({ active: true });

const bundles: readonly Row[] = [
  ["not_a_bundle", "Bundle", someone, { resourceType: "Patient" }],
  ["not_a_bundle", "Bundle", { resourceType: "王小明" }, {}],
  ["not_json", "Bundle", "", { offset: 0 }],
  ["code_not_in_value_set", "Bundle.type", { resourceType: "Bundle", type: "bag" }],
  ["element_missing", "Bundle.type", { resourceType: "Bundle", id: "b" }],
  ["list_expected", "Bundle.entry", { resourceType: "Bundle", type: "collection", entry: {} }],
  ["empty_list", "Bundle.entry", { resourceType: "Bundle", type: "collection", entry: [] }],
  ["type_wrong", "Bundle.entry[0]", collection("x")],
  ["empty", "Bundle.entry[0]", collection({})],
  [
    "element_unknown",
    "Bundle.entry[0].(unknown 3)",
    collection(entry(someone, { resorce: 1 })),
    { position: 3, nearest: "resource" },
  ],
  ["not_an_object", "Bundle.entry[0].resource", collection({ fullUrl: UUID, resource: "x" })],
  ["resource_type_missing", "Bundle.entry[0].resource", collection({ fullUrl: UUID, resource: { id: "p" } })],
  ["constraint_failed", "Bundle.entry[0]", collection({ fullUrl: UUID }), { rule: "bdl-5" }],
  ["constraint_failed", "Bundle.entry[0].search", collection(entry(someone, { search: { mode: "match" } })), { rule: "bdl-2" }],
  [
    "constraint_failed",
    "Bundle.entry[0].request",
    { resourceType: "Bundle", type: "transaction", entry: [entry(someone)] },
    { rule: "bdl-3" },
  ],
  [
    "constraint_failed",
    "Bundle.entry[0].response",
    { resourceType: "Bundle", type: "batch-response", entry: [entry(someone)] },
    { rule: "bdl-4" },
  ],
  [
    "constraint_failed",
    "Bundle",
    { resourceType: "Bundle", type: "collection", total: 1, entry: [entry(someone)] },
    { rule: "bdl-1" },
  ],
  [
    "constraint_failed",
    "Bundle.entry",
    {
      resourceType: "Bundle",
      type: "document",
      identifier: { system: "urn:x", value: "1" },
      timestamp: "2026-02-03T03:00:00Z",
      entry: [entry(someone)],
    },
    { rule: "bdl-11" },
  ],
  ["constraint_failed", "Bundle.entry", { resourceType: "Bundle", type: "message", entry: [entry(someone)] }, { rule: "bdl-12" }],
  ["full_url_missing", "Bundle.entry[0]", collection({ resource: someone })],
  ["full_url_not_absolute", "Bundle.entry[0].fullUrl", collection(entry(someone, { fullUrl: "Patient/p" }))],
  ["full_url_not_absolute", "Bundle.entry[0].fullUrl", collection(entry(someone, { fullUrl: "urn:uuid:p" }))],
  [
    "full_url_versioned",
    "Bundle.entry[0].fullUrl",
    collection(entry(someone, { fullUrl: "http://a.example/fhir/Patient/p/_history/1" })),
  ],
  ["full_url_duplicate", "Bundle.entry[1].fullUrl", collection(entry(someone), entry(someone))],
  ["full_url_disagrees", "Bundle.entry[0].fullUrl", collection(entry(someone, { fullUrl: "http://a.example/fhir/Patient/q" }))],
  ["full_url_disagrees", "Bundle.entry[0].fullUrl", collection(entry(someone, { fullUrl: "http://a.example/fhir/Device/p" }))],
  [
    "reference_unresolved",
    "Bundle.entry[0].resource.ofType(Patient).link[0].other.reference",
    {
      resourceType: "Bundle",
      type: "transaction",
      entry: [
        entry(patient({ link: [{ type: "seealso", other: { reference: UUID } }] }), {
          request: { method: "PUT", url: "Patient/p" },
        }),
      ],
    },
  ],
  [
    "reference_target_wrong",
    "Bundle.entry[0].resource.ofType(Patient).link[0].other.reference",
    collection(entry(patient({ link: [{ type: "seealso", other: { reference: UUID } }] })), {
      fullUrl: UUID,
      resource: { resourceType: "Device", id: "d" },
    }),
  ],
  [
    "duplicate_name",
    "Bundle.entry[0].resource.gender",
    '{"resourceType":"Bundle","entry":[{"resource":{"gender":1,"gender":2}}]}',
  ],
];

const bytes = (value: unknown): Uint8Array => (value instanceof Uint8Array ? value : bytesOf(value));
const find = (issues: readonly FhirIssue[], [code, element, , facts]: Row): void => {
  const found = issues.find((issue) => issue.code === code && issue.element === element);
  assert.ok(found, `found only ${issues.map((issue) => `${issue.element} ${issue.code}`).join("; ")}`);
  if (facts !== undefined) assert.deepEqual({ ...found.facts, ...facts }, found.facts);
};
for (const row of resources) test(`${row[0]}: ${row[1]}`, () => find(checkResourceBytes(bytes(row[2])).issues, row));
for (const row of bundles)
  test(`in a Bundle, ${row[0]}: ${row[1]}`, () => find(checkBundleBytes(bytes(row[2])).issues.issues, row));

test("refuses gender 男 with the element, its value set, and the Chinese standard that the value comes from", () => {
  const { issues } = checkBundleBytes(bytesOf(collection(entry(patient({ gender: "男" })))));
  assert.deepEqual(issues.issues, [
    {
      element: "Bundle.entry[0].resource.ofType(Patient).gender",
      code: "code_not_in_value_set",
      facts: {
        valueSet: "http://hl7.org/fhir/ValueSet/administrative-gender",
        system: "http://hl7.org/fhir/administrative-gender",
        codes: 4,
        allowed: "male, female, other, unknown",
        domain: "GB/T 2261.1-2003",
        table: "0→unknown, 1→male, 2→female, 9→unknown",
      },
    },
  ]);
});

for (const [gender, domain] of [
  ["1", "GB/T 2261.1-2003"],
  ["M", "HL7 v2 table 0001"],
  ["x", undefined],
] as const)
  test(`says of gender ${gender} that it belongs to ${domain}`, () =>
    assert.equal(checkResourceBytes(bytesOf(patient({ gender }))).issues[0]?.facts.domain, domain));

test("accepts what looks unusual and is right", () => {
  const right: object[] = [
    patient({ gender: "male", _gender: { id: "a" } }),
    patient({ name: [{ given: [null, "x"], _given: [{ extension: [{ url: "http://a.example/x", valueCode: "y" }] }, null] }] }),
    patient({ link: [{ type: "seealso", other: { reference: "https://a.example/any/path" } }] }),
    patient({ generalPractitioner: [{ reference: "#d" }], contained: [{ resourceType: "Practitioner", id: "d", active: true }] }),
    observation({ subject: { reference: "Patient/p/_history/3" }, valueString: "x" }),
    { resourceType: "Parameters" },
    narrative('<p style="color:red">5 &lt; 6 <a href="#x">x</a><img src="data:image/png;base64,AA=="/></p><!-- <script> -->'),
    {
      resourceType: "Parameters",
      parameter: [
        {
          name: "a",
          resource: patient({
            contained: [{ resourceType: "Organization", id: "o", name: "x" }],
            managingOrganization: { reference: "#o" },
          }),
        },
      ],
    },
    { resourceType: "Parameters", parameter: [{ name: "a", resource: { resourceType: "Patient", id: "x", active: true } }] },
  ];
  for (const resource of right) assert.deepEqual(checkResourceBytes(bytesOf(resource)).issues, []);
});

test("finds what is wrong inside contained resources and Parameters", () => {
  const inner = { resourceType: "Patient", id: "x", gender: "男" };
  const parameters = { resourceType: "Parameters", parameter: [{ name: "a", resource: inner }] };
  assert.equal(
    checkResourceBytes(bytesOf(parameters)).issues[0]?.element,
    "Parameters.parameter[0].resource.ofType(Patient).gender",
  );
  const list = { resourceType: "List", status: "current", mode: "working", contained: [inner], subject: { reference: "#x" } };
  assert.equal(checkResourceBytes(bytesOf(list)).issues[0]?.element, "List.contained[0].ofType(Patient).gender");
});

test("keeps at most so many findings and counts the rest", () => {
  const names = Array.from({ length: MAX_ISSUES + 20 }, () => ({ use: "x" }));
  const list = checkResourceBytes(bytesOf(patient({ name: names })));
  assert.equal(list.issues.length, MAX_ISSUES);
  assert.equal(list.more, 20);
});

test("refuses more than 64 MiB before it reads them", async () => {
  for (const [element, result] of [
    ["Bundle", await validateBundle(new Uint8Array(MAX_JSON_BYTES + 1))],
    ["Resource", await validateResource(new Uint8Array(MAX_JSON_BYTES + 1))],
  ] as const) {
    assert.ok(!result.ok);
    assert.deepEqual(result.refusal.issues, [
      { element, code: "too_large", facts: { sizeBytes: MAX_JSON_BYTES + 1, maxBytes: MAX_JSON_BYTES } },
    ]);
    const fault = rejectionFault(result.refusal);
    assert.deepEqual([fault.code, fault.facts.issue, fault.facts.issues], ["fhir_invalid", "too_large", 1]);
  }
});

test("every code has a row", () => {
  const told = new Set<string>([...resources, ...bundles].map(([code]) => code));
  const elsewhere = ["too_large"];
  // No element of FHIR R4 has these cardinalities, fixed values or shapes; profiles of a later version will.
  const unreached = ["count_wrong", "value_fixed", "structure_wrong"];
  assert.deepEqual(
    FHIR_ISSUE_CODES.filter((code) => !told.has(code) && !elsewhere.includes(code)),
    unreached,
  );
});

test("every finding of the table has a whole sentence in both languages, which names no input", () => {
  const found = [
    ...resources.flatMap(([, , value]) => checkResourceBytes(bytes(value)).issues),
    ...bundles.flatMap(([, , value]) => checkBundleBytes(bytes(value)).issues.issues),
  ];
  for (const issue of found)
    for (const language of ["zh-CN", "en"] as const) {
      const sentence = issueSentence(issue, language);
      assert.ok(sentence.length > 5 && !/[{}]/.test(sentence) && !sentence.includes("王小明"), `${issue.code}: ${sentence}`);
    }
  assert.match(
    issueSentence(checkResourceBytes(bytesOf(patient({ gender: "男" }))).issues[0] as FhirIssue, "zh-CN"),
    /GB\/T 2261\.1-2003.*1→male/,
  );
});
