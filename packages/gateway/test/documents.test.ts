/** A Bundle that is refused says where and why, and never what stands there. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import { closeValidator, MAX_JSON_BYTES } from "@xinglin/interop";
import { BundleRefused, readBundle } from "../src/documents.ts";

const RECORD = fileURLToPath(new URL("../../../examples/fhir/record.json", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "xinglin-documents-"));
after(async () => {
  await closeValidator();
  rmSync(folder, { recursive: true });
});
const file = (content: string): string => {
  writeFileSync(join(folder, "bundle.json"), content);
  return join(folder, "bundle.json");
};
const text = readFileSync(RECORD, "utf8");
const refused = async (content: string): Promise<BundleRefused> => {
  const fault = await readBundle(file(content)).then(
    () => assert.fail("accepted"),
    (error: unknown) => error,
  );
  assert.ok(fault instanceof BundleRefused, String(fault));
  return fault;
};

test("the published record is accepted", async () => {
  assert.equal((await readBundle(RECORD)).entries.length, 15);
});

test("every finding carries its element and code, and no value", async () => {
  const fault = await refused(text.replace(/"gender"(\s*):(\s*)"male"/, '"gender"$1:$2"男planted"'));
  assert.equal(fault.code, "fhir_invalid");
  const [issue] = fault.rejection.issues;
  assert.equal(issue?.code, "code_not_in_value_set");
  assert.match(issue?.element ?? "", /^Bundle\.entry\[0\]\.resource\S*\.gender$/);
  assert.ok(Object.keys(fault.facts).length > 0);
  assert.ok(!inspect(fault, { depth: 9 }).includes("planted"));
});

test("what is no Bundle, no JSON or no text is refused the same way", async () => {
  for (const content of ["", "{", "[]", "null", '"Bundle"', '{"resourceType":"Patient"}', text.slice(0, 1000)]) {
    const { code, rejection } = await refused(content);
    assert.equal(code, "fhir_invalid");
    assert.ok((rejection.issues[0]?.code ?? "") !== "", content.slice(0, 20));
  }
  const path = file("");
  writeFileSync(path, Buffer.concat([Buffer.from(text.slice(0, 100)), Buffer.of(0xff, 0xfe), Buffer.from(text.slice(100))]));
  await assert.rejects(readBundle(path), { code: "fhir_invalid" });
});

test("a file beyond the limit is not read, a missing one is named without its folder", async () => {
  const path = file("{}");
  truncateSync(path, MAX_JSON_BYTES + 1);
  await assert.rejects(readBundle(path), { code: "too_large" });
  await assert.rejects(readBundle(join(folder, "nothing.json")), { code: "file_missing", facts: { path: "nothing.json" } });
  await assert.rejects(readBundle(folder), { code: "file_missing" });
});
