/** The validator's thread leaves the event loop free, ends when told, and fails with a code. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FhirValidator } from "../src/fhir/validate.ts";
import { bytesOf, example } from "./examples.ts";

test("the event loop turns while a large Bundle is validated", async () => {
  const resource = JSON.parse(new TextDecoder().decode(example("fhir/published/patient-example.json"))) as object;
  const entry = Array.from({ length: 400 }, (_, i) => ({
    fullUrl: `http://a.example/fhir/Patient/p${i}`,
    resource: { ...resource, id: `p${i}` },
  }));
  const validator = new FhirValidator();
  let turns = 0;
  let isDone = false;
  const turn = (): void => {
    turns++;
    if (!isDone) setImmediate(turn);
  };
  setImmediate(turn);
  const result = await validator.validateBundle(bytesOf({ resourceType: "Bundle", type: "collection", entry }));
  isDone = true;
  await validator.close();
  assert.ok(result.ok);
  assert.equal(result.value.entries.length, 400);
  assert.ok(turns > 100, `${turns} turns`);
});

test("answers each of many requests with its own result", async () => {
  const validator = new FhirValidator();
  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, i) =>
      validator.validateResource(
        bytesOf(i % 2 === 0 ? { resourceType: "Patient", active: true } : { resourceType: "Patient", gender: "男" }),
      ),
    ),
  );
  assert.deepEqual(
    answers.map(({ ok }) => ok),
    Array.from({ length: 40 }, (_, i) => i % 2 === 0),
  );
  await validator.close();
});

test("does not change or take away the bytes it is given, even if they are a part of more", async () => {
  const whole = bytesOf('x{"resourceType":"Patient","active":true}x');
  const part = whole.subarray(1, -1);
  const validator = new FhirValidator();
  const result = await validator.validateResource(part);
  assert.ok(result.ok && result.value === part);
  assert.equal(new TextDecoder().decode(whole), 'x{"resourceType":"Patient","active":true}x');
  await validator.close();
});

test("fails with fhir_validation_timeout, and starts anew", async () => {
  const slow = new FhirValidator({ timeoutMs: 1 });
  await assert.rejects(slow.validateBundle(example("fhir/record.json")), { code: "fhir_validation_timeout", retry: false });
  await slow.close();
});

test("what waits when it is closed fails with fhir_validator_failed, and a later call works", async () => {
  const validator = new FhirValidator();
  const waiting = validator.validateBundle(example("fhir/record.json"));
  const failed = assert.rejects(waiting, { code: "fhir_validator_failed", retry: true });
  await validator.close();
  await failed;
  assert.ok((await validator.validateBundle(example("fhir/record.json"))).ok);
  await validator.close();
});
