/** Nothing that was planted in what came in shows in the log or in an error: names, clinical values, keys. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { cbor, toBase64url, toHex } from "@xinglin/primitives";
import { grantToB, keyOf, people, readRecord, Stage, sha } from "./stage.ts";

const PLANTED = ["王小明", "planted-name", "1.2.840.113619.2.planted", "青霉素过敏", "hemoglobin=61"];
let stage: Stage;
const answers: string[] = [];
before(async () => {
  stage = await Stage.open({
    validateFhir: async () => {
      throw new Error(`cannot read ${PLANTED.join(" ")}`);
    },
    custodians: {
      get: () => ({
        deposit: async () => {
          throw new TypeError(PLANTED.join(" "));
        },
        depositMany: async () => new Uint8Array(1),
        release: async () => new Uint8Array(1),
        erase: async () => new Uint8Array(1),
      }),
    },
  });
  await stage.populate();
});
after(() => stage.close());

const keep = async (answer: Response | Promise<Response>): Promise<number> => {
  const given = await answer;
  answers.push(await given.text(), JSON.stringify([...given.headers]));
  return given.status;
};

test("log lines and errors carry ids and codes only", async () => {
  const patient = await stage.as("patient");
  const doctor = await stage.as("doctorA");
  await stage.accepted("patient", grantToB());
  await stage.accepted("doctorB", readRecord());
  const planted = PLANTED.join(" ");
  const query = encodeURIComponent(planted);
  const validate = "/v1/fhir/$validate";
  const bundle = new TextEncoder().encode(JSON.stringify({ resourceType: "Bundle", note: planted }));
  const statuses = [
    await keep(stage.post(validate, bundle as never, "application/json", await doctor.headers("POST", validate, bundle))),
    await keep(stage.post("/v1/custodians/custodian-a/deposits", cbor.encode({ planted }))),
    await keep(stage.post("/v1/transactions", cbor.encode({ body: planted, signature: planted }))),
    await keep(stage.post("/v1/transactions", cbor.encode({ [planted]: planted }))),
    await keep(
      stage.post("/v1/sessions", cbor.encode({ statement: new TextEncoder().encode(planted), signature: new Uint8Array(64) })),
    ),
    await keep(patient.get(`/v1/entries?patient=${query}`)),
    await keep(patient.get(`/v1/state?key=${query}`)),
    await keep(
      stage.fetch(`/v1/${query}?name=${query}`, { headers: { "x-planted": "planted-name", "user-agent": "planted-name" } }),
    ),
    await keep(stage.fetch("/v1/status", { method: "POST", body: planted, headers: { "content-type": "text/plain" } })),
    await keep(stage.fetch("/v1/grants", { headers: { "signature-input": "planted-name", signature: "planted-name" } })),
  ];
  assert.deepEqual(statuses, [500, 500, 400, 400, 400, 400, 404, 404, 405, 401]);

  const requests = stage.log.filter(({ event }) => event !== "projection");
  assert.ok(requests.length > 20, `${requests.length} lines`);
  assert.equal(requests.filter(({ event }) => event === "failure").length, 2);
  assert.ok(requests.every(({ event, at }) => (event === "failure") === (at !== undefined && at.length > 0)));
  const keys = ["patient", "doctorA", "doctorB", "stranger", "enrolment patient"].flatMap((name) => {
    const { publicKey } = keyOf(name);
    const seed = sha(`test key ${name}`);
    return [publicKey, seed].flatMap((key) => [toHex(key), toBase64url(key), Buffer.from(key).toString("base64")]);
  });
  const text = JSON.stringify(stage.log) + answers.join("\n");
  for (const secret of [...PLANTED, query, ...keys])
    assert.ok(!text.includes(secret), `${secret} shows: ${answers.filter((answer) => answer.includes(secret)).join()}`);
  assert.ok(text.includes(people.patient.id), "pseudonyms may");
});
