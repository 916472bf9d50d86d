/** Searching for records: what a patient's directives open appears, what they close disappears, at one node and at another member's over HTTP. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { dropEndedDescriptions } from "@xinglin/api";
import { ApiClient, grantConsent, narrowConsent, revokeConsent, TrustedChain } from "@xinglin/client";
import {
  BODY_PARTS,
  CATEGORIES,
  type DirectiveTerms,
  FHIR_STATUSES,
  getRecord,
  LEVELS,
  MODALITIES,
  PURPOSES,
  type Purpose,
  type SearchCriteria,
} from "@xinglin/contracts";
import {
  type Anchored,
  amendBundle,
  batchLeaves,
  endLeaf,
  endRecord,
  fileDescriptions,
  importBatches,
  importBundle,
  importDicom,
  type KeyOfFile,
  newCredentialId,
  readKeyFile,
  rebuildFromBatch,
  rebuildFromOriginals,
  rebuildFromStudy,
  registerStaff,
  requestRead,
  requireAccepted,
  searchRecords,
} from "@xinglin/gateway";
import { keepDescriptions } from "@xinglin/index";
import { describeStudy, readDicomFile } from "@xinglin/interop";
import { administrationKey, type OpenMember, openMember } from "@xinglin/member";
import { type CredentialId, cbor, type Fault, type MemberId, type RecordId, type UnixSeconds } from "@xinglin/primitives";
import { type Kysely, sql } from "kysely";
import { keyPath } from "../src/story/stage.ts";
import { BUNDLE, CT, EXAMPLES, openTestStage, TEMPLATE, type TestStage } from "./open-stage.ts";

const A = "hospital-a" as MemberId;
const B = "hospital-b" as MemberId;
const C = "hospital-c" as MemberId;
const E = "institute-e" as MemberId;
const CLOSED = new Set<string>([...MODALITIES, ...BODY_PARTS, ...FHIR_STATUSES, ...CATEGORIES, ...LEVELS, ...PURPOSES]);
const GLUCOSE = { code: { system: "LOINC", code: "2345-7" } } as const;

let stage: TestStage;
let study: Anchored;
let groups: readonly Anchored[];
before(async () => {
  stage = await openTestStage();
  const options = { by: radiographer(), patient: stage.patient.atA.actor, originals: stage.originals };
  study = (await importDicom(stage.gateway, CT, options)).record;
  groups = (await importBundle(stage.gateway, BUNDLE, options)).records;
});
after(() => stage.close());

const radiographer = (): KeyOfFile => stage.key("hospital-a/radiographer");
const doctor = (): KeyOfFile => stage.key("hospital-b/doctor");
const db = (): Kysely<never> => stage.consortium.index.db as never;
const rowsOf = async (table: string): Promise<object[]> =>
  (await sql<{ row: object }>`select to_jsonb(t) as row from ${sql.id("xinglin_search", table)} t`.execute(db())).rows.map(
    ({ row }) => row,
  );

/** Ids of what a search at the node behind `client` shows, for these criteria. */
async function found(
  by: KeyOfFile,
  criteria: SearchCriteria,
  { purpose = "TREAT", client = stage.client, approval }: { purpose?: Purpose; client?: ApiClient; approval?: CredentialId } = {},
): Promise<RecordId[]> {
  const papers = approval === undefined ? {} : { approval };
  const query = { purpose, credential: by.credential as CredentialId, ...papers, criteria };
  const { records } = await searchRecords({ client }, by, query, { limit: 1_000 });
  return records.map(({ record }) => record).sort();
}

async function grant(member: MemberId, change: Partial<DirectiveTerms> = {}): Promise<{ number: number; terms: DirectiveTerms }> {
  const { client, patient } = stage;
  const { time } = await client.tip();
  const { hpke } = await (await TrustedChain.of(client)).member(patient.atA, member);
  const terms: DirectiveTerms = {
    effect: "permit",
    grantees: [{ kind: "institution", member }],
    purposes: ["TREAT"],
    categories: ["imaging", "laboratory"],
    levels: ["internal", "sensitive"],
    notBefore: (time - 60) as UnixSeconds,
    notAfter: (time + 86_400) as UnixSeconds,
    ...change,
  };
  const receipt = requireAccepted(await grantConsent(client, patient.atA, terms, [{ id: member, hpke }]));
  return { number: receipt.results[0]?.subject.number ?? 0, terms };
}
const revoke = async (number: number): Promise<void> => {
  requireAccepted(await revokeConsent(stage.client, stage.patient.atA, number));
};

test("a directive opens what a search shows, and closes it: granted, narrowed, denied, revoked; a request would be decided the same", async () => {
  const imaging = (): Promise<RecordId[]> => found(doctor(), { modality: "CT" });
  assert.deepEqual(await imaging(), []);
  const { number, terms } = await grant(B);
  assert.deepEqual(await imaging(), [study.record]);
  assert.deepEqual(await found(stage.key("hospital-c/doctor"), {}), []);
  assert.deepEqual(await found(doctor(), {}, { purpose: "HRESCH" }), []);

  // What is shown is permitted, what is not shown is refused, record by record.
  const shown = new Set(await found(doctor(), {}));
  assert.ok(shown.size > 1 && shown.size < groups.length + 1);
  for (const one of [study, ...groups]) {
    const decision = await requestRead(stage.gateway, doctor(), {
      patient: stage.patient.atA.actor,
      purpose: "TREAT",
      class: one.class,
      target: { kind: "record", record: one.record, version: one.version },
      credential: doctor().credential as CredentialId,
    });
    assert.equal(decision.permitted, shown.has(one.record), `${one.class.category}/${one.class.level}`);
  }

  const narrower = { ...terms, categories: ["laboratory" as const] };
  requireAccepted(await narrowConsent(stage.client, stage.patient.atA, number, narrower));
  assert.deepEqual(await imaging(), []);
  assert.ok((await found(doctor(), {})).length > 0);
  const again = await grant(B, { categories: ["imaging"] });
  assert.deepEqual(await imaging(), [study.record]);
  const denial = await grant(B, { effect: "deny", categories: ["imaging"] });
  assert.deepEqual(await imaging(), []);
  await revoke(denial.number);
  assert.deepEqual(await imaging(), [study.record]);
  await revoke(again.number);
  await revoke(number);
  assert.deepEqual(await found(doctor(), {}), []);
});

test("each criterion finds what has it and nothing else", async () => {
  const { number } = await grant(B, { categories: ["imaging", "laboratory", "vitals", "medication", "diagnoses"] });
  const isCt = async (criteria: SearchCriteria): Promise<boolean> => (await found(doctor(), criteria)).includes(study.record);
  for (const criteria of [
    { modality: "CT", bodyPart: "HEAD", maxSliceMicrometres: 1_500, fromMonth: 202_601, toMonth: 202_612, contrast: false },
    { category: "imaging", toMonth: 202_602, fromMonth: 202_602 },
  ] as const)
    assert.ok(await isCt(criteria), JSON.stringify(criteria));
  for (const criteria of [
    { modality: "MR" },
    { bodyPart: "CHEST" },
    { maxSliceMicrometres: 900 },
    { contrast: true },
    { manufacturer: "GE" },
    { fromMonth: 202_603 },
    { toMonth: 202_601 },
    { category: "laboratory" },
    { resourceType: "Observation" },
  ] as const)
    assert.ok(!(await isCt(criteria)), JSON.stringify(criteria));

  const bundles = readdirSync(stage.originals).filter((name) => name !== "");
  assert.ok(bundles.length >= groups.length);
  const withCode = groups.filter(({ record }) =>
    readFileSync(join(stage.originals, `${record}.json`), "utf8").includes('"http://loinc.org"'),
  );
  const loinc = /"system"\s*:\s*"http:\/\/loinc\.org",\s*"code"\s*:\s*"(\d+-\d)"/.exec(
    readFileSync(join(stage.originals, `${withCode[0]?.record}.json`), "utf8"),
  )?.[1] as string;
  const coded = { resourceType: "Observation", code: { system: "LOINC", code: loinc } } as const;
  assert.ok((await found(doctor(), coded)).includes(withCode[0]?.record as RecordId));
  assert.deepEqual(await found(doctor(), { ...coded, status: "cancelled" }), []);
  assert.deepEqual(await found(doctor(), { ...coded, resourceType: "Condition" }), []);
  assert.deepEqual(await found(doctor(), { ...coded, fromMonth: 210_001 }), []);
  await revoke(number);
});

test("research has its own purpose: treatment opens nothing to it", async () => {
  const path = keyPath(stage.data, "institute-e/researcher");
  const administration = readKeyFile(administrationKey(stage.data, E));
  const researcher = await registerStaff(stage.client, administration, { path, role: "researcher", department: "RES" });
  const { number } = await grant(E, { categories: ["imaging"] });
  assert.deepEqual(await found(researcher, { modality: "CT" }, { purpose: "HRESCH" }), []);
  await revoke(number);
  const research = await grant(E, { categories: ["imaging"], purposes: ["HRESCH"] });
  assert.deepEqual(await found(researcher, { modality: "CT" }, { purpose: "HRESCH" }), [study.record]);
  assert.deepEqual(await found(researcher, { modality: "CT" }), []);
  await revoke(research.number);

  // A study that an ethics committee approved, and to which the patient consented: shown with its approval, and not without.
  const approval = newCredentialId();
  const commission = readKeyFile(administrationKey(stage.data, "commission" as MemberId));
  const { time } = await stage.client.tip();
  const terms = { purpose: "HRESCH", categories: ["imaging"], levels: ["sensitive", "core"] } as const;
  const period = { notBefore: (time - 60) as UnixSeconds, notAfter: (time + 86_400) as UnixSeconds };
  const operation = {
    ...{ op: "recordApproval", id: approval, kind: "ethics", member: commission.member, protocol: new Uint8Array(32).fill(1) },
    ...{ grantee: { kind: "role", member: E, role: "researcher" }, ...terms, ...period },
  } as const;
  requireAccepted(await stage.client.submit(commission, [operation as never]));
  const ofStudy = await grant(E, { grantees: [{ kind: "study", approval }], categories: ["imaging"], purposes: ["HRESCH"] });
  assert.deepEqual(await found(researcher, { modality: "CT" }, { purpose: "HRESCH", approval }), [study.record]);
  assert.deepEqual(await found(researcher, { modality: "CT" }, { purpose: "HRESCH" }), []);
  assert.deepEqual(await found(doctor(), { modality: "CT" }, { purpose: "HRESCH", approval }), []);
  await revoke(ofStudy.number);
});

test("a directive that ends by itself closes the search with the block that is past its end", async () => {
  const { ledger } = stage.consortium;
  const { time } = await stage.client.tip();
  const notAfter = (time + 6) as UnixSeconds;
  let newest = 0;
  let told = (): void => {};
  const stop = ledger.subscribe((block) => {
    newest = block.time.seconds;
    told();
  });
  try {
    await grant(B, { categories: ["imaging"], notAfter });
    const shown = await found(doctor(), { modality: "CT" });
    // On a machine that is very busy it may be over already.
    if (newest < notAfter) assert.deepEqual(shown, [study.record]);
    while (newest < notAfter)
      await new Promise<void>((resolve) => {
        told = resolve;
      });
    assert.deepEqual(await found(doctor(), { modality: "CT" }), []);
  } finally {
    stop();
  }
});

test("who may not ask is told so of its own papers, and a hostile query is turned away", async () => {
  const { client } = stage;
  const credential = doctor().credential as CredentialId;
  const ask = (by: KeyOfFile, query: unknown) => client.postBytes("/v1/search", cbor.encode(query), by);
  const plain = { purpose: "TREAT", credential, criteria: {} };
  // A credential of somebody else, of a role that does not read, and nobody of the staff.
  await assert.rejects(ask(stage.key("hospital-c/doctor"), plain), { code: "search_credential_refused" });
  const registrar = stage.key("hospital-b/registrar");
  await assert.rejects(ask(registrar, { ...plain, credential: registrar.credential }), { code: "search_credential_refused" });
  await assert.rejects(ask(stage.patient.atA, plain), { code: "search_credential_refused" });
  await assert.rejects(client.postBytes("/v1/search", cbor.encode(plain)), { code: "session_missing" });
  const criteria: unknown[] = [
    { modality: "CT' or true --" },
    { code: { system: "LOINC", code: "1'; drop schema xinglin_search cascade; --" } },
    { code: { system: "http://hospital.example/numbers", code: "123" } },
    { patient: stage.patient.atA.actor },
    { name: "王小明" },
    { fromMonth: 202_513 },
    { maxSliceMicrometres: -1 },
    { resourceType: ["Observation"] },
    { status: "x".repeat(2_000) },
    [],
    null,
  ];
  for (const one of criteria) await assert.rejects(ask(doctor(), { ...plain, criteria: one }), { code: "malformed" });
  await assert.rejects(ask(doctor(), { ...plain, purpose: "CURIOSITY" }), { code: "malformed" });
  await assert.rejects(ask(doctor(), { ...plain, after: { month: 1, record: "x" } }), { code: "malformed" });
  await assert.rejects(client.postBytes("/v1/search", new Uint8Array(5_000), doctor()), { code: "body_too_large" });
  await assert.rejects(client.postBytes("/v1/search", Uint8Array.of(0xff), doctor()), { code: "malformed" });
  assert.ok((await rowsOf("records")).length > 0);
});

test("only the source describes its records, as they stand", async () => {
  const { client } = stage;
  const described = describeStudy([await readDicomFile(join(EXAMPLES, "dicom", "CT_small.dcm"))]);
  const of = (version: number, record = study.record) => [{ kind: "record" as const, record, version, description: described }];
  const codeAs = async (by: KeyOfFile, records: Parameters<typeof fileDescriptions>[2]): Promise<string | undefined> =>
    (await fileDescriptions(client, by, records)).refused[0]?.code;
  const before = await rowsOf("records");
  assert.equal(await codeAs(stage.key("hospital-b/registrar"), of(1)), "record_of_another_member");
  assert.equal(await codeAs(radiographer(), of(2)), "record_superseded");
  assert.equal(await codeAs(radiographer(), of(1, "0".repeat(32) as RecordId)), "unknown_record");
  const root = new Uint8Array(32);
  const leaf = { kind: "leaf" as const, record: "1".repeat(32) as RecordId, root, patient: stage.patient.atA.actor };
  assert.equal(await codeAs(radiographer(), [{ ...leaf, class: study.class, description: described }]), "unknown_batch");
  await assert.rejects(fileDescriptions(client, stage.patient.atA, of(1)), { code: "search_credential_refused" });
  const named = { ...described, bodyParts: ["WANG XIAOMING"] };
  await assert.rejects(fileDescriptions(client, radiographer(), [{ ...of(1)[0], description: named }] as never), {
    code: "malformed",
  });
  assert.deepEqual(await rowsOf("records"), before);
});

test("a record that is amended, withdrawn or ended leaves the table with its block", async () => {
  const { number } = await grant(B, { categories: ["imaging", "laboratory", "vitals", "medication", "diagnoses"] });
  const of = (category: string): Anchored => groups.find((one) => one.class.category === category) as Anchored;
  const isDescribed = async (record: RecordId): Promise<number | undefined> => {
    await stage.consortium.index.catchUp();
    return (await rowsOf("records")).map((row) => row as { record: string; version: number }).find((row) => row.record === record)
      ?.version;
  };
  const registrar = stage.key("hospital-a/registrar");
  const amended = of("laboratory");
  const bytes = readFileSync(join(stage.originals, `${amended.record}.json`));
  await amendBundle(stage.gateway, amended, bytes, { by: radiographer(), originals: stage.originals });
  assert.equal(await isDescribed(amended.record), 2);
  assert.ok((await found(doctor(), {})).includes(amended.record));

  const withdrawn = of("vitals");
  assert.equal(await isDescribed(withdrawn.record), 1);
  const credential = radiographer().credential as CredentialId;
  const operation = { op: "withdrawRecord", record: withdrawn.record, credential } as const;
  requireAccepted(await stage.client.submit(radiographer(), [operation]));
  assert.equal(await isDescribed(withdrawn.record), undefined);

  await endRecord(stage.gateway, registrar, amended.record);
  assert.equal(await isDescribed(amended.record), undefined);
  const entries = (await rowsOf("entries")) as { record: string }[];
  assert.ok(entries.length > 0 && !entries.some(({ record }) => record === amended.record || record === withdrawn.record));
  const shown = await found(doctor(), {});
  assert.ok(!shown.includes(amended.record) && !shown.includes(withdrawn.record));

  // Making the read model anew forgets nothing of what is described, and brings nothing back.
  const described = (await rowsOf("records")).length;
  await stage.consortium.index.rebuild();
  assert.equal((await rowsOf("records")).length, described);
  assert.deepEqual(await found(doctor(), { modality: "CT" }), [study.record]);
  await revoke(number);
});

test("records of batches have codes too; a leaf that ends leaves", async () => {
  const observation = (code: string, month: string): Uint8Array =>
    Buffer.from(
      JSON.stringify({
        resourceType: "Observation",
        status: "final",
        code: { coding: [{ system: "http://loinc.org", code }] },
        effectiveDateTime: `${month}-11`,
        valueQuantity: { value: 5.4, unit: "mmol/L" },
      }),
    );
  const patient = stage.patient.atA.actor;
  const laboratory = { level: "sensitive", category: "laboratory" } as const;
  const contents = Array.from({ length: 120 }, (_, i) =>
    observation(i % 2 === 0 ? "2345-7" : "718-7", `2025-${i < 60 ? "03" : "09"}`),
  );
  const inputs = contents.map((content) => ({ patient, class: laboratory, format: "fhir" as const, content }));
  const leaves = batchLeaves(stage.data, A);
  const records: RecordId[] = [];
  for await (const batch of importBatches(stage.gateway, inputs, { by: radiographer(), leaves })) {
    assert.equal(batch.undescribed, undefined);
    records.push(...batch.records);
  }
  assert.deepEqual(await found(doctor(), GLUCOSE), []);
  const { number } = await grant(B, { categories: ["laboratory"] });
  const glucose = records.filter((_, i) => i % 2 === 0);
  assert.deepEqual(await found(doctor(), GLUCOSE), glucose.toSorted());
  // Two pages, and a month.
  assert.deepEqual(await found(doctor(), { ...GLUCOSE, toMonth: 202_506 }), glucose.slice(0, 30).toSorted());

  const gone = glucose[0] as RecordId;
  await endLeaf(stage.gateway, stage.key("hospital-a/registrar"), gone, leaves);
  assert.deepEqual(await found(doctor(), GLUCOSE), glucose.slice(1).toSorted());
  await stage.consortium.index.catchUp();
  assert.ok(!((await rowsOf("records")) as { record: string }[]).some(({ record }) => record === gone));

  // The database is lost: the originals say it all again, but nothing of what has ended.
  await sql`delete from xinglin_search.records`.execute(db());
  assert.deepEqual(await found(doctor(), GLUCOSE), []);
  const originals = (async function* () {
    for (const [i, record] of records.entries()) yield { record, content: contents[i] as Uint8Array };
  })();
  assert.equal((await rebuildFromBatch(stage.gateway, radiographer(), leaves, originals)).kept, records.length - 1);
  assert.deepEqual(await found(doctor(), GLUCOSE), glucose.slice(1).toSorted());
  const kept = await rebuildFromOriginals(stage.gateway, radiographer(), stage.originals);
  const current = groups.filter(({ record }) => getRecord(stage.consortium.ledger, record)?.status === "current");
  assert.deepEqual(kept, { kept: current.length, refused: [] });
  assert.equal((await rebuildFromStudy(stage.gateway, radiographer(), study.record, CT)).kept, 1);
  await revoke(number);
});

/** Every text and number below a value, with the name under which it stands. */
function* leavesOf(value: unknown, name = ""): Generator<readonly [string, string]> {
  if (Array.isArray(value)) for (const item of value) yield* leavesOf(item, name);
  else if (typeof value === "object" && value !== null)
    for (const [key, inner] of Object.entries(value)) yield* leavesOf(inner, key);
  else if (typeof value === "string" || typeof value === "number") yield [name, String(value)];
}

test("nothing in the tables identifies the patient of the example files", async () => {
  const secrets = new Set<string>();
  const hide = (text: string): void => {
    for (const word of [text, ...text.split(/[\s,:^=]+/)]) if (word.length > 3) secrets.add(word.toLowerCase());
  };
  for (const name of readdirSync(CT)) {
    const instance = await readDicomFile(join(CT, name));
    const { studyInstanceUid, seriesInstanceUid, sopInstanceUid } = instance;
    for (const [, text] of leavesOf([instance.decodePatientTexts(), studyInstanceUid, seriesInstanceUid, sopInstanceUid]))
      hide(text);
  }
  const named =
    /^(family|given|text|value|id|reference|line|birthDate|display|fullUrl|div|\w*DateTime|issued|authoredOn|\w*Date)$/;
  const types = new Set<string>();
  for (const [name, text] of leavesOf(JSON.parse(readFileSync(BUNDLE, "utf8")))) {
    if (named.test(name)) hide(text);
    if (name === "resourceType") types.add(text);
  }
  assert.ok(secrets.size > 100 && [...secrets].some((one) => /^1\.2|^2\.25/.test(one)));

  const rows = await Promise.all(["records", "entries", "searches", "shown"].map(rowsOf));
  // Ids are random, and words of the closed lists and types of resources are everybody's.
  // The time of a search is that of this run, whose digits may be anything.
  const isNow = (text: string): boolean => /^\d{10}$/.test(text) && Math.abs(Number(text) - Date.now() / 1000) < 86_400;
  const isOpen = (text: string): boolean =>
    !/^(\\\\x)?[0-9a-f]{16,64}$/.test(text) && !CLOSED.has(text) && !types.has(text) && !isNow(text);
  const told = [...leavesOf(rows)].map(([, text]) => text).filter(isOpen);
  assert.ok(told.includes("2345-7") && told.includes("202602"));
  for (const text of told)
    for (const secret of secrets) assert.ok(!text.toLowerCase().includes(secret), `a row holds ${secret}, in ${text}`);
});

test("who searched stands in the log with what was shown, and the patient sees by whom", async () => {
  const { number } = await grant(B, { categories: ["imaging"] });
  await found(doctor(), { modality: "CT" });
  const log = (await stage.client.getJson(
    "/v1/searches?limit=1",
    readKeyFile(administrationKey(stage.data, "commission" as MemberId)),
  )) as {
    items: Record<string, unknown>[];
  };
  assert.deepEqual(
    [log.items[0]?.actor, log.items[0]?.member, log.items[0]?.purpose, log.items[0]?.criteria, log.items[0]?.shown],
    [doctor().actor, B, "TREAT", { modality: "CT" }, 1],
  );
  const own = (await stage.client.getJson(`/v1/patients/${stage.patient.atA.actor}/searches`, stage.patient.atA)) as {
    items: { actor: string; records: string[] }[];
  };
  assert.deepEqual([own.items[0]?.actor, own.items[0]?.records], [doctor().actor, [study.record]]);
  assert.ok(!("criteria" in (own.items[0] ?? {})));
  for (const by of [doctor(), stage.patient.atB, readKeyFile(administrationKey(stage.data, B))]) {
    await assert.rejects(stage.client.getJson("/v1/searches", by), { code: "not_visible" });
    await assert.rejects(stage.client.getJson(`/v1/patients/${stage.patient.atA.actor}/searches`, by), { code: "not_visible" });
  }
  await revoke(number);
});

test("each member's node is asked over HTTP for its own records; one that is away or lies is told", async () => {
  const { ledger } = stage.consortium;
  const shared = new Proxy(ledger, {
    get: (target, name) => {
      if (name === "close") return async () => {};
      const value = Reflect.get(target, name) as unknown;
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const opened: OpenMember[] = [];
  const node = async (search: { member: MemberId; nodes: { member: MemberId; url: string }[] }): Promise<ApiClient> => {
    const member = await openMember({
      ledger: shared,
      database: { kind: "embedded", template: TEMPLATE },
      api: { host: "localhost", port: 0, search },
    });
    opened.push(member);
    return new ApiClient({ url: member.url, chainId: ledger.chainId });
  };
  let liar: Server | undefined;
  try {
    const atA = await node({ member: A, nodes: [] });
    // It passes everything on to A, and answers searches as if A's records were C's.
    liar = createServer(async (request, answer) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      if (request.url === "/v1/search") {
        const one = { record: study.record, version: 1, member: A, patient: stage.patient.atA.actor, class: study.class };
        return answer.end(cbor.encode({ records: [{ ...one, format: "dicom", basis: "free" }] }));
      }
      const method = request.method ?? "GET";
      if (request.url === "/v1/sessions") return answer.end(cbor.encode({ session: "0".repeat(32) }));
      const passed = await fetch(`${atA.url}${request.url}`, { method });
      answer.end(Buffer.from(await passed.arrayBuffer()));
    });
    await new Promise<void>((resolve) => liar?.listen(0, "127.0.0.1", resolve));
    const liarUrl = `http://127.0.0.1:${(liar.address() as AddressInfo).port}`;
    const atB = await node({
      member: B,
      nodes: [
        { member: A, url: atA.url },
        { member: C, url: liarUrl },
        { member: E, url: "http://127.0.0.1:9" },
      ],
    });
    await rebuildFromStudy({ client: atA }, radiographer(), study.record, CT);
    // B keeps nothing of A's.
    await assert.rejects(
      fileDescriptions(atB, radiographer(), [
        {
          kind: "record",
          record: study.record,
          version: 1,
          description: describeStudy([await readDicomFile(join(CT, "IM000001.dcm"))]),
        },
      ]),
      { code: "not_visible" },
    );
    const query = { purpose: "TREAT", credential: doctor().credential as CredentialId, criteria: { modality: "CT" } } as const;
    const { number } = await grant(B, { categories: ["imaging"] });
    const outcome = await searchRecords({ client: atB }, doctor(), query, { limit: 50 });
    assert.deepEqual(
      outcome.records.map(({ record, member, class: { category }, month, basis }) => [record, member, category, month, basis]),
      [[study.record, A, "imaging", 202_602, "consent"]],
    );
    const codes = outcome.nodes.map(({ members, code }) => [members.join(), code]);
    assert.deepEqual(codes[0], [B, undefined]);
    assert.deepEqual(codes[1], [A, undefined]);
    assert.deepEqual(codes[2], [C, "search_answer_wrong"]);
    assert.deepEqual(codes[3], [E, "api_unreachable"]);
    assert.deepEqual([...outcome.unasked].sort(), ["clinic-d", "commission"]);
    await revoke(number);
    assert.deepEqual(await found(doctor(), { modality: "CT" }, { client: atB }), []);
    // A's own people ask as everybody does: what the chain opens.
    assert.deepEqual(await found(radiographer(), { modality: "CT" }, { client: atB }), []);
  } finally {
    await new Promise<void>((resolve) => (liar === undefined ? resolve() : liar.close(() => resolve())));
    for (const member of opened) await member.close();
  }
});

test("asking without end is bounded", async () => {
  const by = stage.key("hospital-c/doctor");
  const query = cbor.encode({ purpose: "TREAT", credential: by.credential, criteria: {} });
  const asked = await Promise.allSettled(Array.from({ length: 160 }, () => stage.client.postBytes("/v1/search", query, by)));
  const limited = asked
    .filter(({ status }) => status === "rejected")
    .map((one) => (one as PromiseRejectedResult).reason as Fault);
  assert.ok(limited.length > 0 && limited.every(({ code, retry }) => code === "rate_limited" && retry));
});

test("an old copy of the database forgets at its start what has ended since", async () => {
  const { ledger, index } = stage.consortium;
  const withdrawn = groups.find(({ record }) => getRecord(ledger, record)?.status === "withdrawn") as Anchored;
  const description = { format: "fhir", entries: [{ type: "Observation" }] } as const;
  const { record, class: recordClass } = withdrawn;
  const old = { record, version: 1, source: A, patient: stage.patient.atA.actor, class: recordClass };
  await keepDescriptions(index.db, [{ ...old, description: { ...description, entries: [...description.entries] } }]);
  const before = (await rowsOf("records")).length;
  assert.equal(await dropEndedDescriptions(ledger, index, new AbortController().signal), 1);
  assert.equal((await rowsOf("records")).length, before - 1);
});
