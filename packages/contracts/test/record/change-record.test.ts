import assert from "node:assert/strict";
import { test } from "node:test";
import type { CredentialId, RecordId } from "@xinglin/primitives";
import {
  type AmendRecordRefusal,
  type EndRecordRefusal,
  getRecord,
  getRecordVersion,
  keys,
  type MedicalRecord,
  type Operation,
  type OperationOf,
  type Outcome,
  type RefileRecordRefusal,
  type WithdrawRecordRefusal,
} from "../../src/index.ts";
import { codeOf, testRefusals } from "../support/refusals.ts";
import {
  administration,
  at,
  credentials,
  custodians,
  custody,
  hospitalA,
  hospitalB,
  object,
  otherPatient,
  patient,
  patientAtB,
  people,
  record,
  type World,
  world,
  YEAR,
} from "../support/world.ts";

const admin = { by: administration(hospitalA) };
const nurse = { by: people.nurseA };
const doctorB = { by: people.doctorB };
const nobody = "0".repeat(32) as CredentialId;
const nothing = "0".repeat(32) as RecordId;

const amend: OperationOf<"amendRecord"> = { op: "amendRecord", record: record(1), object: object(40), custody: custody(41) };
const refile: OperationOf<"refileRecord"> = { ...amend, op: "refileRecord", to: otherPatient };
const withdraw: OperationOf<"withdrawRecord"> = { op: "withdrawRecord", record: record(1) };
const end: OperationOf<"endRecord"> = { op: "endRecord", record: record(1) };

const after = (...operations: Operation[]): World => {
  const changed = world();
  for (const operation of operations) changed.do(admin, operation);
  return changed;
};
const withdrawn = after(withdraw);
const atVersion = (version: number): World =>
  world().set(keys.record(record(1)), { ...world().read<MedicalRecord>(keys.record(record(1))), version });
const retired = world().set(keys.custodian(custodians[0]!), {
  ...world().read<object>(keys.custodian(custodians[0]!)),
  status: "retired",
});

/** Rows that every change of a record shares: who asks, and which record. */
const whoAndWhich = <Op extends typeof amend | typeof refile | typeof withdraw | typeof end>(op: Op) => ({
  caller_not_allowed: world().decide({ by: patient }, op),
  no_credential: world().decide(nurse, op),
  unknown_credential: world().decide(nurse, { ...op, credential: nobody }),
  credential_of_another: world().decide(nurse, { ...op, credential: credentials.registrar }),
  credential_not_in_force: world().decide({ by: people.registrar, time: at(YEAR) }, { ...op, credential: credentials.registrar }),
  role_not_allowed: world().decide({ by: people.researcher }, { ...op, credential: credentials.researcher }),
  unknown_record: world().decide(admin, { ...op, record: nothing }),
  record_of_another_member: world().decide({ by: administration(hospitalB) }, op),
});
/** Rows that every new version shares: a new object, a new key, a fit custody. */
const versions = <Op extends typeof amend | typeof refile>(op: Op) => ({
  too_many_versions: atVersion(65_535).decide(admin, op),
  object_reused: world().decide(admin, { ...op, object: { ...op.object, root: object(20).root } }),
  commitments_reused: world().decide(admin, { ...op, custody: custody(21) }),
  epoch_wrong: world().decide(admin, { ...op, custody: custody(41, 2) }),
  threshold_too_high: world().decide(admin, { ...op, custody: { ...op.custody, threshold: 7 } }),
  threshold_too_low: world().decide(admin, { ...op, custody: { ...op.custody, threshold: 3 } }),
  custodian_repeated: world().decide(admin, {
    ...op,
    custody: { ...op.custody, custodians: [custodians[0]!, ...custodians.slice(0, 5)] },
  }),
  unknown_custodian: world().decide(admin, { ...op, custody: { ...op.custody, custodians: [people.doctorB], threshold: 1 } }),
  custodian_retired: retired.decide(admin, op),
});

const amendRefusals: { [Code in AmendRecordRefusal["code"]]: Outcome } = {
  ...whoAndWhich(amend),
  record_not_current: withdrawn.decide(admin, amend),
  ...versions(amend),
};
testRefusals("amendRecord", amendRefusals, {
  "by the administration": world().decide(admin, amend),
});

const refileRefusals: { [Code in RefileRecordRefusal["code"]]: Outcome } = {
  ...whoAndWhich(refile),
  record_not_current: withdrawn.decide(admin, refile),
  unknown_patient: world().decide(admin, { ...refile, to: people.nurseA }),
  patient_of_another_member: world().decide(admin, { ...refile, to: patientAtB }),
  same_patient: world().decide(admin, { ...refile, to: patient }),
  ...versions(refile),
};
testRefusals("refileRecord", refileRefusals, {
  "to the right patient": world().decide(admin, refile),
});

const withdrawRefusals: { [Code in WithdrawRecordRefusal["code"]]: Outcome } = {
  ...whoAndWhich(withdraw),
  record_not_current: withdrawn.decide(admin, withdraw),
};
testRefusals("withdrawRecord", withdrawRefusals, {
  "by the administration": world().decide(admin, withdraw),
});

const endRefusals: { [Code in EndRecordRefusal["code"]]: Outcome } = {
  ...whoAndWhich(end),
  record_not_current: after(end).decide(admin, end),
};
testRefusals("endRecord", endRefusals, {
  "a current record": world().decide(admin, end),
  "a withdrawn record": withdrawn.decide(admin, end),
});

test("an amendment keeps the old version as it was and counts on; patient, class and source stay", () => {
  const changed = world().copy(60);
  const old = getRecord(changed, record(1))!;
  const { subject } = changed.do(nurse, { ...amend, credential: credentials.nurseA });
  assert.deepEqual(subject, { patient, record: record(1), version: 2 });
  assert.deepEqual(getRecordVersion(changed, record(1), 1), old);
  const amended = getRecord(changed, record(1))!;
  assert.deepEqual(amended, {
    ...old,
    version: 2,
    object: amend.object,
    custody: amend.custody,
    by: { actor: people.nurseA, key: amended.by.key },
    at: { height: changed.height, time: changed.time },
  });
  changed.do(admin, { ...amend, object: object(50), custody: custody(51) });
  assert.deepEqual(getRecordVersion(changed, record(1), 1), old);
  assert.deepEqual(getRecordVersion(changed, record(1), 2), amended);
  assert.equal(getRecord(changed, record(1))?.version, 3);
  assert.equal(getRecordVersion(changed, record(1), 4), undefined);
});

test("each part of the old object, by itself, may not come back", () => {
  for (const part of ["id", "manifest", "root"] as const)
    assert.equal(
      codeOf(world().decide(admin, { ...amend, object: { ...amend.object, [part]: object(20)[part] } })),
      "object_reused",
    );
});

test("the last version number can be reached, not passed", () => {
  assert.ok(atVersion(65_534).decide(admin, amend).ok);
});

test("a refiled record is the right patient's; the misfiled version stays under the wrong one, as such", () => {
  const old = getRecord(world(), record(1))!;
  const changed = after(refile);
  assert.deepEqual(getRecordVersion(changed, record(1), 1), { ...old, status: "misfiled" });
  const refiled = getRecord(changed, record(1))!;
  assert.deepEqual([refiled.patient, refiled.version, refiled.status], [otherPatient, 2, "current"]);
  assert.deepEqual(refiled.object, refile.object);
});

test("the audit entry of a refiling names the right patient only", () => {
  const { subject } = world().do(admin, refile);
  assert.deepEqual(subject, { patient: otherPatient, record: record(1), version: 2 });
});

test("withdrawn may end; ended stays ended", () => {
  assert.equal(getRecord(withdrawn, record(1))?.status, "withdrawn");
  const ended = after(withdraw, end);
  assert.equal(getRecord(ended, record(1))?.status, "ending");
  for (const operation of [amend, refile, withdraw, end])
    assert.equal(codeOf(ended.decide(admin, operation)), "record_not_current");
});

test("a device amends, but neither withdraws, refiles nor ends; only a registrar ends", () => {
  const device = { by: people.workStation };
  assert.ok(world().decide(device, amend).ok);
  for (const operation of [refile, withdraw, end]) assert.equal(codeOf(world().decide(device, operation)), "caller_not_allowed");
  const doctor = { by: people.doctorA };
  for (const operation of [amend, refile, withdraw])
    assert.ok(world().decide(doctor, { ...operation, credential: credentials.doctorA }).ok);
  assert.equal(codeOf(world().decide(doctor, { ...end, credential: credentials.doctorA })), "role_not_allowed");
  assert.ok(world().decide({ by: people.registrar }, { ...end, credential: credentials.registrar }).ok);
  assert.equal(codeOf(world().decide(doctorB, { ...amend, credential: credentials.doctorB })), "record_of_another_member");
});
