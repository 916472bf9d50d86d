import assert from "node:assert/strict";
import { test } from "node:test";
import type { CredentialId } from "@xinglin/primitives";
import { type AnchorRecordRefusal, type CustodyReference, getRecord, keys, type Outcome } from "../../src/index.ts";
import { codeOf, testRefusals } from "../support/refusals.ts";
import {
  administration,
  anchor,
  at,
  credentials,
  custodians,
  custody,
  hospitalA,
  hospitalB,
  keyIdOf,
  patient,
  patientAtB,
  people,
  publicKey,
  record,
  world,
  YEAR,
} from "../support/world.ts";

const doctor = { by: people.doctorA };
const anchored = anchor(record(10), patient);
const { credential: _, ...withoutCredential } = anchored;
const kept = (changed: Partial<CustodyReference>) => ({ ...anchored, custody: { ...anchored.custody, ...changed } });
const withRetired = world().set(keys.custodian(custodians[2]!), {
  ...world().read<object>(keys.custodian(custodians[2]!)),
  status: "retired",
});

const refusals: { [Code in AnchorRecordRefusal["code"]]: Outcome } = {
  caller_not_allowed: world().decide({ by: patient }, withoutCredential),
  no_credential: world().decide(doctor, withoutCredential),
  unknown_credential: world().decide(doctor, { ...anchored, credential: "0".repeat(32) as CredentialId }),
  credential_of_another: world().decide({ by: people.nurseA }, anchored),
  credential_not_in_force: world().decide({ ...doctor, time: at(YEAR) }, anchored),
  role_not_allowed: world().decide({ by: people.researcher }, { ...anchored, credential: credentials.researcher }),
  unknown_patient: world().decide(doctor, { ...anchored, patient: people.nurseA }),
  patient_of_another_member: world().decide(doctor, { ...anchored, patient: patientAtB }),
  id_taken: world().decide(doctor, { ...anchored, record: record(1) }),
  epoch_wrong: world().decide(doctor, kept({ epoch: 2 })),
  threshold_too_high: world().decide(doctor, kept({ threshold: 7 })),
  threshold_too_low: world().decide(doctor, kept({ threshold: 3 })),
  custodian_repeated: world().decide(doctor, kept({ custodians: [...custodians.slice(1), custodians[1]!] })),
  unknown_custodian: world().decide(doctor, kept({ custodians: [...custodians.slice(1), people.doctorB] })),
  custodian_retired: withRetired.decide(doctor, anchored),
};
testRefusals("anchorRecord", refusals, {
  "by a doctor": world().decide(doctor, anchored),
  "by a device": world().decide({ by: people.workStation }, withoutCredential),
});

test("the record stands as version 1 with source, signer, height and time", () => {
  const after = world();
  const { subject } = after.do(doctor, anchored);
  assert.deepEqual(subject, { patient, record: record(10), version: 1 });
  const { op, record: id, credential, ...said } = anchored;
  const by = { actor: people.doctorA, key: keyIdOf(publicKey(201)) };
  const at = { height: after.height, time: after.time };
  assert.deepEqual(getRecord(after, id), { ...said, version: 1, source: hospitalA, status: "current", by, at });
});

test("devices and the administration need no credential; each of the record-keeping roles does with one", () => {
  for (const by of [people.workStation, administration(hospitalA)]) assert.ok(world().decide({ by }, withoutCredential).ok);
  for (const who of ["registrar", "doctorA", "nurseA", "ict"] as const)
    assert.ok(world().decide({ by: people[who] }, { ...anchored, credential: credentials[who] }).ok, who);
  assert.equal(codeOf(world().decide({ by: administration(hospitalB) }, withoutCredential)), "patient_of_another_member");
});

test("more than half of the custodians must be needed, and no more than there are", () => {
  for (const [threshold, count] of [
    [1, 1],
    [2, 2],
    [2, 3],
    [3, 4],
    [4, 6],
    [6, 6],
  ] as const)
    assert.ok(world().decide(doctor, kept({ threshold, custodians: custodians.slice(0, count) })).ok, `${threshold} of ${count}`);
  for (const [threshold, count] of [
    [1, 2],
    [1, 3],
    [2, 4],
    [3, 6],
  ] as const)
    assert.equal(
      codeOf(world().decide(doctor, kept({ threshold, custodians: custodians.slice(0, count) }))),
      "threshold_too_low",
    );
});

test("an unknown element, an empty custody or a float is malformed", () => {
  const odd = [
    { ...anchored, note: "x" },
    kept({ custodians: [] }),
    kept({ threshold: 3.5 }),
    { ...anchored, custody: { ...custody(1), x: 1 } },
  ];
  for (const operation of odd) assert.throws(() => world().decide(doctor, operation as typeof anchored), { code: "malformed" });
});
