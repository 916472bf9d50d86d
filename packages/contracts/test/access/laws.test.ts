/**
 * Laws of consent that hold whatever a patient writes. Times, classes, purposes and grantees are drawn from small alphabets, so that directives
 * and requests meet often; both outcomes are counted.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  type Directive,
  type DirectiveTerms,
  getConsentHead,
  getDirectives,
  keys,
  type MedicalRecord,
  type Operation,
  type OperationOf,
  wouldPermit,
} from "../../src/index.ts";
import { codeOf } from "../support/refusals.ts";
import {
  administration,
  at,
  bytes,
  commission,
  credential,
  credentials,
  hospitalA,
  hospitalB,
  patient,
  people,
  record,
  request,
  type World,
  world,
} from "../support/world.ts";

const approval = credential(81);
/** A study that any doctor of hospital B may read for, always. */
const base = world();
base.do(
  { by: administration(commission) },
  {
    op: "recordApproval",
    id: approval,
    kind: "ethics",
    member: commission,
    grantee: { kind: "role", member: hospitalB, role: "doctor" },
    protocol: bytes(32, 3),
    purpose: "HRESCH",
    categories: ["imaging", "laboratory"],
    levels: ["sensitive", "core"],
    notBefore: at(0),
    notAfter: at(1000),
  },
);

const grantee = fc.constantFrom<DirectiveTerms["grantees"][number]>(
  { kind: "institution", member: hospitalB },
  { kind: "institution", member: hospitalB },
  { kind: "institution", member: hospitalA },
  { kind: "role", member: hospitalB, role: "doctor" },
  { kind: "person", member: hospitalB, actor: people.doctorB },
  { kind: "study", approval },
);
const some = <const T>(...values: T[]) => fc.subarray(values, { minLength: 1 });
const second = fc.nat(5);
const period = fc.tuple(fc.nat(2), fc.integer({ min: 3, max: 6 }));
const anyTerms: fc.Arbitrary<DirectiveTerms> = fc
  .record({
    effect: fc.constantFrom("permit", "permit", "permit", "deny"),
    grantees: fc.array(grantee, { minLength: 1, maxLength: 3 }),
    purposes: some("TREAT", "HRESCH"),
    categories: some("imaging", "laboratory"),
    levels: some("sensitive", "core"),
    recordPeriod: fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, period),
    validity: period,
  })
  .map(({ recordPeriod, validity, ...rest }) => ({
    ...rest,
    ...(recordPeriod === null ? {} : { recordPeriod: { from: at(recordPeriod[0]), to: at(recordPeriod[1]) } }),
    notBefore: at(validity[0]),
    notAfter: at(validity[1] + 2),
  })) as fc.Arbitrary<DirectiveTerms>;

interface AnyRead {
  readonly who: "doctorB" | "nurseB" | "otherDoctorB" | "doctorA";
  readonly purpose: "TREAT" | "HRESCH";
  readonly category: "imaging" | "laboratory";
  readonly level: "sensitive" | "core";
  readonly named: boolean;
  readonly anchored: number;
  readonly time: number;
}
const anyRead: fc.Arbitrary<AnyRead> = fc.record({
  who: fc.constantFrom("doctorB", "doctorB", "nurseB", "otherDoctorB", "doctorA"),
  purpose: fc.constantFrom("TREAT", "HRESCH"),
  category: fc.constantFrom("imaging", "laboratory"),
  level: fc.constantFrom("sensitive", "sensitive", "sensitive", "core"),
  named: fc.boolean(),
  anchored: second,
  time: fc.nat(8),
});

/** The world with these directives, whatever their dates: they are written as the rule writes them, without its check of what is over. */
const withDirectives = (all: readonly DirectiveTerms[]): World => {
  const now = base.copy();
  now.time = at(0);
  for (const terms of all) now.do({ by: patient, time: at(0) }, { op: "grantConsent", patient, terms, pointers: [] });
  return now;
};
const original = base.read<MedicalRecord>(keys.record(record(1)))!;
const ask = ({ who, purpose, category, level, named }: AnyRead): OperationOf<"requestAccess"> => ({
  ...request,
  purpose,
  class: { level, category },
  credential: credentials[who],
  ...(named ? { approval } : {}),
});
const isPermitted = (now: World, read: AnyRead): boolean => {
  const { who, category, level, anchored, time } = read;
  const placed = now
    .copy()
    .set(keys.record(record(1)), { ...original, class: { level, category }, at: { height: 1, time: at(anchored) } });
  const permitted = placed.decide({ by: people[who], time: at(time) }, ask(read)).ok;
  // A search shows what a request would be permitted, and nothing else: whatever this suite draws.
  const { purpose, credential: held, approval: named } = ask(read);
  const asking = { caller: placed.caller({ by: people[who] }), purpose, credential: held };
  const known = { kind: "record", record: record(1) } as const;
  const would = wouldPermit(placed, known, named === undefined ? asking : { ...asking, approval: named }, at(time));
  assert.equal(would !== undefined, permitted, JSON.stringify(read));
  return permitted;
};

test("a further denial never opens a read, and order does not matter", () => {
  let _opened = 0;
  let _closed = 0;
  fc.assert(
    fc.property(fc.array(anyTerms, { maxLength: 4 }), anyTerms, anyRead, (all, further, read) => {
      const before = isPermitted(withDirectives(all), read);
      const after = isPermitted(withDirectives([...all, { ...further, effect: "deny" }]), read);
      _opened += Number(before);
      _closed += Number(before && !after);
      assert.ok(before || !after);
      assert.equal(isPermitted(withDirectives([...all].reverse()), read), before);
    }),
    { numRuns: 1_000 },
  );
});

test("a narrowing never widens: what is permitted after it was permitted before", () => {
  let accepted = 0;
  let refused = 0;
  let stillOpen = 0;
  let closed = 0;
  fc.assert(
    fc.property(
      anyTerms,
      anyTerms,
      fc.array(anyTerms, { maxLength: 2 }),
      fc.array(anyRead, { minLength: 4, maxLength: 4 }),
      (old, drawn, others, reads) => {
        // Half of what is drawn anew, half of what stood, so that both outcomes are common.
        const terms: DirectiveTerms = {
          ...old,
          purposes: drawn.purposes,
          categories: drawn.categories,
          grantees: drawn.grantees,
        };
        const now = withDirectives([{ ...old, effect: "permit" }, ...others]);
        const outcome = now.decide(
          { by: patient },
          { op: "narrowConsent", patient, number: 1, terms: { ...terms, effect: "permit" } },
        );
        if (!outcome.ok) {
          refused++;
          return;
        }
        accepted++;
        const narrowed = now.copy();
        narrowed.apply(outcome.value);
        for (const read of reads) {
          const before = isPermitted(now, read);
          const after = isPermitted(narrowed, read);
          stillOpen += Number(after);
          closed += Number(before && !after);
          assert.ok(before || !after, `opened by narrowing: ${JSON.stringify(read)}`);
        }
      },
    ),
    { numRuns: 1_500 },
  );
  const counts = `${accepted} accepted, ${refused} refused, ${stillOpen} open, ${closed} closed`;
  assert.ok(accepted > 50 && refused > 50 && stillOpen > 20 && closed > 10, `generator too narrow: ${counts}`);
});

test("revoking a permit never opens a read, and revoking all of them closes every one", () => {
  let opened = 0;
  let closed = 0;
  fc.assert(
    fc.property(fc.array(anyTerms, { minLength: 1, maxLength: 4 }), anyRead, (all, read) => {
      const now = withDirectives(all);
      const before = isPermitted(now, read);
      opened += Number(before);
      all.forEach(({ effect }, i) => {
        if (effect === "deny") return;
        now.do({ by: patient, time: at(0) }, { op: "revokeConsent", patient, number: i + 1 });
        assert.ok(before || !isPermitted(now, read));
      });
      assert.ok(!isPermitted(now, read));
      closed += Number(before);
    }),
    { numRuns: 500 },
  );
  assert.ok(opened > 20 && closed === opened, `generator too narrow: ${opened} opened`);
});

/** The slow model: every directive of the patient, no index, no order; written from the requirement and not from the rule. */
function modelPermits(directives: readonly Directive[], read: AnyRead): boolean {
  const { who, purpose, category, level, named, anchored, time } = read;
  const member = who === "doctorA" ? hospitalA : hospitalB;
  const role = who === "nurseB" ? "nurse" : "doctor";
  const study = named && member === hospitalB && role === "doctor" && purpose === "HRESCH";
  if (level === "core" && !study) return false;
  const covering = directives.filter(({ terms, revokedAt }) => {
    const from = terms.notBefore - at(0);
    const to = Math.min(terms.notAfter, revokedAt ?? Number.POSITIVE_INFINITY) - at(0);
    const { recordPeriod } = terms;
    return (
      from <= time &&
      time < to &&
      terms.purposes.includes(purpose) &&
      terms.categories.includes(category) &&
      terms.levels.includes(level) &&
      (recordPeriod === undefined || (recordPeriod.from <= at(anchored) && at(anchored) < recordPeriod.to)) &&
      terms.grantees.some((named) => {
        if (named.kind === "study") return study;
        if (named.member !== member) return false;
        if (named.kind === "role") return named.role === role;
        return named.kind === "institution" || named.actor === people[who];
      })
    );
  });
  return covering.length > 0 && covering.every(({ terms }) => terms.effect === "permit");
}

type Step = { readonly kind: "grant" | "narrow" | "revoke" | "wait"; readonly number: number; readonly terms: DirectiveTerms };
const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom("grant", "grant", "grant", "narrow", "revoke", "wait"),
  number: fc.integer({ min: 1, max: 4 }),
  terms: anyTerms,
});

test("a slow model over all directives agrees with the rule after any history of grants, narrowings and revocations", () => {
  let permitted = 0;
  let refused = 0;
  const applied = { grant: 0, narrow: 0, revoke: 0 };
  fc.assert(
    fc.property(fc.array(step, { maxLength: 8 }), fc.array(anyRead, { minLength: 3, maxLength: 3 }), (history, reads) => {
      let now = base.copy();
      for (const { kind, number, terms } of history) {
        if (kind === "wait") {
          now = now.copy(1);
          continue;
        }
        const old = getDirectives(now, patient).find((known) => known.number === number)?.directive.terms;
        const operation: Operation =
          kind === "grant"
            ? { op: "grantConsent", patient, terms, pointers: [] }
            : kind === "narrow"
              ? {
                  op: "narrowConsent",
                  patient,
                  number,
                  terms: { ...(old ?? terms), categories: (old ?? terms).categories.slice(0, 1) },
                }
              : { op: "revokeConsent", patient, number };
        const outcome = now.decide({ by: patient }, operation);
        if (!outcome.ok) continue;
        applied[kind]++;
        now.apply(outcome.value);
      }
      const all = getDirectives(now, patient);
      const head = getConsentHead(now, patient);
      assert.equal(all.length, head.count);
      for (const read of reads) {
        const later = { ...read, time: Math.max(read.time, now.time - at(0)) };
        const expected = modelPermits(
          all.map(({ directive }) => directive),
          later,
        );
        assert.equal(isPermitted(now, later), expected, JSON.stringify({ later, history }));
        permitted += Number(expected);
        refused += Number(!expected);
      }
    }),
    { numRuns: 1_000 },
  );
  const counts = JSON.stringify({ permitted, refused, applied });
  assert.ok(permitted > 50 && refused > 50 && applied.narrow > 30 && applied.revoke > 50, `generator too narrow: ${counts}`);
});

test("a permit taken before a restriction carries a count that the head no longer has", () => {
  const now = withDirectives([
    {
      effect: "permit",
      grantees: [{ kind: "institution", member: hospitalB }],
      purposes: ["TREAT"],
      categories: ["imaging"],
      levels: ["sensitive"],
      notBefore: at(0),
      notAfter: at(9),
    },
  ]);
  now.do({ by: people.doctorB }, request);
  const pinned = now.read<{ restrictions: number }>(keys.access(patient, 1))!.restrictions;
  assert.equal(getConsentHead(now, patient).restrictions, pinned);
  const restrictions: Operation[] = [
    { op: "revokeConsent", patient, number: 1 },
    { op: "grantConsent", patient, terms: { ...getDirectives(now, patient)[0]!.directive.terms, effect: "deny" }, pointers: [] },
    { op: "narrowConsent", patient, number: 1, terms: { ...getDirectives(now, patient)[0]!.directive.terms, notAfter: at(8) } },
  ];
  for (const restriction of restrictions) {
    const later = now.copy();
    later.do({ by: patient }, restriction);
    assert.notEqual(getConsentHead(later, patient).restrictions, pinned, restriction.op);
  }
  const widened = now.copy();
  widened.do(
    { by: patient },
    { op: "grantConsent", patient, terms: getDirectives(now, patient)[0]!.directive.terms, pointers: [] },
  );
  assert.equal(getConsentHead(widened, patient).restrictions, pinned);
  assert.equal(codeOf(widened.decide({ by: people.doctorB }, request)), "accepted");
});
