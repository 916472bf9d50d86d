import assert from "node:assert/strict";
import { test } from "node:test";
import type { ActorId, CredentialId, MemberId } from "@xinglin/primitives";
import {
  type ConsentHead,
  type Directive,
  type DirectiveTerms,
  type GrantConsentRefusal,
  getConsentHead,
  getDirective,
  getDirectives,
  isWithin,
  keys,
  MAX_DIRECTIVES,
  MAX_OPEN_DIRECTIVES,
  type NarrowConsentRefusal,
  type OperationOf,
  type Outcome,
  type RevokeConsentRefusal,
} from "../../src/index.ts";
import { codeOf, testRefusals } from "../support/refusals.ts";
import {
  administration,
  at,
  bytes,
  commission,
  credential,
  custodians,
  grant,
  hospitalA,
  hospitalB,
  institute,
  otherPatient,
  patient,
  people,
  terms,
  type World,
  world,
  YEAR,
} from "../support/world.ts";

const me = { by: patient };
const nobody = "nobody" as MemberId;
const nobodysId = "0".repeat(32);
const pointer = (member: MemberId) => ({ member, sealed: bytes(1200, 5) });
const study = credential(81);
const withStudy = world();
withStudy.do(
  { by: administration(commission) },
  {
    op: "recordApproval",
    id: study,
    kind: "ethics",
    member: commission,
    grantee: { kind: "role", member: institute, role: "researcher" },
    protocol: bytes(32, 3),
    purpose: "HRESCH",
    categories: ["imaging"],
    levels: ["core"],
    notBefore: at(0),
    notAfter: at(YEAR),
  },
);

/** As many open directives as one patient may have; every `ended`-th of them has ended by now. */
function crowded(ended: number): World {
  const open = Array.from({ length: MAX_OPEN_DIRECTIVES }, (_, i) => i + 1);
  const full = world().set(keys.consentHead(patient), { count: open.length, restrictions: 0, open } satisfies ConsentHead);
  for (const number of open) {
    const notAfter = ended > 0 && number % ended === 0 ? at(5) : at(YEAR);
    const directive: Directive = {
      terms: { ...terms, notAfter },
      pointers: [],
      version: 1,
      grantedAt: at(0),
      grantedHeight: full.height,
    };
    full.set(keys.consent(patient, number), directive);
  }
  return full;
}

const grantRefusals: { [Code in GrantConsentRefusal["code"]]: Outcome } = {
  not_the_patient: world().decide({ by: otherPatient }, grant()),
  period_empty: world().decide(me, grant({ notBefore: at(5), notAfter: at(5) })),
  period_over: world().decide({ ...me, time: at(5) }, grant({ notAfter: at(5) })),
  record_period_empty: world().decide(me, grant({ recordPeriod: { from: at(3), to: at(3) } })),
  unknown_member: world().decide(me, grant({ grantees: [{ kind: "institution", member: nobody }] })),
  unknown_actor: world().decide(me, grant({ grantees: [{ kind: "person", member: hospitalB, actor: nobodysId as ActorId }] })),
  actor_of_another_member: world().decide(
    me,
    grant({ grantees: [{ kind: "person", member: hospitalA, actor: people.doctorB }] }),
  ),
  unknown_approval: world().decide(me, grant({ grantees: [{ kind: "study", approval: nobodysId as CredentialId }] })),
  pointer_not_for_grantee: world().decide(me, { ...grant(), pointers: [pointer(hospitalB), pointer(institute)] }),
  too_many_directives: crowded(0).decide(me, grant()),
};
testRefusals("grantConsent", grantRefusals, {
  "a permit": world().decide(me, grant()),
  "a denial": world().decide(me, grant({ effect: "deny" })),
  "a permit with a pointer": world().decide(me, { ...grant(), pointers: [pointer(hospitalB)] }),
});

test("nobody grants for a patient: no doctor, no administration, no custodian", () => {
  for (const by of [people.doctorA, administration(hospitalA), custodians[0]!])
    assert.equal(codeOf(world().decide({ by }, grant())), "not_the_patient");
});

test("directives are numbered from 1 without gaps; only a denial counts as a restriction", () => {
  const after = world();
  after.do(me, grant());
  after.do(me, grant({ effect: "deny" }));
  after.do({ by: otherPatient }, { ...grant(), patient: otherPatient });
  const { subject } = after.do(me, grant({ purposes: ["HRESCH"] }));
  assert.deepEqual(subject, { patient, number: 3 });
  assert.deepEqual(getConsentHead(after, patient), { count: 3, restrictions: 1, open: [1, 2, 3] });
  assert.deepEqual(getConsentHead(after, otherPatient), { count: 1, restrictions: 0, open: [1] });
  assert.deepEqual(
    getDirectives(after, patient).map(({ number, directive }) => [number, directive.terms.effect, directive.version]),
    [
      [1, "permit", 1],
      [2, "deny", 1],
      [3, "permit", 1],
    ],
  );
});

test("pointers go to the institutions that a directive names, a study's holder too", () => {
  assert.ok(world().decide(me, { ...grant(), pointers: [pointer(hospitalB)] }).ok);
  const forStudy = { ...grant({ grantees: [{ kind: "study", approval: study }] }), pointers: [pointer(institute)] };
  assert.ok(withStudy.decide(me, forStudy).ok);
  assert.equal(codeOf(withStudy.decide(me, { ...forStudy, pointers: [pointer(commission)] })), "pointer_not_for_grantee");
});

test("at the limit, those that have ended make room; at the last number there is none", () => {
  const full = crowded(100);
  assert.equal(codeOf(full.decide({ ...me, time: at(4) }, grant())), "too_many_directives");
  const outcome = full.decide({ ...me, time: at(5) }, grant());
  assert.ok(outcome.ok);
  full.apply(outcome.value);
  const head = getConsentHead(full, patient);
  assert.equal(head.count, MAX_OPEN_DIRECTIVES + 1);
  assert.equal(head.open.length, MAX_OPEN_DIRECTIVES - 10 + 1);
  assert.equal(head.lastEnded, at(5));
  assert.ok(!head.open.includes(100) && head.open.includes(99) && head.open.at(-1) === head.count);
  const last = (count: number) => world().set(keys.consentHead(patient), { count, restrictions: 0, open: [] });
  assert.ok(last(MAX_DIRECTIVES - 1).decide(me, grant()).ok);
  assert.equal(codeOf(last(MAX_DIRECTIVES).decide(me, grant())), "too_many_directives");
});

const granted = withStudy.copy();
granted.do(me, grant({ recordPeriod: { from: at(-50), to: at(50) } }));
granted.do(me, grant({ effect: "deny" }));
granted.do(
  me,
  grant({
    grantees: [
      { kind: "institution", member: hospitalA },
      { kind: "study", approval: study },
    ],
  }),
);
const revoked = granted.copy(1);
revoked.do(me, { op: "revokeConsent", patient, number: 1 });
const narrow = (changed: Partial<DirectiveTerms>, number = 1): OperationOf<"narrowConsent"> => ({
  op: "narrowConsent",
  patient,
  number,
  terms: { ...terms, recordPeriod: { from: at(-50), to: at(50) }, ...changed },
});
/** A directive whose grantee stands in no state any more: rules check again, though no rule removes one. */
const strange = granted.copy().set(keys.consent(patient, 1), {
  ...getDirective(granted, patient, 1),
  terms: {
    ...terms,
    grantees: [
      { kind: "institution", member: nobody },
      { kind: "institution", member: hospitalA },
      { kind: "institution", member: hospitalB },
      { kind: "study", approval: nobodysId },
    ],
  },
});
const stranger = (grantee: DirectiveTerms["grantees"][number]): Outcome => strange.decide(me, narrow({ grantees: [grantee] }));
const manyTimes = granted.copy().set(keys.consent(patient, 1), { ...getDirective(granted, patient, 1), version: 65_535 });

const narrowRefusals: { [Code in NarrowConsentRefusal["code"]]: Outcome } = {
  not_the_patient: granted.decide({ by: people.doctorB }, narrow({ purposes: ["TREAT"] })),
  unknown_directive: granted.decide(me, narrow({}, 4)),
  already_revoked: revoked.decide(me, narrow({ categories: ["imaging"] })),
  directive_ended: granted.decide({ ...me, time: at(YEAR) }, narrow({ categories: ["imaging"] })),
  denial_not_narrowed: granted.decide(me, narrow({ effect: "deny" }, 2)),
  not_narrower: granted.decide(me, narrow({ purposes: ["TREAT", "HRESCH"] })),
  period_empty: granted.decide(me, narrow({ notBefore: at(9), notAfter: at(9) })),
  period_over: granted.decide({ ...me, time: at(9) }, narrow({ notAfter: at(9) })),
  record_period_empty: granted.decide(me, narrow({ recordPeriod: { from: at(1), to: at(1) } })),
  unknown_member: stranger({ kind: "institution", member: nobody }),
  unknown_actor: stranger({ kind: "person", member: hospitalB, actor: nobodysId as ActorId }),
  actor_of_another_member: stranger({ kind: "person", member: hospitalA, actor: people.doctorB }),
  unknown_approval: stranger({ kind: "study", approval: nobodysId as CredentialId }),
  unchanged: granted.decide(me, narrow({})),
  too_many_versions: manyTimes.decide(me, narrow({ categories: ["imaging"] })),
};
testRefusals("narrowConsent", narrowRefusals, {
  "fewer categories": granted.decide(me, narrow({ categories: ["imaging"] })),
});

test("each element that reaches further is named", () => {
  const wider: { [Element in string]: Partial<DirectiveTerms> } = {
    effect: { effect: "deny" },
    grantees: { grantees: [{ kind: "institution", member: hospitalA }] },
    purposes: { purposes: ["HRESCH"] },
    categories: { categories: ["imaging", "genome"] },
    levels: { levels: ["core"] },
    recordPeriod: { recordPeriod: { from: at(-51), to: at(50) } },
    notBefore: { notBefore: at(-1) },
    notAfter: { notAfter: at(YEAR + 1) },
  };
  for (const [element, changed] of Object.entries(wider)) {
    const outcome = granted.decide(me, narrow(changed));
    assert.ok(!outcome.ok);
    assert.deepEqual([outcome.refusal.code, outcome.refusal.facts.element], ["not_narrower", element]);
  }
  const { recordPeriod: _, ...anyRecord } = narrow({}).terms;
  const withoutPeriod = granted.decide(me, { ...narrow({}), terms: anyRecord });
  assert.equal(!withoutPeriod.ok && withoutPeriod.refusal.facts.element, "recordPeriod");
});

test("a role or person within an institution is narrower; the other way round is not", () => {
  const role = { kind: "role", member: hospitalB, role: "doctor" } as const;
  const person = { kind: "person", member: hospitalB, actor: people.doctorB } as const;
  const after = granted.copy();
  assert.ok(after.decide(me, narrow({ grantees: [person, role] })).ok);
  after.do(me, narrow({ grantees: [role] }));
  assert.equal(codeOf(after.decide(me, narrow({ grantees: [person] }))), "not_narrower");
  assert.equal(codeOf(after.decide(me, narrow({}))), "not_narrower");
});

test("who lies within whom", () => {
  const grantees = {
    B: { kind: "institution", member: hospitalB },
    A: { kind: "institution", member: hospitalA },
    doctorsB: { kind: "role", member: hospitalB, role: "doctor" },
    nursesB: { kind: "role", member: hospitalB, role: "nurse" },
    doctorsA: { kind: "role", member: hospitalA, role: "doctor" },
    doctorB: { kind: "person", member: hospitalB, actor: people.doctorB },
    nurseB: { kind: "person", member: hospitalB, actor: people.nurseB },
    // The same person at another institution: an account is of one only, but the comparison must not rest on that.
    doctorBAtA: { kind: "person", member: hospitalA, actor: people.doctorB },
    otherStudy: { kind: "study", approval: credential(99) },
  } as const;
  const named = { ...grantees, study: { kind: "study", approval: study } } as const;
  const within: { readonly [Wider in keyof typeof named]: readonly (keyof typeof named)[] } = {
    B: ["B", "doctorsB", "nursesB", "doctorB", "nurseB"],
    A: ["A", "doctorsA", "doctorBAtA"],
    doctorsB: ["doctorsB"],
    nursesB: ["nursesB"],
    doctorsA: ["doctorsA"],
    doctorB: ["doctorB"],
    nurseB: ["nurseB"],
    doctorBAtA: ["doctorBAtA"],
    study: ["study"],
    otherStudy: ["otherStudy"],
  };
  for (const [wider, narrower] of Object.entries(within))
    for (const [name, grantee] of Object.entries(named))
      assert.equal(
        isWithin(grantee, named[wider as keyof typeof named]),
        (narrower as readonly string[]).includes(name),
        `${name} within ${wider}`,
      );
});

test("a narrowing changes terms and version, counts a restriction, and leaves the other directives", () => {
  const after = granted.copy(7);
  const before = getDirective(after, patient, 1)!;
  const changed = narrow({ categories: ["imaging"], notAfter: at(YEAR / 2) });
  after.do(me, changed);
  assert.deepEqual(getDirective(after, patient, 1), { ...before, terms: changed.terms, version: 2 });
  assert.deepEqual(getConsentHead(after, patient), { count: 3, restrictions: 2, open: [1, 2, 3] });
  assert.deepEqual(getDirective(after, patient, 3), getDirective(granted, patient, 3));
});

const revoke: OperationOf<"revokeConsent"> = { op: "revokeConsent", patient, number: 1 };
const revokeRefusals: { [Code in RevokeConsentRefusal["code"]]: Outcome } = {
  not_the_patient: granted.decide({ by: administration(hospitalA) }, revoke),
  unknown_directive: granted.decide(me, { ...revoke, number: 4 }),
  already_revoked: revoked.decide(me, revoke),
};
testRefusals("revokeConsent", revokeRefusals, {
  "a permit": granted.decide(me, revoke),
  "a denial": granted.decide(me, { ...revoke, number: 2 }),
});

test("a revoked directive stays with its time; a denial may be revoked too; each counts a restriction", () => {
  const after = revoked.copy(1);
  assert.deepEqual(getDirective(after, patient, 1), { ...getDirective(granted, patient, 1), revokedAt: at(1) });
  assert.deepEqual(getConsentHead(after, patient), { count: 3, restrictions: 2, open: [2, 3], lastEnded: at(1) });
  after.do(me, { ...revoke, number: 2 });
  assert.deepEqual(getConsentHead(after, patient), { count: 3, restrictions: 3, open: [3], lastEnded: at(2) });
});

test("revoking what has ended keeps its own end", () => {
  const after = world();
  after.do(me, grant({ notAfter: at(10) }));
  const later = after.copy(20);
  later.do(me, revoke);
  assert.equal(getConsentHead(later, patient).lastEnded, at(10));
});

test("empty lists, unknown elements and unknown codes in terms are malformed", () => {
  const odd = [
    { grantees: [] },
    { purposes: [] },
    { categories: [] },
    { levels: [] },
    { purposes: ["HMARKT"] },
    { note: "" },
    { notAfter: 1.5 },
  ];
  for (const changed of odd)
    assert.throws(() => world().decide(me, grant(changed as Partial<DirectiveTerms>)), { code: "malformed" });
});
