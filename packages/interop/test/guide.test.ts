/** The guide shows what the program says. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { checkBundleBytes } from "../src/fhir/check-bundle.ts";
import { issueSentence } from "../src/fhir/issue-sentence.ts";
import { FHIR_ISSUE_CODES } from "../src/fhir/issues.ts";
import { bytesOf } from "./examples.ts";

const guide = readFileSync(new URL("../../../docs/guides/import-dicom-and-fhir.md", import.meta.url), "utf8");
const flat = guide.replace(/\s+/g, " ");

test("the refusal of gender 男 reads in the guide as the program prints it", () => {
  const resource = { resourceType: "Patient", gender: "男" };
  const bundle = { resourceType: "Bundle", type: "collection", entry: [{ fullUrl: "http://a.example/1", resource }] };
  const [issue, ...more] = checkBundleBytes(bytesOf(bundle)).issues.issues;
  assert.ok(issue !== undefined && more.length === 0);
  for (const part of [issue.element, issue.code, issueSentence(issue, "en")]) assert.ok(flat.includes(part), part);
});

test("every code in the guide's table exists", () => {
  const rows = [...guide.matchAll(/^\| `([a-z0-9_]+)`/gm)].map(([, code]) => code);
  assert.ok(rows.length >= 7);
  for (const code of rows) assert.ok((FHIR_ISSUE_CODES as readonly (string | undefined)[]).includes(code), code);
});
