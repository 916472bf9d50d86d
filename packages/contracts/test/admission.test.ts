import assert from "node:assert/strict";
import { test } from "node:test";
import type { ActorId, Height, MemberId, UnixSeconds } from "@xinglin/primitives";
import {
  ADMISSION_CODES,
  type AdmissionCode,
  type Admitted,
  admit,
  type BlockContext,
  getActor,
  keys,
  type SignerReference,
  type Transaction,
  type TransactionBody,
} from "../src/index.ts";
import {
  administration,
  at,
  bytes,
  commission,
  genesis,
  hospitalA,
  hospitalB,
  keyIdOf,
  oneTimeKey,
  patient,
  people,
  publicKey,
  type World,
  world,
} from "./support/world.ts";

const ed25519 = (actor: ActorId, key: number): SignerReference => ({ actor, key: keyIdOf(publicKey(key)), suite: "ed25519" });
const doctor = ed25519(people.doctorB, 204);
const station = ed25519(people.workStation, 300);
const body: TransactionBody = {
  type: "xinglin-transaction/1",
  chain: "test-0",
  signer: doctor,
  sponsor: hospitalB,
  notAfter: { time: at(60), height: 100 as Height },
  nonce: bytes(16, 1),
  operations: [{ op: "replaceKey", publicKey: publicKey(5) }],
};
const block = { chain: "test-0", time: at(0), height: 20 as Height };
const { maxTransactionBytes, maxValidityBlocks, maxValiditySeconds } = genesis.parameters;

const asked = (
  changed: Partial<TransactionBody>,
  state: World = world(),
  inBlock: Partial<BlockContext> = {},
  sizeBytes = 500,
) => {
  const transaction: Transaction = {
    id: bytes(32, 1),
    body: { ...body, ...changed },
    bodyBytes: bytes(1, 1),
    signature: bytes(64, 1),
  };
  return admit(state, transaction, { ...block, ...inBlock }, sizeBytes);
};
const until = (time: number, height: number): Partial<TransactionBody> => ({
  notAfter: { time: at(time), height: height as Height },
});

const suspended = world();
suspended.do({ by: administration(hospitalB) }, { op: "setActorStatus", id: people.doctorB, status: "suspended" });
suspended.do({ by: administration(hospitalA) }, { op: "setActorStatus", id: people.workStation, status: "suspended" });
const closed = world();
closed.do({ by: administration(commission) }, { op: "setMemberStatus", id: hospitalB, status: "suspended" });
const replaced = world();
replaced.do({ by: people.doctorB }, { op: "replaceKey", publicKey: publicKey(5) });
const nobody = "0".repeat(32) as ActorId;
const ofHospitalA = { signer: ed25519(people.doctorA, 201), sponsor: hospitalA };

const refusals: { [Code in AdmissionCode]: ReturnType<typeof admit> } = {
  wrong_chain: asked({ chain: "test-1" }),
  oversize: asked({}, undefined, {}, maxTransactionBytes + 1),
  expired: asked({}, undefined, { time: at(61) }),
  too_far_ahead: asked(until(maxValiditySeconds + 1, 100)),
  unknown_signer: asked({ signer: { ...doctor, actor: nobody } }),
  signer_suspended: asked({}, suspended),
  sponsor_unknown: asked({ sponsor: "nobody" as MemberId }),
  sponsor_not_yours: asked({ sponsor: hospitalA }),
  sponsor_suspended: asked({}, closed),
  unknown_key: asked({ signer: ed25519(people.doctorB, 5) }),
  key_retired: asked({}, replaced),
  suite_mismatch: asked({ signer: { ...doctor, suite: "p256" } }),
  unknown_device: asked({ ...ofHospitalA, device: ed25519(people.nurseA, 202) }),
  device_not_of_member: asked({ device: station }),
  device_suspended: asked({ ...ofHospitalA, device: station }, suspended),
};
for (const [code, result] of Object.entries(refusals))
  test(`turns away with ${code}`, () => {
    assert.ok(!result.ok);
    assert.equal(result.refusal.code, code);
    for (const fact of Object.values(result.refusal.facts)) assert.ok(typeof fact === "string" || Number.isSafeInteger(fact));
  });
test("the list of codes is in the order of the table", () => assert.deepEqual(Object.keys(refusals), [...ADMISSION_CODES]));

test("the last time and the last height are inside, by each of the two", () => {
  assert.ok(asked(until(60, 100), undefined, { time: at(60), height: 100 as Height }).ok);
  for (const late of [{ time: at(61) }, { height: 101 as Height }]) {
    const result = asked(until(60, 100), undefined, late);
    assert.equal(!result.ok && result.refusal.code, "expired");
  }
});

test("validity reaches as far ahead as the parameters say, and no further, by each of the two", () => {
  assert.ok(asked(until(maxValiditySeconds, block.height + maxValidityBlocks)).ok);
  for (const [time, height] of [
    [maxValiditySeconds + 1, 100],
    [60, block.height + maxValidityBlocks + 1],
  ] as const) {
    const result = asked(until(time, height));
    assert.equal(!result.ok && result.refusal.code, "too_far_ahead");
  }
});

test("the largest size is inside", () => assert.ok(asked({}, undefined, {}, maxTransactionBytes).ok));

test("the caller carries actor, key, sponsor and device, and the keys that must have signed", () => {
  const result = asked({ ...ofHospitalA, device: station });
  assert.ok(result.ok);
  const expected: Admitted = {
    actorId: people.doctorA,
    actor: getActor(world(), people.doctorA)!,
    key: ofHospitalA.signer.key,
    byEnrolment: false,
    sponsor: hospitalA,
    publicKey: publicKey(201),
    device: people.workStation,
    devicePublicKey: publicKey(300),
  };
  assert.deepEqual(result.value, expected);
});

test("a one-time key signs as such, and never as a device", () => {
  const invited = world();
  const enrolment = { publicKey: oneTimeKey, notAfter: at(100), replace: false };
  invited.do({ by: patient }, { op: "authorizeEnrolment", actor: patient, enrolment });
  const result = asked({ signer: ed25519(patient, 900), sponsor: hospitalA }, invited);
  assert.ok(result.ok);
  assert.ok(result.value.byEnrolment);
  assert.deepEqual(result.value.publicKey, oneTimeKey);
  const wrongSuite = asked({ signer: { ...ed25519(patient, 900), suite: "webauthn" }, sponsor: hospitalA }, invited);
  assert.equal(!wrongSuite.ok && wrongSuite.refusal.code, "suite_mismatch");
  invited.do({ by: people.workStation }, { op: "authorizeEnrolment", actor: people.workStation, enrolment });
  const asDevice = asked({ ...ofHospitalA, device: ed25519(people.workStation, 900) }, invited);
  assert.equal(!asDevice.ok && asDevice.refusal.code, "unknown_key");
});

test("a device's retired or mismatching key does not sign either", () => {
  const moved = world();
  moved.do({ by: people.workStation }, { op: "replaceKey", publicKey: publicKey(5) });
  const retired = asked({ ...ofHospitalA, device: station }, moved);
  assert.equal(!retired.ok && retired.refusal.code, "key_retired");
  assert.ok(asked({ ...ofHospitalA, device: ed25519(people.workStation, 5) }, moved).ok);
  const mismatch = asked({ ...ofHospitalA, device: { ...station, suite: "p256" } });
  assert.equal(!mismatch.ok && mismatch.refusal.code, "suite_mismatch");
});

test("the parameters are read from the state, so governance can change them", () => {
  const strict = world().set(keys.parameters, { ...genesis.parameters, maxValiditySeconds: 30 });
  const result = asked({}, strict, { time: at(0) as UnixSeconds });
  assert.equal(!result.ok && result.refusal.code, "too_far_ahead");
});
