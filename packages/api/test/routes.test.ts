/** Every route through a listening server, as those who use it sign and ask. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { CATEGORIES, keys, LEVELS } from "@xinglin/contracts";
import { cbor, toHex } from "@xinglin/primitives";
import { decodeLightBlock, genesisTrust, LightClient, readLogHead, verifyLogEntry, verifyState } from "@xinglin/verifier";
import { type TSchema, Type } from "typebox";
import { Value } from "typebox/value";
import { anchor, B, type Caller, grantToB, type Name, people, readRecord, record, Stage } from "./stage.ts";

type Proven = { height: number; key: string; value?: Uint8Array; proof: Uint8Array; lightBlock: Uint8Array };
type Proof = { entry: Uint8Array; epoch: number; index: number; path: Uint8Array[]; head: Proven & { value: Uint8Array } };

let stage: Stage;
const callers: Partial<Record<Name, Caller>> = {};
const as = async (name: Name): Promise<Caller> => (callers[name] ??= await stage.as(name));
before(async () => {
  stage = await Stage.open();
  await stage.populate();
  await stage.accepted("patient", grantToB());
  await stage.accepted("doctorB", readRecord());
});
after(() => stage.close());

const status = async (name: Name, path: string): Promise<number> => (await (await as(name)).get(path)).status;
const { patient, stranger, doctorB } = people;

test("the public part needs no session", async () => {
  const head = await (await stage.fetch("/v1/status")).json();
  assert.equal(head.chainId, stage.ledger.chainId);
  assert.equal(head.members, 3);
  assert.ok(head.height >= head.provableHeight && head.provableHeight > 0);
  assert.ok(Math.abs(head.newestBlockTime - Date.now() / 1000) < 60);
  const genesis = await (await stage.fetch("/v1/genesis")).bytes();
  assert.equal(toHex(genesis), toHex(stage.ledger.genesis));
  const members = await (await stage.fetch("/v1/members")).json();
  assert.deepEqual(
    members.map((member: { id: string; status: string }) => [member.id, member.status]),
    [
      ["commission", "active"],
      ["hospital-a", "active"],
      ["hospital-b", "active"],
    ],
  );
  assert.equal((await (await stage.fetch("/v1/class-matrix")).json()).length, CATEGORIES.length * LEVELS.length);
  const custodians = await (await stage.fetch("/v1/custodians")).json();
  assert.deepEqual(
    custodians.map(({ id, served }: { id: string; served: boolean }) => [id, served]),
    [
      ["custodian-a", false],
      ["custodian-b", false],
    ],
  );
});

test("light blocks verify from the genesis on", async () => {
  const light = new LightClient(genesisTrust(stage.ledger.genesis));
  const first = await stage.fetch("/v1/light-blocks/1");
  assert.equal(first.headers.get("content-type"), "application/x-protobuf");
  await light.advance(await first.bytes());
  const newest = await light.advance(await (await stage.fetch("/v1/light-blocks/newest")).bytes());
  assert.ok(newest.height > 1);
});

test("a transaction is taken, waited for, and told of again", async () => {
  const transaction = await stage.transaction("hospital-a", [{ op: "anchorBatch", root: new Uint8Array(32).fill(1), count: 2 }]);
  const taken = await stage.post("/v1/transactions", transaction);
  assert.equal(taken.status, 202);
  const { id, receipt } = await taken.json();
  assert.equal(receipt, undefined);
  const told = await (await stage.fetch(`/v1/receipts/${id}?wait=provable`)).json();
  assert.equal(told.id, id);
  assert.equal(told.results[0].outcome, "accepted");
  assert.equal(told.results[0].subject.batch, "01".repeat(32));
  assert.ok(stage.ledger.provableHeight() >= told.height);
  assert.deepEqual(await (await stage.fetch(`/v1/receipts/${id}`)).json(), told);

  const refused = await stage.submit("doctorB", { ...readRecord(), purpose: "HRESCH" } as never, "provable");
  assert.deepEqual([refused.outcome, refused.code], ["refused", "not_permitted"]);
  assert.ok(refused.reason.because.length > 3);
});

test("a batch answers each transaction in order", async () => {
  const batch = await Promise.all(
    [2, 3].map((n) => stage.transaction("hospital-b", [{ op: "anchorBatch", root: new Uint8Array(32).fill(n), count: 1 }])),
  );
  const broken = new Uint8Array([1, 2, 3]);
  const answer = await stage.post("/v1/transactions:batch", cbor.encode([batch[0], broken, batch[1], batch[0]]));
  assert.equal(answer.status, 202);
  const outcomes = await answer.json();
  assert.equal(outcomes.length, 4);
  assert.match(outcomes[0].id, /^[0-9a-f]{64}$/);
  assert.deepEqual(outcomes[1], { code: "malformed" });
  assert.match(outcomes[2].id, /^[0-9a-f]{64}$/);
  assert.deepEqual(outcomes[3], { code: "already_known" });
});

test("a patient sees its accesses, consents and records, which another patient, and no institution but its own, sees", async () => {
  const me = await as("patient");
  const accesses = await me.json(`/v1/patients/${patient.id}/accesses`);
  const permit = accesses.items.find((item: { outcome: string }) => item.outcome === "accepted");
  assert.equal(permit.by.member, B);
  assert.equal(permit.by.role, "doctor");
  assert.equal(permit.directive, 1);
  const consents = await me.json(`/v1/patients/${patient.id}/consents`);
  assert.equal(consents.items[0].number, 1);
  assert.equal(consents.items[0].reads, 1);
  const records = await me.json(`/v1/patients/${patient.id}/records`);
  assert.deepEqual(
    records.items.map((item: { record: string }) => item.record),
    [record],
  );

  for (const what of ["accesses", "consents", "records"]) {
    assert.equal(await status("stranger", `/v1/patients/${patient.id}/${what}`), 404, what);
    assert.equal(await status("doctorA", `/v1/patients/${patient.id}/${what}`), 200, what);
    assert.equal(await status("commission", `/v1/patients/${patient.id}/${what}`), 200, what);
    assert.equal(await status("patient", `/v1/patients/${"0".repeat(32)}/${what}`), 404, what);
  }
  // Another institution sees what it asked for and what it was granted.
  const asked = await (await as("doctorB")).json(`/v1/patients/${patient.id}/accesses`);
  assert.ok(asked.items.length > 0 && asked.items.every((item: { by: { member: string } }) => item.by.member === B));
  assert.equal(await status("doctorB", `/v1/patients/${patient.id}/consents`), 404);
  assert.deepEqual((await (await as("doctorB")).json(`/v1/patients/${patient.id}/records`)).items.length, 1);
  assert.equal(await status("doctorB", `/v1/patients/${stranger.id}/records`), 404);
});

test("a record is shown to its source, its patient and whoever was granted it", async () => {
  await stage.accepted("doctorA", anchor("foreign record", "stranger"));
  const foreign = `/v1/records/${(anchor("foreign record") as { record: string }).record}`;
  for (const [name, seesRecord, seesForeign] of [
    ["doctorA", 200, 200],
    ["patient", 200, 404],
    ["stranger", 404, 200],
    ["doctorB", 200, 404],
    ["custodian-b", 200, 200],
  ] as const) {
    assert.equal(await status(name, `/v1/records/${record}`), seesRecord, name);
    assert.equal(await status(name, foreign), seesForeign, name);
  }
  const shown = await (await as("doctorB")).json(`/v1/records/${record}`);
  assert.equal(shown.version, 1);
  assert.deepEqual(shown.class, { level: "sensitive", category: "imaging" });
  assert.equal(await status("doctorA", `/v1/records/${"0".repeat(32)}`), 404);
});

test("grants name my member, with the pointers sealed to it", async () => {
  const { items } = await (await as("doctorB")).json("/v1/grants");
  assert.equal(items.length, 1);
  assert.equal(items[0].patient, patient.id);
  assert.deepEqual(
    items[0].pointers.map(({ member }: { member: string }) => member),
    [B],
  );
  assert.equal((await (await as("doctorA")).json("/v1/grants")).items.length, 0);
  assert.equal(await status("patient", "/v1/grants"), 404);
});

test("entries are those that the caller may see, and pages follow each other", async () => {
  const mine = await (await as("patient")).json("/v1/entries?limit=200");
  assert.ok(mine.items.every(({ subject }: { subject: { patient: string } }) => subject.patient === patient.id));
  const all = await (await as("commission")).json("/v1/entries?limit=200");
  assert.equal(all.items.length, stage.ledger.entryCount());
  const ofB = await (await as("doctorB")).json("/v1/entries?limit=200");
  assert.ok(ofB.items.every(({ by }: { by: { member: string } }) => by.member === B));
  const first = await (await as("commission")).json("/v1/entries?limit=3");
  const second = await (await as("commission")).json(`/v1/entries?limit=3&before=${first.next}`);
  assert.deepEqual([...first.items, ...second.items], all.items.slice(0, 6));
  const filtered = await (await as("commission")).json(`/v1/entries?patient=${stranger.id}&limit=200`);
  assert.ok(filtered.items.length > 0 && filtered.items.length < all.items.length);
});

test("what the state holds, or does not, is proved to those who may see it", async () => {
  const light = new LightClient(genesisTrust(stage.ledger.genesis));
  const newest = decodeLightBlock(await (await stage.fetch("/v1/light-blocks/newest")).bytes()).header.height;
  const prove = async (name: Name, key: string) => {
    const answer = await (await as(name)).get(`/v1/state?key=${encodeURIComponent(key)}&height=${newest - 1}`);
    assert.equal(answer.status, 200, `${name} ${key}`);
    return cbor.decode(await answer.bytes(), 1_000_000) as Proven;
  };
  const permit = await prove("patient", keys.access(patient.id, 1));
  const header = await light.advance(permit.lightBlock);
  assert.ok(verifyState(header, permit));
  const absent = await prove("doctorA", keys.access(patient.id, 99));
  assert.equal(absent.value, undefined);
  assert.ok(verifyState(header, absent));

  // What a custodian wants to see before it releases a share, as the reading doctor proves it.
  const needed = [
    keys.access(patient.id, 1),
    keys.consentHead(patient.id),
    keys.actor(doctorB.id),
    keys.member(B),
    keys.credential(doctorB.credential),
    keys.record(record),
    keys.custodian("custodian-a" as never),
  ];
  for (const key of needed) await prove("doctorB", key);
  const hidden: readonly (readonly [Name, string])[] = [
    ["stranger", keys.access(patient.id, 1)],
    ["stranger", keys.consentHead(patient.id)],
    ["stranger", keys.record(record)],
    ["stranger", keys.actor(patient.id)],
    ["patient", keys.actor(doctorB.id)],
    ["doctorB", keys.actor(patient.id)],
    ["doctorB", keys.accessHead(patient.id)],
    ["doctorB", keys.access(patient.id, 99)],
    ["doctorB", keys.credential(people.doctorA.credential)],
    ["doctorB", keys.consentHead(stranger.id)],
    ["patient", "replay/1"],
    ["doctorA", "nothing/of/this/kind"],
  ];
  for (const [name, key] of hidden)
    assert.equal(await status(name, `/v1/state?key=${encodeURIComponent(key)}`), 404, `${name} ${key}`);
  for (const name of ["patient", "doctorB"] as const)
    for (const key of ["parameters", "log", keys.member(B), keys.classRule("cost", "core")]) await prove(name, key);
});

test("an audit entry is proved to stand in the log", async () => {
  const refused = await stage.submit("doctorB", { ...readRecord(), purpose: "HRESCH" } as never, "provable");
  const answer = await (await as("patient")).get(`/v1/entries/${refused.sequence}/proof`);
  assert.equal(answer.status, 200);
  const proof = cbor.decode(await answer.bytes(), 1_000_000) as Proof;
  assert.deepEqual(Object.keys(proof).sort(), ["entry", "epoch", "head", "index", "path", "sequence"]);
  const header = await new LightClient(genesisTrust(stage.ledger.genesis)).advance(proof.head.lightBlock);
  assert.ok(verifyState(header, proof.head));
  const log = readLogHead(proof.head.key, proof.epoch, proof.head.value);
  assert.ok(verifyLogEntry(proof.entry, proof.index, log.size, proof.path, log.root));
  assert.equal(await status("stranger", `/v1/entries/${refused.sequence}/proof`), 404);
  assert.equal(await status("commission", "/v1/entries/999999/proof"), 404);
});

test("the OpenAPI document describes every route, and answers have the shapes that it states", async () => {
  const document = await (await stage.fetch("/openapi.json")).json();
  assert.equal(document.openapi, "3.1.0");
  const paths = Object.keys(document.paths);
  for (const path of [
    "/v1/status",
    "/v1/transactions:batch",
    "/v1/patients/{id}/accesses",
    "/v1/custodians/{id}/releases",
    "/v1/events",
    "/v1/fhir/$validate",
  ])
    assert.ok(paths.includes(path), `${path} is not among ${paths.join(" ")}`);
  assert.ok(paths.every((path) => Object.keys(document.paths[path]).every((method) => method === "get" || method === "post")));
  const strict = (schema: unknown): TSchema =>
    Type.Unsafe(
      JSON.parse(
        JSON.stringify(schema, (_, value) =>
          value?.type === "object" && value.properties !== undefined ? { ...value, additionalProperties: false } : value,
        ),
      ),
    );
  const shown: readonly (readonly [Name | undefined, string, string])[] = [
    [undefined, "/v1/status", "/v1/status"],
    [undefined, "/v1/members", "/v1/members"],
    [undefined, "/v1/custodians", "/v1/custodians"],
    [undefined, "/v1/class-matrix", "/v1/class-matrix"],
    ["commission", "/v1/entries", "/v1/entries"],
    ["patient", "/v1/patients/{id}/accesses", `/v1/patients/${patient.id}/accesses`],
    ["patient", "/v1/patients/{id}/consents", `/v1/patients/${patient.id}/consents`],
    ["patient", "/v1/patients/{id}/records", `/v1/patients/${patient.id}/records`],
    ["doctorA", "/v1/records/{id}", `/v1/records/${record}`],
    ["doctorB", "/v1/grants", "/v1/grants"],
  ];
  for (const [name, path, url] of shown) {
    const answer = name === undefined ? await stage.fetch(url) : await (await as(name)).get(url);
    const schema = document.paths[path].get.responses["200"].content["application/json"].schema;
    const errors = Value.Errors(strict(schema), await answer.json());
    assert.deepEqual(errors, [], path);
  }
});
