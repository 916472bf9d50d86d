import assert from "node:assert/strict";
import { test } from "node:test";
import type { ActorId, CredentialId } from "@xinglin/primitives";
import { getActor, MAX_ENROLMENT_SECONDS, type OperationOf, type Outcome, type RegisterPatientRefusal } from "../../src/index.ts";
import { codeOf, testRefusals } from "../support/refusals.ts";
import {
  administration,
  at,
  credential,
  credentials,
  custodians,
  hex32,
  hospitalA,
  hospitalB,
  issue,
  oneTimeKey,
  patient,
  people,
  world,
  YEAR,
} from "../support/world.ts";

const registrar = { by: people.registrar };
const register: OperationOf<"registerPatient"> = {
  op: "registerPatient",
  id: hex32("b2") as ActorId,
  enrolment: { publicKey: oneTimeKey, notAfter: at(100) },
  credential: credentials.registrar,
};
const { credential: _, ...withoutCredential } = register;

const refusals: { [Code in RegisterPatientRefusal["code"]]: Outcome } = {
  caller_not_allowed: world().decide({ by: people.workStation }, withoutCredential),
  no_credential: world().decide(registrar, withoutCredential),
  unknown_credential: world().decide(registrar, { ...register, credential: "0".repeat(32) as CredentialId }),
  credential_of_another: world().decide({ by: people.doctorA }, register),
  credential_not_in_force: world().decide({ ...registrar, time: at(YEAR) }, register),
  role_not_allowed: world().decide({ by: people.doctorA }, { ...register, credential: credentials.doctorA }),
  enrolment_over: world().decide(registrar, { ...register, enrolment: { ...register.enrolment, notAfter: at(0) } }),
  enrolment_too_long: world().decide(registrar, {
    ...register,
    enrolment: { ...register.enrolment, notAfter: at(MAX_ENROLMENT_SECONDS + 1) },
  }),
  id_taken: world().decide(registrar, { ...register, id: patient }),
};
testRefusals("registerPatient", refusals, {
  "by a registrar": world().decide(registrar, register),
  "by the administration": world().decide({ by: administration(hospitalB) }, withoutCredential),
});

test("patients and custodians register nobody", () => {
  for (const by of [patient, custodians[0]!])
    assert.equal(codeOf(world().decide({ by }, withoutCredential)), "caller_not_allowed");
});

test("a pseudonym stands with its one-time key and none of its own, at the registrar's or administration's member", () => {
  const byRegistrar = world();
  byRegistrar.do(registrar, register);
  const enrolment = { ...register.enrolment, replace: false };
  assert.deepEqual(getActor(byRegistrar, register.id), {
    kind: "patient",
    member: hospitalA,
    status: "active",
    keys: [],
    enrolment,
  });
  const byAdministration = world();
  byAdministration.do({ by: administration(hospitalB) }, withoutCredential);
  assert.equal(getActor(byAdministration, register.id)?.member, hospitalB);
});

test("the enrolment may end one second ahead, and at the limit", () => {
  for (const offset of [1, MAX_ENROLMENT_SECONDS])
    assert.ok(world().decide(registrar, { ...register, enrolment: { ...register.enrolment, notAfter: at(offset) } }).ok);
});

test("a second credential of another role opens nothing; one of the role does, from any department", () => {
  const after = world();
  after.do({ by: administration(hospitalA) }, { ...issue(credential(60), people.nurseA, "registrar"), department: "ER.2" });
  assert.equal(codeOf(after.decide({ by: people.nurseA }, { ...register, credential: credentials.nurseA })), "role_not_allowed");
  assert.ok(after.decide({ by: people.nurseA }, { ...register, credential: credential(60) }).ok);
});
