import assert from "node:assert/strict";
import { test } from "node:test";
import type { ActorId, CredentialId, RecordId } from "@xinglin/primitives";
import {
  erasedBeyondRecovery,
  getErasure,
  getRecord,
  getRecordVersion,
  getRelease,
  keys,
  type OperationOf,
  type Outcome,
  type RecordErasureRefusal,
  type RecordReleaseRefusal,
  type RefreshCustodyRefusal,
} from "../../src/index.ts";
import { codeOf, testRefusals } from "../support/refusals.ts";
import {
  administration,
  at,
  bytes,
  credentials,
  custodians,
  custody,
  grant,
  hospitalA,
  hospitalB,
  object,
  otherPatient,
  patient,
  people,
  record,
  request,
  type World,
  world,
  YEAR,
} from "../support/world.ts";

const admin = { by: administration(hospitalA) };
const [first, second] = custodians as [ActorId, ActorId];
const nothing = "0".repeat(32) as RecordId;

/** A seventh custodian that no record lists. */
const outside = "custodian-7" as ActorId;
const withOutsider = (base: World): World =>
  base.set(keys.custodian(outside), base.read(keys.custodian(first))).set(keys.actor(outside), base.read(keys.actor(first)));

const permitted = withOutsider(world());
permitted.do({ by: patient }, grant());
permitted.do({ by: people.doctorB }, request);
const release: OperationOf<"recordRelease"> = { op: "recordRelease", patient, number: 1, index: 0 };
const released = permitted.copy();
released.do({ by: first }, release);

const releaseRefusals: { [Code in RecordReleaseRefusal["code"]]: Outcome } = {
  not_custodian: permitted.decide(admin, release),
  unknown_permit: permitted.decide({ by: first }, { ...release, number: 2 }),
  not_in_custody: permitted.decide({ by: outside }, release),
  index_wrong: permitted.decide({ by: first }, { ...release, index: 1 }),
  already_recorded: released.decide({ by: first }, release),
};
testRefusals("recordRelease", releaseRefusals, {
  "by the first custodian": permitted.decide({ by: first }, release),
});

test("the audit log says of a release which record version, or which batch, the permit was for", () => {
  const { subject } = permitted.copy().do({ by: first }, release);
  assert.deepEqual(subject, { patient, number: 1, actor: first, record: record(1), version: 1 });
  const key = keys.access(patient, 1);
  const root = bytes(32, 1);
  const target = { kind: "batch", root, leaf: bytes(32, 2), record: record(1) };
  const ofBatch = permitted.copy().set(key, { ...permitted.read<object>(key), target });
  assert.deepEqual(ofBatch.do({ by: first }, release).subject, {
    patient,
    number: 1,
    actor: first,
    record: record(1),
    batch: root,
  });
});

test("each custodian records its own release, once, also after the permit's expiry", () => {
  const index = custodians.indexOf(second);
  assert.ok(released.decide({ by: second, time: at(YEAR) }, { ...release, index }).ok);
  assert.equal(getRelease(released, patient, 1, first)?.index, 0);
  assert.equal(getRelease(released, patient, 1, second), undefined);
});

const ending = withOutsider(world());
ending.do(admin, { op: "amendRecord", record: record(1), object: object(40), custody: custody(41) });
const inForce = ending.copy();
ending.do(admin, { op: "endRecord", record: record(1) });
const erase: OperationOf<"recordErasure"> = { op: "recordErasure", record: record(1), version: 2 };
const erased = ending.copy();
erased.do({ by: first }, erase);

const erasureRefusals: { [Code in RecordErasureRefusal["code"]]: Outcome } = {
  not_custodian: ending.decide(admin, erase),
  unknown_record: ending.decide({ by: first }, { ...erase, record: nothing }),
  not_in_custody: ending.decide({ by: outside }, erase),
  not_ending: inForce.decide({ by: first }, erase),
  already_recorded: erased.decide({ by: first }, erase),
};
testRefusals("recordErasure", erasureRefusals, {
  "of the newest version": ending.decide({ by: first }, erase),
  "of an old version": ending.decide({ by: first }, { ...erase, version: 1 }),
});

test("an old version may be erased only when the record has ended; an unknown one never", () => {
  assert.equal(codeOf(inForce.decide({ by: first }, { ...erase, version: 1 })), "not_ending");
  assert.ok(ending.decide({ by: first }, { ...erase, version: 1 }).ok);
  assert.equal(codeOf(ending.decide({ by: first }, { ...erase, version: 3 })), "unknown_record");
});

test("a withdrawn record and a misfiled version may be erased; the refiled one may not", () => {
  const withdrawn = world();
  withdrawn.do(admin, { op: "withdrawRecord", record: record(1) });
  assert.ok(withdrawn.decide({ by: first }, { ...erase, version: 1 }).ok);
  const refiled = world();
  refiled.do(admin, { op: "refileRecord", record: record(1), to: otherPatient, object: object(40), custody: custody(41) });
  assert.ok(refiled.decide({ by: first }, { ...erase, version: 1 }).ok);
  assert.equal(codeOf(refiled.decide({ by: first }, erase)), "not_ending");
  // What was amended before it was found to be misfiled stood under the wrong patient in both versions.
  const amended = inForce.copy();
  amended.do(admin, { op: "refileRecord", record: record(1), to: otherPatient, object: object(50), custody: custody(51) });
  for (const version of [1, 2]) assert.ok(amended.decide({ by: first }, { ...erase, version }).ok);
  assert.equal(codeOf(amended.decide({ by: first }, { ...erase, version: 3 })), "not_ending");
});

test("a record version is beyond recovery once fewer custodians are left than its threshold", () => {
  const world = ending.copy();
  custodians.forEach((by, i) => {
    // 4 of 6: after two erasures four shares are left, which still suffice.
    assert.equal(erasedBeyondRecovery(world, record(1), 2), i > 2, `after ${i} erasures`);
    world.do({ by }, erase);
    assert.deepEqual(getErasure(world, record(1), 2, by)?.epoch, 1);
  });
  assert.equal(erasedBeyondRecovery(world, record(1), 2), true);
  assert.equal(erasedBeyondRecovery(world, record(1), 1), false);
  assert.equal(erasedBeyondRecovery(world, nothing, 1), false);
});

const ict = { by: people.ict };
const refresh: OperationOf<"refreshCustody"> = {
  op: "refreshCustody",
  record: record(1),
  version: 1,
  custody: custody(90, 2),
  credential: credentials.ict,
};
const { credential: _, ...withoutCredential } = refresh;
const kept = (changed: Partial<typeof refresh.custody>) => ({ ...refresh, custody: { ...refresh.custody, ...changed } });
const withRetired = world().set(keys.custodian(first), { ...world().read<object>(keys.custodian(first)), status: "retired" });

const refreshRefusals: { [Code in RefreshCustodyRefusal["code"]]: Outcome } = {
  caller_not_allowed: world().decide({ by: people.workStation }, withoutCredential),
  no_credential: world().decide(ict, withoutCredential),
  unknown_credential: world().decide(ict, { ...refresh, credential: "0".repeat(32) as CredentialId }),
  credential_of_another: world().decide({ by: people.registrar }, refresh),
  credential_not_in_force: world().decide({ ...ict, time: at(YEAR) }, refresh),
  role_not_allowed: world().decide({ by: people.doctorA }, { ...refresh, credential: credentials.doctorA }),
  unknown_record: world().decide(ict, { ...refresh, version: 2 }),
  record_of_another_member: world().decide({ by: administration(hospitalB) }, withoutCredential),
  record_not_current: ending.decide(ict, refresh),
  commitments_reused: world().decide(ict, { ...refresh, custody: custody(21, 2) }),
  epoch_wrong: world().decide(ict, kept({ epoch: 1 })),
  threshold_too_high: world().decide(ict, kept({ threshold: 7 })),
  threshold_too_low: world().decide(ict, kept({ threshold: 3 })),
  custodian_repeated: world().decide(ict, kept({ custodians: [first, ...custodians.slice(0, 5)] })),
  unknown_custodian: world().decide(ict, kept({ custodians: [people.doctorB], threshold: 1 })),
  custodian_retired: withRetired.decide(ict, refresh),
};
testRefusals("refreshCustody", refreshRefusals, {
  "of the newest version": world().decide(ict, refresh),
  "of an old version": inForce.decide(ict, refresh),
});

test("a refresh changes the custody and nothing else, of the newest version or an older one", () => {
  const newest = world();
  const before = getRecord(newest, record(1))!;
  newest.do(ict, refresh);
  assert.deepEqual(getRecord(newest, record(1)), { ...before, custody: refresh.custody });
  const older = inForce.copy();
  const current = getRecord(older, record(1));
  older.do(ict, refresh);
  assert.deepEqual(getRecord(older, record(1)), current);
  assert.deepEqual(getRecordVersion(older, record(1), 1), { ...before, custody: refresh.custody });
});

test("a misfiled version is not shared anew", () => {
  const refiled = world();
  refiled.do(admin, { op: "refileRecord", record: record(1), to: otherPatient, object: object(40), custody: custody(41) });
  assert.equal(codeOf(refiled.decide(ict, refresh)), "record_not_current");
});
