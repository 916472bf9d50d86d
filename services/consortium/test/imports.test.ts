/** What an import refuses, and what one leaves that was refused, stopped or turned away half-way: nothing. */
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { keys } from "@xinglin/contracts";
import { type CustodianService, remoteCustodian } from "@xinglin/custody";
import { BundleRefused, fetchObject, importBundle, importDicom, redeemPermit } from "@xinglin/gateway";
import { generateStudy, instanceFiles, MAX_JSON_BYTES } from "@xinglin/interop";
import { Fault } from "@xinglin/primitives";
import { BUNDLE, CT, consent, EXAMPLES, leftovers, openTestStage, permitted, shareFiles, type TestStage } from "./open-stage.ts";

let stage: TestStage;
let folder: string;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), "xinglin-imports-"));
  stage = await openTestStage();
});
after(async () => {
  await stage.close();
  rmSync(folder, { recursive: true });
});

const options = () => ({ by: stage.key("hospital-a/radiographer"), patient: stage.patient.atA.actor });
const dicom = (path: string, more: object = {}) => importDicom(stage.gateway, path, { ...options(), ...more });
const fhir = (path: string, more: object = {}) =>
  importBundle(stage.gateway, path, { ...options(), originals: stage.originals, ...more });

/** A folder of the CT slices, changed by `change`. */
function studyFolder(name: string, change: (path: string) => void): string {
  const path = join(folder, name);
  mkdirSync(path);
  for (const slice of readdirSync(CT)) copyFileSync(join(CT, slice), join(path, slice));
  change(path);
  return path;
}
function bundleFile(name: string, content: string | Uint8Array): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}
/** Runs an import that must fail with `code` and leave stores, journal, originals and chain as they were. */
async function leavesNothing(work: () => Promise<unknown>, code: string): Promise<Fault> {
  const { ledger } = stage.consortium;
  // The key for shared pixels is made once and stays.
  const originals = (): number =>
    readdirSync(join(stage.data, "members", "hospital-a"), { recursive: true }).filter((name) => !`${name}`.startsWith("shared"))
      .length;
  const before = { files: leftovers(stage), entries: ledger.entryCount(), originals: originals() };
  const fault = await work().then(
    () => assert.fail(`no ${code}`),
    (error: unknown) => error,
  );
  assert.ok(fault instanceof Fault, String(fault));
  assert.equal(fault.code, code, fault.message);
  assert.deepEqual({ files: leftovers(stage), entries: ledger.entryCount(), originals: originals() }, before);
  return fault;
}
/** Lets `service` answer for a custodian while `work` runs. */
async function withCustodian<T>(id: string, service: CustodianService, work: () => Promise<T>): Promise<T> {
  const { custodians } = stage.consortium;
  const own = custodians.get(id) as CustodianService;
  custodians.set(id, service);
  try {
    return await work();
  } finally {
    custodians.set(id, own);
  }
}
const unreachable = remoteCustodian("http://127.0.0.1:9");

test("broken input is refused by code before anything is written", async () => {
  const truncated = studyFolder("truncated", (path) => truncateSync(join(path, "IM000002.dcm"), 40_000));
  const cut = await leavesNothing(() => dicom(truncated), "dicom_truncated");
  assert.equal(cut.facts.position, 2, "the place of the file is told, not its name");
  const mixed = studyFolder("mixed", (path) => copyFileSync(join(EXAMPLES, "dicom", "CT_small.dcm"), join(path, "other.dcm")));
  await leavesNothing(() => dicom(mixed), "dicom_mixed_studies");
  const doubled = studyFolder("doubled", (path) => copyFileSync(join(path, "IM000001.dcm"), join(path, "again.dcm")));
  await leavesNothing(() => dicom(doubled), "dicom_duplicate_instance");
  mkdirSync(join(folder, "empty"));
  await leavesNothing(() => dicom(join(folder, "empty")), "dicom_no_instances");

  const text = readFileSync(BUNDLE, "utf8");
  await leavesNothing(() => fhir(bundleFile("half.json", text.slice(0, text.length / 2))), "fhir_invalid");
  await leavesNothing(() => fhir(join(folder, "nothing.json")), "file_missing");
  const large = bundleFile("large.json", "");
  truncateSync(large, MAX_JSON_BYTES + 1);
  await leavesNothing(() => fhir(large), "too_large");
});

test("a sex as hospitals write it is refused with the value domain that it belongs to", async () => {
  const wrong = readFileSync(BUNDLE, "utf8").replace(/"gender"(\s*):(\s*)"[a-z]+"/, '"gender"$1:$2"男"');
  const refused = await leavesNothing(() => fhir(bundleFile("gender.json", wrong)), "fhir_invalid");
  assert.ok(refused instanceof BundleRefused);
  const [issue] = refused.rejection.issues;
  assert.equal(issue?.code, "code_not_in_value_set");
  assert.match(issue?.element ?? "", /^Bundle\.entry\[\d+\].*gender$/);
  assert.match(JSON.stringify(issue?.facts), /GB\/T 2261\.1/);
  assert.ok(!refused.message.includes("男"), "the value is not repeated");
});

test("an import that is stopped leaves nothing, at whatever point", async () => {
  const study = join(folder, "generated");
  mkdirSync(study);
  await generateStudy({ from: await instanceFiles(CT), outputFolder: study, sizeBytes: 12_000_000, seed: 7 });
  const abort = new AbortController();
  let progressed = 0;
  const onProgress = (): void => {
    if (++progressed === 1) assert.ok(leftovers(stage).length > 0, "pieces are being written");
    abort.abort();
  };
  await leavesNothing(() => dicom(study, { onProgress, signal: abort.signal }), "aborted");
  assert.ok(progressed > 0);

  // In the third of several records, when the first two are on the stores.
  const second = new AbortController();
  const begun = new Set<number>();
  const onBundle = (_: number, total: number): void => {
    begun.add(total);
    if (begun.size === 3) second.abort();
  };
  await leavesNothing(() => fhir(BUNDLE, { onProgress: onBundle, signal: second.signal }), "aborted");

  // While the custodians are asked: the archive is done by then.
  const late = new AbortController();
  const slow: CustodianService = {
    ...unreachable,
    deposit: (request) => {
      late.abort();
      return own.deposit(request);
    },
  };
  const own = stage.consortium.custodians.get("custodian-clinic-d") as CustodianService;
  await withCustodian("custodian-clinic-d", slow, () => leavesNothing(() => dicom(CT, { signal: late.signal }), "aborted"));
});

test("a custodian that is away or refuses its share is named, and nothing is anchored", async () => {
  const away = await withCustodian("custodian-clinic-d", unreachable, () => leavesNothing(() => dicom(CT), "deposits_refused"));
  assert.deepEqual(away.facts, { custodians: "custodian-clinic-d", codes: "custodian_unreachable" });
  assert.ok(away.retry);
  const other = stage.consortium.custodians.get("custodian-hospital-c") as CustodianService;
  const refused = await withCustodian("custodian-clinic-d", other, () => leavesNothing(() => dicom(CT), "deposits_refused"));
  assert.deepEqual(refused.facts, { custodians: "custodian-clinic-d", codes: "not_a_custodian" });
  assert.ok(!refused.retry);

  // From the second record of a Bundle on: the first one's pieces go as well.
  const { custodians } = stage.consortium;
  const own = custodians.get("custodian-clinic-d") as CustodianService;
  let asked = 0;
  const once: CustodianService = {
    ...own,
    deposit: (request) => (++asked === 1 ? own.deposit(request) : unreachable.deposit(request)),
  };
  await withCustodian("custodian-clinic-d", once, () => leavesNothing(() => fhir(BUNDLE), "deposits_refused"));
  assert.equal(asked, 2);
});

test("what the rules refuse to anchor is taken from the stores again, and the refusal is on the record", async () => {
  const before = { files: leftovers(stage), entries: stage.consortium.ledger.entryCount() };
  await assert.rejects(dicom(CT, { patient: stage.patient.atB.actor }), { code: "patient_of_another_member" });
  assert.deepEqual(leftovers(stage), before.files);
  assert.equal(
    stage.consortium.ledger.entryCount(),
    before.entries + 2,
    "of the record, and of the pixels that it would have relied on",
  );
});

test("a damaged share is named and the others suffice; with fewer than the threshold nobody reads", async () => {
  const { record } = await dicom(CT);
  assert.notEqual(stage.consortium.ledger.get(keys.record(record.record)), undefined);
  await consent(stage, stage.patient.atA, ["imaging"]);
  const share = (member: string, kind: "share" | "key"): string => shareFiles(stage, member, record.record)[kind] as string;
  const flip = (path: string): void => {
    const bytes = readFileSync(path);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1;
    writeFileSync(path, bytes);
  };
  const doctor = stage.key("hospital-b/doctor");

  flip(share("hospital-c", "share"));
  const held = await permitted(stage, stage.patient.atA.actor, record);
  const opened = await redeemPermit(stage.gateway, doctor, held);
  assert.deepEqual(opened.refused, [{ custodian: "custodian-hospital-c", code: "share_damaged" }]);
  assert.equal(opened.released.length, 5);
  const received = join(folder, "received");
  await fetchObject(stage.gateway, held.permit, opened.contentKey, received, doctor);
  const sorted = (path: string): string[] =>
    readdirSync(path)
      .filter((name) => name.endsWith(".dcm"))
      .map((name) => readFileSync(join(path, name)).toString("base64"))
      .sort();
  assert.deepEqual(sorted(received), sorted(CT));

  rmSync(share("clinic-d", "key"));
  const stillOpen = await permitted(stage, stage.patient.atA.actor, record);
  const refusals = await withCustodian("custodian-institute-e", unreachable, async () => {
    flip(share("hospital-b", "key"));
    return redeemPermit(stage.gateway, doctor, stillOpen).catch((error: unknown) => error);
  });
  assert.ok(refusals instanceof Fault);
  assert.equal(refusals.code, "releases_refused");
  assert.equal(refusals.facts.released, 2);
  assert.equal(refusals.facts.threshold, 4);
  assert.deepEqual(String(refusals.facts.codes).split(",").sort(), ["custodian_unreachable", "share_damaged", "share_missing"]);
});
