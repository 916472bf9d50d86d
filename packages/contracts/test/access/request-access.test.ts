import assert from "node:assert/strict";
import { test } from "node:test";
import { merkle, sha256 } from "@xinglin/crypto/pure";
import type { ActorId, CredentialId, RecordId } from "@xinglin/primitives";
import {
  type BatchLeaf,
  CATEGORIES,
  encodeBatchLeaf,
  getAccessHead,
  getPermit,
  keys,
  LEVELS,
  MAX_REASONS,
  type OperationOf,
  type Outcome,
  type Reason,
  type RequestAccessRefusal,
  reason as reasonSchema,
} from "../../src/index.ts";
import { codeOf, testRefusals } from "../support/refusals.ts";
import {
  administration,
  at,
  bytes,
  commission,
  credential,
  credentials,
  custodians,
  custody,
  grant,
  hospitalA,
  hospitalB,
  imaging,
  institute,
  keyIdOf,
  object,
  otherPatient,
  patient,
  patientAtB,
  people,
  publicKey,
  record,
  request,
  type World,
  world,
  YEAR,
} from "../support/world.ts";

const doctor = { by: people.doctorB };
const researcher = { by: people.researcher };
const adminA = { by: administration(hospitalA) };
const health = { by: administration(commission) };
const nobody = "0".repeat(32);

/** The world with these directives of the patient. */
const consented = (...grants: OperationOf<"grantConsent">[]): World => {
  const now = world();
  for (const granted of grants) now.do({ by: patient }, granted);
  return now;
};
const changed = (base: World, ...operations: Parameters<World["do"]>[1][]): World => {
  const now = base.copy();
  for (const operation of operations) now.do(adminA, operation);
  return now;
};
const asOf = (level: (typeof LEVELS)[number], base = world()): World => {
  const key = keys.record(record(1));
  return base.copy().set(key, { ...base.read<object>(key), class: { ...imaging, level } });
};
const asking = (level: (typeof LEVELS)[number]): OperationOf<"requestAccess"> => ({ ...request, class: { ...imaging, level } });

const reviewId = credential(80);
const ethicsId = credential(81);
const review: OperationOf<"recordApproval"> = {
  op: "recordApproval",
  id: reviewId,
  kind: "review",
  member: hospitalA,
  grantee: { kind: "institution", member: hospitalB },
  purpose: "TREAT",
  categories: ["imaging"],
  levels: ["internal"],
  notBefore: at(5),
  notAfter: at(10),
};
const ethics: OperationOf<"recordApproval"> = {
  ...review,
  id: ethicsId,
  kind: "ethics",
  member: commission,
  grantee: { kind: "role", member: institute, role: "researcher" },
  purpose: "HRESCH",
  levels: ["sensitive", "core"],
  protocol: bytes(32, 3),
};

// A batch of three records of hospital A; the second is the patient's.
const leaf = (n: number, changes: Partial<BatchLeaf> = {}): BatchLeaf => ({
  salt: bytes(32, n),
  record: record(100 + n),
  patient: n === 1 ? patient : otherPatient,
  class: imaging,
  format: "dicom",
  object: { ...object(60 + n), slice: { at: 64 * n, length: 64 } },
  custody: custody(70 + n),
  ...changes,
});
const batchOf = (
  leaves: BatchLeaf[],
  by: ActorId = people.workStation,
): { batched: World; ask: OperationOf<"requestAccess"> } => {
  const encoded = leaves.map(encodeBatchLeaf);
  const root = merkle.root(encoded);
  const batched = consented(grant());
  batched.do({ by }, { op: "anchorBatch", root, count: leaves.length });
  const target = { kind: "batch", root, leaf: leaves[1]!, index: 1, path: merkle.inclusionProof(encoded, 1) } as const;
  return { batched, ask: { ...request, target: { ...target, path: [...target.path] } } };
};
const leaves = [leaf(0), leaf(1), leaf(2)];
const { batched, ask } = batchOf(leaves);
const askedLeaf = ask.target as Extract<typeof ask.target, { kind: "batch" }>;
const ofHospitalB = batchOf(leaves, administration(hospitalB));
const weak = batchOf([leaf(0), leaf(1, { custody: { ...custody(71), threshold: 3 } }), leaf(2)]);

const permitted = consented(grant());
const reviewed = asOf("internal");
reviewed.do(adminA, review);
/** A researcher asks for core data of an approved study for which the patient consented. */
const core = { ...asking("core"), purpose: "HRESCH", credential: credentials.researcher, approval: ethicsId } as const;
const forStudy = grant({ grantees: [{ kind: "study", approval: ethicsId }], purposes: ["HRESCH"], levels: ["core"] });
const approved = asOf("core");
approved.do(health, ethics);
const studied = approved.copy();
studied.do({ by: patient }, forStudy);
const refusals: { [Code in RequestAccessRefusal["code"]]: Outcome } = {
  unknown_patient: world().decide(doctor, { ...request, patient: people.nurseA }),
  no_credential: world().decide({ by: administration(hospitalB) }, request),
  unknown_credential: world().decide(doctor, { ...request, credential: nobody as CredentialId }),
  credential_of_another: world().decide(doctor, { ...request, credential: credentials.otherDoctorB }),
  credential_not_in_force: permitted.decide({ ...doctor, time: at(YEAR) }, request),
  role_not_allowed: permitted.decide({ by: people.registrar }, { ...request, credential: credentials.registrar }),
  unknown_record: permitted.decide(doctor, { ...request, target: { kind: "record", record: nobody as RecordId, version: 1 } }),
  unknown_batch: batched.decide(doctor, { ...ask, target: { ...askedLeaf, root: bytes(32, 1) } }),
  batch_path_wrong: batched.decide(doctor, { ...ask, target: { ...askedLeaf, index: 0 } }),
  record_of_another_patient: permitted.decide(doctor, { ...request, target: { kind: "record", record: record(2), version: 1 } }),
  batch_of_another_member: ofHospitalB.batched.decide(doctor, ofHospitalB.ask),
  custody_unfit: weak.batched.decide(doctor, weak.ask),
  record_withdrawn: changed(permitted, { op: "withdrawRecord", record: record(1) }).decide(doctor, request),
  record_ending: changed(permitted, { op: "endRecord", record: record(1) }).decide(doctor, request),
  record_superseded: changed(permitted, {
    op: "amendRecord",
    record: record(1),
    object: object(40),
    custody: custody(41),
  }).decide(doctor, request),
  class_mismatch: permitted.decide(doctor, { ...request, class: { ...imaging, category: "laboratory" } }),
  review_missing: asOf("internal").decide(doctor, asking("internal")),
  ethics_approval_missing: asOf("core").decide(doctor, asking("core")),
  denied: consented(grant(), grant({ effect: "deny" })).decide(doctor, request),
  no_directive: world().decide(doctor, request),
  none_in_force: consented(grant({ notAfter: at(9) })).decide({ ...doctor, time: at(9) }, request),
  not_yet_in_force: consented(grant({ notBefore: at(1) })).decide(doctor, request),
  not_permitted: consented(grant({ purposes: ["HRESCH"] })).decide(doctor, request),
};
testRefusals("requestAccess", refusals, {
  "with the patient's consent": permitted.decide(doctor, request),
  "a leaf of a batch": batched.decide(doctor, ask),
  "a public class": asOf("public").decide(doctor, asking("public")),
  "an internal class after review": reviewed.decide({ ...doctor, time: at(5) }, { ...asking("internal"), approval: reviewId }),
  "a core class for an approved study": studied.decide({ ...researcher, time: at(5) }, core),
  "a permit beside a denial of something else": consented(grant({ effect: "deny", purposes: ["HRESCH"] }), grant()).decide(
    doctor,
    request,
  ),
});

test("a refusal names what it rests on", () => {
  const factsOf = (code: keyof typeof refusals) => {
    const outcome = refusals[code];
    return outcome.ok ? {} : outcome.refusal.facts;
  };
  assert.deepEqual(factsOf("credential_not_in_force"), { credential: credentials.doctorB, which: "ended" });
  assert.deepEqual(factsOf("denied"), { directive: 2 });
  assert.deepEqual(factsOf("none_in_force"), { lastEnded: at(9) });
  assert.deepEqual(factsOf("not_yet_in_force"), { begins: at(1) });
  assert.deepEqual(factsOf("not_permitted"), { considered: 1 });
  assert.deepEqual(factsOf("record_superseded"), { newest: 2 });
  assert.deepEqual(factsOf("custody_unfit"), { fault: "threshold_too_low" });
});

test("a refusal changes nothing, and says of whom and what was asked only what the request said", () => {
  for (const outcome of Object.values(refusals)) {
    assert.ok(!outcome.ok);
    const { subject, reason } = outcome.refusal;
    assert.ok(reason !== undefined && !reason.holds);
    assert.deepEqual(reasonSchema.parse(reason), reason);
    assert.deepEqual(
      Object.keys(subject).filter((name) => !["patient", "record", "version", "batch", "credential"].includes(name)),
      [],
    );
    const told = JSON.stringify([outcome.refusal.facts, reason]);
    for (const other of [otherPatient, patientAtB]) assert.ok(!told.includes(other));
  }
});

test("a permit pins key, restrictions, object, custody and expiry, and is appended", () => {
  const now = consented(grant(), grant({ purposes: ["HRESCH"] }), grant({ effect: "deny", purposes: ["HRESCH"] }));
  const { subject, reason } = now.do(doctor, request);
  assert.deepEqual(subject, { patient, record: record(1), version: 1, credential: credentials.doctorB, number: 1 });
  assert.deepEqual(getPermit(now, patient, 1), {
    basis: "consent",
    directive: 1,
    grantee: {
      member: hospitalB,
      actor: people.doctorB,
      key: keyIdOf(publicKey(204)),
      role: "doctor",
      credential: credentials.doctorB,
    },
    purpose: "TREAT",
    class: imaging,
    source: hospitalA,
    target: request.target,
    object: object(20),
    custody: custody(21),
    hpke: sha256(request.hpke),
    restrictions: 1,
    transaction: bytes(32, 7),
    height: now.height,
    decidedAt: now.time,
    expiresAt: now.time + 600,
  });
  assert.ok(reason?.holds && reason.because.every(({ holds }) => holds));
  now.do(doctor, request);
  assert.deepEqual(getAccessHead(now, patient), { count: 2 });
});

test("a directive counts from notBefore on, until notAfter, which is outside", () => {
  const now = consented(grant({ notBefore: at(10), notAfter: at(20) }));
  const outcomes = [9, 10, 19, 20].map((time) => codeOf(now.decide({ ...doctor, time: at(time) }, request)));
  assert.deepEqual(outcomes, ["not_yet_in_force", "accepted", "accepted", "none_in_force"]);
});

test("a record period compares the block time of the record's anchor: from is inside, to is outside", () => {
  // Record 1 was anchored at 0.
  for (const [from, to, code] of [
    [-5, 0, "not_permitted"],
    [-5, 1, "accepted"],
    [0, 5, "accepted"],
    [1, 5, "not_permitted"],
  ] as const)
    assert.equal(
      codeOf(consented(grant({ recordPeriod: { from: at(from), to: at(to) } })).decide(doctor, request)),
      code,
      `${from}..${to}`,
    );
});

test("a revocation closes in its own second and after; the audit tells when", () => {
  const now = consented(grant()).copy(30);
  assert.ok(now.decide(doctor, request).ok);
  now.do({ by: patient }, { op: "revokeConsent", patient, number: 1 });
  for (const time of [30, 31, YEAR - 1]) {
    const outcome = now.decide({ ...doctor, time: at(time) }, request);
    assert.ok(!outcome.ok);
    assert.deepEqual([outcome.refusal.code, outcome.refusal.facts], ["none_in_force", { lastEnded: at(30) }]);
  }
});

test("whom a directive names: institution, role, person; another member, role or person does not count", () => {
  const cases = [
    [{ kind: "institution", member: hospitalB }, true, true],
    [{ kind: "institution", member: hospitalA }, false, false],
    [{ kind: "role", member: hospitalB, role: "doctor" }, true, true],
    [{ kind: "role", member: hospitalB, role: "nurse" }, false, false],
    [{ kind: "role", member: hospitalA, role: "doctor" }, false, false],
    [{ kind: "person", member: hospitalB, actor: people.doctorB }, true, false],
    [{ kind: "person", member: hospitalB, actor: people.otherDoctorB }, false, true],
  ] as const;
  for (const [grantee, first, second] of cases) {
    const now = consented(grant({ grantees: [grantee] }));
    assert.equal(now.decide(doctor, request).ok, first, JSON.stringify(grantee));
    const other = now.decide({ by: people.otherDoctorB }, { ...request, credential: credentials.otherDoctorB });
    assert.equal(other.ok, second, JSON.stringify(grantee));
  }
});

test("the source hospital's own staff need the patient's consent for archived copies too", () => {
  const own = { ...request, credential: credentials.doctorA };
  assert.equal(codeOf(world().decide({ by: people.doctorA }, own)), "no_directive");
  assert.ok(consented(grant({ grantees: [{ kind: "institution", member: hospitalA }] })).decide({ by: people.doctorA }, own).ok);
});

test("of several that decide, the lowest number is named", () => {
  const now = consented(grant({ purposes: ["HRESCH"] }), grant(), grant());
  now.do(doctor, request);
  assert.equal(getPermit(now, patient, 1)?.directive, 2);
  const denied = consented(grant(), grant({ effect: "deny" }), grant({ effect: "deny" })).decide(doctor, request);
  assert.equal(!denied.ok && denied.refusal.facts.directive, 2);
});

test("each level demands what the matrix says, and the matrix is state", () => {
  assert.ok(asOf("public").decide(doctor, asking("public")).ok);
  const free = world();
  free.do(health, { op: "setClassRule", ...imaging, basis: "free" });
  assert.ok(free.decide(doctor, request).ok);
  free.do(health, { op: "setClassRule", ...imaging, basis: "review" });
  assert.equal(codeOf(free.decide(doctor, request)), "review_missing");
  for (const level of LEVELS)
    for (const category of CATEGORIES) {
      const key = keys.record(record(1));
      const now = world().set(key, { ...world().read<object>(key), class: { level, category } });
      const wanted = {
        public: "accepted",
        internal: "review_missing",
        sensitive: "no_directive",
        core: "ethics_approval_missing",
      }[level];
      assert.equal(codeOf(now.decide(doctor, { ...request, class: { level, category } })), wanted, `${level}/${category}`);
    }
});

test("internal: the holding institution's review, within its period, grantee, purpose and class", () => {
  const whyOf = (record: Partial<typeof review>, time = 5, by = adminA): unknown => {
    const now = asOf("internal");
    now.do(by, { ...review, ...record });
    const outcome = now.decide({ ...doctor, time: at(time) }, { ...asking("internal"), approval: reviewId });
    if (outcome.ok) return "accepted";
    assert.equal(outcome.refusal.code, "review_missing");
    return outcome.refusal.facts.why;
  };
  assert.equal(whyOf({}), "accepted");
  assert.equal(whyOf({}, 9), "accepted");
  assert.equal(whyOf({}, 4), "not_yet");
  assert.equal(whyOf({}, 10), "ended");
  assert.equal(whyOf({ id: credential(82) }), "unknown");
  assert.equal(whyOf({ kind: "ethics", member: commission, protocol: bytes(32, 1) }, 5, health), "other_kind");
  assert.equal(whyOf({ member: hospitalB }, 5, { by: administration(hospitalB) }), "other_holder");
  assert.equal(whyOf({ grantee: { kind: "institution", member: institute } }), "other_grantee");
  assert.equal(whyOf({ grantee: { kind: "role", member: hospitalB, role: "nurse" } }), "other_grantee");
  assert.equal(whyOf({ grantee: { kind: "person", member: hospitalB, actor: people.doctorB } }), "accepted");
  assert.equal(whyOf({ purpose: "HOPERAT" }), "other_purpose");
  assert.equal(whyOf({ categories: ["cost"] }), "other_category");
  assert.equal(whyOf({ levels: ["public"] }), "other_level");
});

test("a patient's denial closes reviewed classes too, and never a free one", () => {
  const denial = grant({ effect: "deny", levels: ["internal", "public"] });
  const closed = asOf("internal", consented(denial));
  closed.do(adminA, review);
  assert.equal(codeOf(closed.decide({ ...doctor, time: at(5) }, { ...asking("internal"), approval: reviewId })), "denied");
  assert.ok(asOf("public", consented(denial)).decide(doctor, asking("public")).ok);
});

test("core: an ethics approval and a directive of the patient, both; either alone is refused", () => {
  assert.equal(codeOf(approved.decide({ ...researcher, time: at(5) }, core)), "no_directive");
  const read = studied.copy();
  read.do({ ...researcher, time: at(5) }, core);
  const permit = getPermit(read, patient, 1);
  assert.deepEqual([permit?.basis, permit?.directive, permit?.approval], ["ethics", 1, ethicsId]);
  assert.equal(codeOf(studied.decide({ ...researcher, time: at(4) }, core)), "ethics_approval_missing");
  const { approval: _, ...unnamed } = core;
  assert.equal(codeOf(studied.decide({ ...researcher, time: at(5) }, unnamed)), "ethics_approval_missing");
});

test("a directive for a study opens only to requests that name its approval and that the approval covers", () => {
  const sensitive = { ...request, purpose: "HRESCH", credential: credentials.researcher } as const;
  const open = world();
  open.do(health, ethics);
  open.do(health, { ...ethics, id: credential(82) });
  open.do({ by: patient }, grant({ grantees: [{ kind: "study", approval: ethicsId }], purposes: ["HRESCH", "TREAT"] }));
  const at5 = { ...researcher, time: at(5) };
  assert.ok(open.decide(at5, { ...sensitive, approval: ethicsId }).ok);
  assert.equal(codeOf(open.decide(at5, sensitive)), "not_permitted");
  assert.equal(codeOf(open.decide(at5, { ...sensitive, approval: credential(82) })), "not_permitted");
  assert.equal(codeOf(open.decide({ ...researcher, time: at(10) }, { ...sensitive, approval: ethicsId })), "not_permitted");
  // Consent and credential would do, but the approval's one purpose is research, and its grantee the institute.
  assert.equal(codeOf(open.decide({ ...at5, by: people.doctorB }, { ...request, approval: ethicsId })), "not_permitted");
});

test("a permit names an approval only if that covers the request", () => {
  for (const [approval, named] of [
    [ethicsId, undefined],
    [credential(99), undefined],
    [reviewId, reviewId],
  ] as const) {
    const now = permitted.copy();
    now.do(health, ethics);
    now.do(adminA, { ...review, levels: ["sensitive"] });
    now.do({ ...doctor, time: at(5) }, { ...request, approval });
    assert.equal(getPermit(now, patient, 1)?.approval, named);
  }
});

test("a leaf of a batch is read as a record of its own, and its permit names root and leaf", () => {
  const now = batched.copy();
  const { subject } = now.do(doctor, ask);
  assert.deepEqual(subject, {
    patient,
    record: leaves[1]!.record,
    batch: askedLeaf.root,
    credential: credentials.doctorB,
    number: 1,
  });
  const permit = getPermit(now, patient, 1);
  const hash = merkle.leafHash(encodeBatchLeaf(leaves[1]!));
  assert.deepEqual(permit?.target, { kind: "batch", root: askedLeaf.root, leaf: hash, record: leaves[1]!.record });
  assert.deepEqual([permit?.object, permit?.custody, permit?.source], [leaves[1]!.object, leaves[1]!.custody, hospitalA]);
});

test("every changed element of a leaf, index or path is refused", () => {
  const { path } = askedLeaf;
  const targets = [
    { ...askedLeaf, leaf: leaf(1, { salt: bytes(32, 9) }) },
    { ...askedLeaf, leaf: leaf(1, { custody: custody(99) }) },
    { ...askedLeaf, leaf: leaf(1, { class: { ...imaging, level: "public" } }) },
    { ...askedLeaf, index: 2 },
    { ...askedLeaf, index: 3 },
    { ...askedLeaf, path: path.slice(1) },
    { ...askedLeaf, path: [...path, bytes(32, 0)] },
    { ...askedLeaf, path: [...path].reverse() },
  ];
  for (const target of targets) assert.equal(codeOf(batched.decide(doctor, { ...ask, target })), "batch_path_wrong");
  const ofOther = { ...askedLeaf, leaf: leaves[0]!, index: 0, path: [...merkle.inclusionProof(leaves.map(encodeBatchLeaf), 0)] };
  assert.equal(codeOf(batched.decide(doctor, { ...ask, target: ofOther })), "record_of_another_patient");
});

test("a record of its own under a leaf's id and source stands over the leaf; another institution's does not", () => {
  const id = leaves[1]!.record;
  const anchored = {
    op: "anchorRecord",
    record: id,
    patient,
    class: imaging,
    format: "dicom",
    object: object(90),
    custody: custody(91),
  } as const;
  const superseded = changed(batched, anchored);
  assert.equal(codeOf(superseded.decide(doctor, ask)), "record_superseded");
  assert.equal(codeOf(changed(superseded, { op: "withdrawRecord", record: id }).decide(doctor, ask)), "record_withdrawn");
  assert.equal(codeOf(changed(superseded, { op: "endRecord", record: id }).decide(doctor, ask)), "record_ending");
  const squatted = batched.copy();
  squatted.do({ by: administration(hospitalB) }, { ...anchored, patient: patientAtB });
  assert.ok(squatted.decide(doctor, ask).ok);
});

test("a future version is unknown, a past one superseded, a refiled record another patient's", () => {
  const amended = changed(permitted, { op: "amendRecord", record: record(1), object: object(40), custody: custody(41) });
  const version = (n: number) => ({ ...request, target: { kind: "record", record: record(1), version: n } as const });
  assert.equal(codeOf(amended.decide(doctor, version(3))), "unknown_record");
  assert.ok(amended.decide(doctor, version(2)).ok);
  const refiled = changed(permitted, {
    op: "refileRecord",
    record: record(1),
    to: otherPatient,
    object: object(40),
    custody: custody(41),
  });
  for (const n of [1, 2]) assert.equal(codeOf(refiled.decide(doctor, version(n))), "record_of_another_patient");
});

test("who can hold no credential can't ask, nor can roles that don't read", () => {
  for (const by of [patient, custodians[0]!, people.workStation, administration(hospitalA)])
    assert.equal(codeOf(permitted.decide({ by }, request)), "no_credential");
  for (const who of ["registrar", "ict"] as const)
    assert.equal(codeOf(permitted.decide({ by: people[who] }, { ...request, credential: credentials[who] })), "role_not_allowed");
});

const directivesOf = (outcome: Outcome): readonly Reason[] => {
  const reason = outcome.ok ? outcome.value.reason : outcome.refusal.reason;
  return reason?.because.find(({ code }) => code === "directives")?.because ?? [];
};

test("the tree of reasons names for each directive in force the clause that failed, or that it decided", () => {
  const now = consented(
    grant({ grantees: [{ kind: "institution", member: hospitalA }] }),
    grant({ purposes: ["HRESCH"] }),
    grant({ categories: ["genome"] }),
    grant({ levels: ["core"] }),
    grant({ recordPeriod: { from: at(5), to: at(6) } }),
    grant({ notBefore: at(5) }),
    grant(),
    grant({ effect: "deny", purposes: ["HRESCH"] }),
  );
  assert.deepEqual(
    directivesOf(now.decide(doctor, request)).map(({ code, holds, facts }) => [facts.directive, facts.effect, code, holds]),
    [
      [1, "permit", "directive_other_grantee", false],
      [2, "permit", "directive_other_purpose", false],
      [3, "permit", "directive_other_category", false],
      [4, "permit", "directive_other_level", false],
      [5, "permit", "directive_other_record_period", false],
      [7, "permit", "directive_permits", true],
      [8, "deny", "directive_other_purpose", false],
    ],
  );
  now.do({ by: patient }, grant({ effect: "deny" }));
  assert.deepEqual(directivesOf(now.decide(doctor, request)).at(-1), {
    code: "directive_denies",
    holds: false,
    facts: { directive: 9, effect: "deny" },
    because: [],
  });
});

test("the tree of reasons says whether the approval covered, and what it lacked", () => {
  const stepOf = (outcome: Outcome): Reason | undefined =>
    (outcome.ok ? outcome.value.reason : outcome.refusal.reason)?.because.find(({ code }) => code === "approval_covers");
  const facts = { basis: "ethics" };
  assert.deepEqual(stepOf(studied.decide({ ...researcher, time: at(5) }, core)), {
    code: "approval_covers",
    holds: true,
    facts,
    because: [],
  });
  const late = stepOf(studied.decide({ ...researcher, time: at(10) }, core));
  assert.deepEqual(late, { code: "approval_covers", holds: false, facts: { ...facts, why: "ended" }, because: [] });
});

test("the latest end is told, of directives that were revoked and of those that ran out; of future ones the earliest beginning", () => {
  const lastEnded = (revokedFirst: boolean, revokedAt: number, end: number): unknown => {
    const grants = revokedFirst ? [grant(), grant({ notAfter: at(end) })] : [grant({ notAfter: at(end) }), grant()];
    const now = consented(...grants).copy(revokedAt);
    now.do({ by: patient }, { op: "revokeConsent", patient, number: revokedFirst ? 1 : 2 });
    const outcome = now.decide({ ...doctor, time: at(100) }, request);
    return !outcome.ok && outcome.refusal.facts.lastEnded;
  };
  for (const revokedFirst of [true, false]) {
    assert.equal(lastEnded(revokedFirst, 5, 9), at(9));
    assert.equal(lastEnded(revokedFirst, 9, 5), at(9));
  }
  const twice = consented(grant(), grant()).copy(3);
  twice.do({ by: patient }, { op: "revokeConsent", patient, number: 2 });
  const later = twice.copy(3);
  later.do({ by: patient }, { op: "revokeConsent", patient, number: 1 });
  const outcome = later.decide(doctor, request);
  assert.equal(!outcome.ok && outcome.refusal.facts.lastEnded, at(6));
  for (const begins of [
    [7, 9],
    [9, 7],
  ]) {
    const future = consented(...begins.map((notBefore) => grant({ notBefore: at(notBefore) }))).decide(doctor, request);
    assert.equal(!future.ok && future.refusal.facts.begins, at(7));
  }
});

test("a deciding directive that is listed already leaves every other listed one in its place", () => {
  const now = consented(grant());
  for (let i = 0; i < MAX_REASONS; i++) now.do({ by: patient }, grant({ purposes: ["HRESCH"] }));
  const listed = directivesOf(now.decide(doctor, request)).map(({ facts }) => facts.directive ?? "more");
  assert.deepEqual(listed, [...Array.from({ length: MAX_REASONS - 1 }, (_, i) => i + 1), "more"]);
});

test("more directives than a tree holds are counted, and the deciding one is always named", () => {
  for (const [others, deciding] of [
    [MAX_REASONS - 1, MAX_REASONS],
    [MAX_REASONS, MAX_REASONS + 1],
    [2 * MAX_REASONS, 2 * MAX_REASONS + 1],
  ] as const) {
    const now = world();
    for (let i = 0; i < others; i++) now.do({ by: patient }, grant({ purposes: ["HRESCH"] }));
    now.do({ by: patient }, grant());
    const outcome = now.decide(doctor, request);
    assert.ok(outcome.ok);
    assert.deepEqual(reasonSchema.parse(outcome.value.reason), outcome.value.reason);
    const steps = directivesOf(outcome);
    assert.equal(steps.length, Math.min(others + 1, MAX_REASONS + 0));
    assert.ok(steps.some(({ code, facts }) => code === "directive_permits" && facts.directive === deciding));
    const rest = steps.find(({ code }) => code === "more_directives");
    assert.equal(rest?.facts.count, others + 1 > MAX_REASONS ? others + 1 - (MAX_REASONS - 1) : undefined);
  }
});
