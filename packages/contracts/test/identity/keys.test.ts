import assert from "node:assert/strict";
import { test } from "node:test";
import type { ActorId, CredentialId } from "@xinglin/primitives";
import fc from "fast-check";
import {
  type Actor,
  type AuthorizeEnrolmentRefusal,
  type Caller,
  callerOf,
  type EnrolKeyRefusal,
  getActor,
  keys,
  MAX_ENROLMENT_SECONDS,
  MAX_KEYS,
  type OperationOf,
  type Outcome,
  type PublicKey,
  type ReplaceKeyRefusal,
  SUITES,
} from "../../src/index.ts";
import { codeOf, testRefusals } from "../support/refusals.ts";
import {
  administration,
  at,
  credentials,
  custodians,
  enrolling,
  grant,
  hospitalA,
  hospitalB,
  keyIdOf,
  patient,
  patientAtB,
  people,
  publicKey,
  type World,
  world,
  YEAR,
} from "../support/world.ts";

const oneTime = publicKey(901, "p256");
const authorize: OperationOf<"authorizeEnrolment"> = {
  op: "authorizeEnrolment",
  actor: patient,
  enrolment: { publicKey: oneTime, notAfter: at(100), replace: true },
};
const registrar = { by: people.registrar };
const byRegistrar = { ...authorize, credential: credentials.registrar };
const ending = (offset: number) => ({ ...authorize, enrolment: { ...authorize.enrolment, notAfter: at(offset) } });

const hybrid = (n: number): PublicKey => publicKey(n, "ed25519-ml-dsa-65");
/** The patient moved to a post-quantum key. */
const postQuantum = (): World => {
  const moved = world();
  moved.do({ by: patient }, { op: "replaceKey", publicKey: hybrid(401) });
  return moved;
};

const authorizeRefusals: { [Code in AuthorizeEnrolmentRefusal["code"]]: Outcome } = {
  unknown_actor: world().decide(registrar, { ...byRegistrar, actor: "0".repeat(32) as ActorId }),
  kind_not_allowed: world().decide({ by: administration(hospitalA) }, { ...authorize, actor: custodians[0]! }),
  actor_of_another_member: world().decide(registrar, { ...byRegistrar, actor: patientAtB }),
  not_administration: world().decide(registrar, { ...byRegistrar, actor: people.doctorA }),
  caller_not_allowed: world().decide({ by: people.workStation }, authorize),
  no_credential: world().decide(registrar, authorize),
  unknown_credential: world().decide(registrar, { ...authorize, credential: "0".repeat(32) as CredentialId }),
  credential_of_another: world().decide({ by: people.nurseA }, byRegistrar),
  credential_not_in_force: world().decide({ ...registrar, time: at(YEAR) }, byRegistrar),
  role_not_allowed: world().decide({ by: people.nurseA }, { ...authorize, credential: credentials.nurseA }),
  enrolment_over: world().decide({ by: patient }, ending(0)),
  enrolment_too_long: world().decide({ by: patient }, ending(MAX_ENROLMENT_SECONDS + 1)),
  suite_weaker: postQuantum().decide({ by: patient }, authorize),
  key_in_use: world().decide({ by: patient }, { ...authorize, enrolment: { ...authorize.enrolment, publicKey: publicKey(400) } }),
};
testRefusals("authorizeEnrolment", authorizeRefusals, {
  "by the patient": world().decide({ by: patient }, authorize),
  "by the registrar": world().decide(registrar, byRegistrar),
});

test("the actor itself, the administration and, for a patient, the registrar may let a key in", () => {
  assert.ok(world().decide({ by: patient }, authorize).ok);
  assert.ok(world().decide({ by: people.workStation }, { ...authorize, actor: people.workStation }).ok);
  assert.ok(world().decide({ by: administration(hospitalA) }, { ...authorize, actor: people.doctorA }).ok);
  assert.ok(world().decide({ by: administration(hospitalA) }, authorize).ok);
  assert.ok(world().decide(registrar, byRegistrar).ok);
  assert.equal(codeOf(world().decide({ by: administration(hospitalB) }, authorize)), "actor_of_another_member");
  assert.equal(codeOf(world().decide({ by: patientAtB }, authorize)), "actor_of_another_member");
});

/** `patient` with an open enrolment, and an enrolment of `publicKey` signed by the one-time key. */
const invited = (replace = true): World => {
  const open = world();
  open.do({ by: patient }, { ...authorize, enrolment: { ...authorize.enrolment, replace } });
  return open;
};
/** The same, with a one-time key of the patient's choice. */
const invitedBy = (oneTimeKey: PublicKey): World => {
  const open = world();
  open.do({ by: patient }, { ...authorize, enrolment: { ...authorize.enrolment, publicKey: oneTimeKey } });
  return open;
};
const enrol = (open: World, publicKey: PublicKey, caller: Caller = enrolling(open, patient), time = 0): Outcome =>
  open.decideAs(caller, { op: "enrolKey", publicKey }, { time: at(time) });
const withKeys = (open: World, count: number): World => {
  const found = getActor(open, patient)!;
  const many = Array.from({ length: count - 1 }, (_, i) => ({
    id: keyIdOf(publicKey(i + 1000)),
    publicKey: publicKey(i + 1000),
    since: 1,
    until: 2,
  }));
  return open.set(keys.actor(patient), { ...found, keys: [...many, ...found.keys] });
};

const enrolRefusals: { [Code in EnrolKeyRefusal["code"]]: Outcome } = {
  not_enrolment_key: invited().decide({ by: patient }, { op: "enrolKey", publicKey: publicKey(5) }),
  enrolment_used: enrol(world(), publicKey(5), enrolling(invited(), patient)),
  enrolment_over: enrol(invited(), publicKey(5), undefined, 100),
  suite_weaker: enrol(invitedBy(hybrid(903)), publicKey(5)),
  key_in_use: enrol(invited(), publicKey(400)),
  too_many_keys: enrol(withKeys(invited(), MAX_KEYS), publicKey(5)),
};
testRefusals("enrolKey", enrolRefusals, {
  "beside the old key": enrol(invited(false), publicKey(5)),
  "instead of the old key": enrol(invited(), publicKey(5)),
});

test("the one-time key itself can't be enrolled, and the last second before notAfter still counts", () => {
  assert.equal(codeOf(enrol(invited(), oneTime)), "key_in_use");
  assert.ok(enrol(invited(), publicKey(5), undefined, 99).ok);
  assert.ok(enrol(withKeys(invited(), MAX_KEYS - 1), publicKey(5)).ok);
});

test("the audit log files key changes of patients under the patient, of others under the actor", () => {
  const subjectOf = (outcome: Outcome) => (outcome.ok ? outcome.value.subject : outcome.refusal.subject);
  const replace = { op: "replaceKey", publicKey: publicKey(5) } as const;
  const station = { ...authorize, actor: people.workStation };
  assert.deepEqual(subjectOf(world().decide({ by: patient }, authorize)), { patient });
  assert.deepEqual(subjectOf(world().decide({ by: people.workStation }, station)), { actor: people.workStation });
  assert.deepEqual(subjectOf(enrol(invited(), publicKey(5))), { patient });
  const open = world();
  open.do({ by: people.workStation }, station);
  assert.deepEqual(subjectOf(enrol(open, publicKey(5), enrolling(open, people.workStation))), { actor: people.workStation });
  assert.deepEqual(subjectOf(world().decide({ by: patient }, replace)), { patient });
  assert.deepEqual(subjectOf(world().decide({ by: people.workStation }, replace)), { actor: people.workStation });
});

test("a newer authorization replaces an unused one", () => {
  const open = invited();
  const first = enrolling(open, patient);
  open.do({ by: patient }, { ...authorize, enrolment: { ...authorize.enrolment, publicKey: publicKey(902) } });
  assert.equal(codeOf(enrol(open, publicKey(5), first)), "enrolment_used");
  assert.ok(enrol(open, publicKey(5)).ok);
});

test("an enrolment key may do nothing but enrol", () => {
  const open = invited();
  const caller = enrolling(open, patient);
  for (const operation of [
    grant(),
    { op: "revokeConsent", patient, number: 1 } as const,
    { op: "replaceKey", publicKey: publicKey(5) } as const,
    authorize,
  ])
    assert.equal(codeOf(open.decideAs(caller, operation)), "enrolment_key_only_enrols");
});

test("enrolment beside the old key keeps it; instead of it retires it; both are used up once", () => {
  for (const replace of [false, true]) {
    const open = invited(replace);
    const caller = enrolling(open, patient);
    const outcome = enrol(open, publicKey(5), caller);
    assert.ok(outcome.ok);
    open.apply(outcome.value);
    const after = getActor(open, patient)!;
    assert.deepEqual(
      after.keys.map(({ id, until }) => [id, until]),
      [
        [keyIdOf(publicKey(400)), replace ? open.height : undefined],
        [keyIdOf(publicKey(5)), undefined],
      ],
    );
    assert.equal(after.enrolment, undefined);
    assert.equal(codeOf(enrol(open, publicKey(6), caller)), "enrolment_used");
  }
});

const replaced = world();
replaced.do({ by: patient }, { op: "replaceKey", publicKey: publicKey(5) });
const staleCaller: Caller = { ...replaced.caller({ by: patient }), key: keyIdOf(publicKey(400)) };

const replaceRefusals: { [Code in ReplaceKeyRefusal["code"]]: Outcome } = {
  key_retired: replaced.decideAs(staleCaller, { op: "replaceKey", publicKey: publicKey(6) }),
  suite_weaker: postQuantum().decide({ by: patient }, { op: "replaceKey", publicKey: publicKey(6) }),
  key_in_use: replaced.decide({ by: patient }, { op: "replaceKey", publicKey: publicKey(400) }),
  too_many_keys: withKeys(world(), MAX_KEYS).decide({ by: patient }, { op: "replaceKey", publicKey: publicKey(5) }),
};
testRefusals("replaceKey", replaceRefusals, {
  "by the patient": world().decide({ by: patient }, { op: "replaceKey", publicKey: publicKey(5) }),
});

test("a post-quantum key is replaced only by another, and within a rank any suite may follow any", () => {
  for (const suite of SUITES) {
    const replace = { op: "replaceKey", publicKey: publicKey(7, suite) } as const;
    const stays = suite === "ed25519-ml-dsa-65";
    assert.ok(world().decide({ by: patient }, replace).ok, suite);
    assert.equal(codeOf(postQuantum().decide({ by: patient }, replace)), stays ? "accepted" : "suite_weaker", suite);
    const own = { ...authorize, enrolment: { ...authorize.enrolment, publicKey: publicKey(8, suite) } };
    assert.equal(codeOf(postQuantum().decide({ by: patient }, own)), stays ? "accepted" : "suite_weaker", suite);
  }
});

test("an old key of a weaker suite beside a post-quantum one can't invite its like, but may be replaced by it", () => {
  const both = postQuantum();
  both.do(registrar, { ...byRegistrar, enrolment: { ...authorize.enrolment, replace: false } });
  const enrolled = enrol(both, publicKey(5));
  assert.ok(enrolled.ok, "the registrar lets a weaker key in");
  both.apply(enrolled.value);
  const byWeak: Caller = { ...both.caller({ by: patient }), key: keyIdOf(publicKey(5)) };
  assert.equal(
    codeOf(both.decideAs(byWeak, { ...authorize, enrolment: { ...authorize.enrolment, publicKey: oneTime } })),
    "suite_weaker",
  );
  assert.ok(both.decideAs(byWeak, { op: "replaceKey", publicKey: publicKey(6, "p256") }).ok);
});

test("administration and registrar let a weaker key in for who lost a post-quantum one, and nobody else does", () => {
  const recover = (asking: { by: ActorId }, operation: typeof authorize): string | undefined => {
    const lost = postQuantum();
    const allowed = lost.decide(asking, operation);
    if (!allowed.ok) return codeOf(allowed);
    lost.apply(allowed.value);
    const enrolled = enrol(lost, publicKey(5));
    assert.ok(enrolled.ok);
    lost.apply(enrolled.value);
    const inForce = getActor(lost, patient)!.keys.filter(({ until }) => until === undefined);
    return inForce.map(({ publicKey }) => publicKey.suite).join();
  };
  assert.equal(recover(registrar, byRegistrar), "ed25519");
  assert.equal(recover({ by: administration(hospitalA) }, authorize), "ed25519");
  assert.equal(recover({ by: patient }, authorize), "suite_weaker");
});

test("whoever signs may replace their key: staff, devices, custodians, administrations", () => {
  for (const by of [people.doctorA, people.workStation, custodians[0]!, administration(hospitalA)])
    assert.ok(world().decide({ by }, { op: "replaceKey", publicKey: publicKey(5) }).ok);
});

test("replacing keys keeps their history: nothing goes, nothing returns, exactly the new key signs", () => {
  let accepted = 0;
  let refused = 0;
  fc.assert(
    fc.property(fc.array(fc.nat(5), { minLength: 1, maxLength: 8 }), (choices) => {
      let now = world();
      for (const choice of choices) {
        const before = getActor(now, patient) as Actor;
        const next = publicKey(2000 + choice);
        const outcome = now.decide({ by: patient }, { op: "replaceKey", publicKey: next });
        const known = before.keys.some(({ id }) => id === keyIdOf(next));
        assert.equal(outcome.ok, !known);
        if (!outcome.ok) {
          refused++;
          continue;
        }
        accepted++;
        now = now.copy(1);
        now.apply(outcome.value);
        const after = getActor(now, patient) as Actor;
        assert.equal(after.keys.length, before.keys.length + 1);
        before.keys.forEach((key, i) => {
          const { until, ...rest } = after.keys[i]!;
          const { until: earlier, ...same } = key;
          assert.deepEqual(rest, same);
          assert.ok(until !== undefined && (earlier === undefined || earlier === until));
        });
        for (const { id, publicKey, until } of after.keys) {
          const signs = callerOf(now, { signer: { actor: patient, key: id, suite: publicKey.suite }, sponsor: hospitalA });
          assert.equal(signs.ok, until === undefined);
        }
      }
    }),
    { numRuns: 200 },
  );
  assert.ok(accepted > 50 && refused > 50, `generator too narrow: ${accepted} accepted, ${refused} refused`);
});
