import assert from "node:assert/strict";
import { test } from "node:test";
import { type ActorId, type Bytes, cbor, equal } from "@xinglin/primitives";
import fc from "fast-check";
import {
  type AuditEntry,
  auditEntry,
  callerOf,
  decodeAuditEntry,
  encodeAuditEntry,
  getActor,
  OPERATION_NAMES,
  type Operation,
  type OperationName,
  REFUSAL_FACTS,
  type RefusalCode,
  refusalCodesOf,
} from "../src/index.ts";
import { anyOperation, likelyAction, likelyProposal } from "./support/any-operation.ts";
import { consortium } from "./support/committee.ts";
import {
  administration,
  anchor,
  at,
  bytes,
  commission,
  custodians,
  custody,
  enrolling,
  grant,
  hospitalA,
  hospitalB,
  object,
  oneTimeKey,
  patient,
  patientAtB,
  people,
  record,
  request,
  type World,
} from "./support/world.ts";

/** Where each operation may write. */
const TOUCHES: { readonly [Name in OperationName]: RegExp } = {
  registerActor: /^actor\/[^/]+$/,
  setActorStatus: /^actor\/[^/]+$/,
  setMemberStatus: /^member\/[^/]+$/,
  setNodes: /^(member\/[^/]+|node\/[0-9a-f]{40})$/,
  issueCredential: /^credential\/[^/]+$/,
  setCredentialStatus: /^credential\/[^/]+$/,
  registerPatient: /^actor\/[^/]+$/,
  authorizeEnrolment: /^actor\/[^/]+$/,
  enrolKey: /^actor\/[^/]+$/,
  replaceKey: /^actor\/[^/]+$/,
  anchorRecord: /^record\/[^/]+$/,
  anchorBatch: /^batch\/[0-9a-f]{64}$/,
  amendRecord: /^record\/[^/]+(\/\d+)?$/,
  withdrawRecord: /^record\/[^/]+$/,
  refileRecord: /^record\/[^/]+(\/\d+)?$/,
  endRecord: /^record\/[^/]+$/,
  grantConsent: /^consent\/[^/]+(\/\d+)?$/,
  narrowConsent: /^consent\/[^/]+(\/\d+)?$/,
  revokeConsent: /^consent\/[^/]+(\/\d+)?$/,
  requestAccess: /^access\/[^/]+(\/\d+)?$/,
  recordApproval: /^approval\/[^/]+$/,
  setClassRule: /^matrix\/[^/]+\/[^/]+$/,
  proposeChange: /^(proposal|member|actor)\/[^/]+$|^(election|parameters)$/,
  castVote: /^(proposal|member|actor)\/[^/]+$|^(election|parameters)$/,
  recordProbe: /^probe\/[^/]+$/,
  recordRelease: /^release\/[^/]+\/\d+\/[^/]+$/,
  recordErasure: /^erasure\/[^/]+\/\d+\/[^/]+$/,
  keepObject: /^object\/[^/]+\/[0-9a-f]{32}$/,
  dropObject: /^object\/[^/]+\/[0-9a-f]{32}$/,
  lendStore: /^store(\/[^/]+)?$/,
  retireStore: /^store\/[^/]+$/,
  recordAudits: /^audit\/[^/]+(\/\d+)?$/,
  refreshCustody: /^record\/[^/]+(\/\d+)?$/,
};

/** Who may do an operation is asked about half of the time; anybody the other half. */
const ADMINISTRATIONS = [administration(hospitalA), administration(hospitalA), administration(hospitalB)];
const WHO: { readonly [Name in OperationName]?: readonly ActorId[] } = {
  enrolKey: [patientAtB],
  grantConsent: [patient],
  narrowConsent: [patient],
  revokeConsent: [patient],
  requestAccess: [people.doctorB, people.nurseB],
  setMemberStatus: [administration(commission)],
  setNodes: [administration(hospitalA), administration(hospitalB)],
  setClassRule: [administration(commission)],
  proposeChange: [administration(commission), administration(hospitalA)],
  castVote: [administration(commission), administration(hospitalA), administration(hospitalB)],
  recordProbe: [administration(commission), administration(hospitalA), people.workStation],
  recordApproval: [administration(commission), administration(hospitalA)],
  dropObject: ADMINISTRATIONS,
  lendStore: ADMINISTRATIONS,
  retireStore: ADMINISTRATIONS,
  recordRelease: [custodians[0]!],
  recordErasure: [custodians[0]!],
};
const anybody = [...Object.values(people), patient, patientAtB, custodians[0]!, ...ADMINISTRATIONS, administration(commission)];
interface Step {
  readonly by: ActorId;
  readonly enrolment: boolean;
  readonly operation: Operation;
  readonly wait: boolean;
}
const step: fc.Arbitrary<Step> = anyOperation.chain((operation) =>
  fc.record({
    by: fc.oneof(fc.constantFrom(...(WHO[operation.op] ?? ADMINISTRATIONS)), fc.constantFrom(...anybody)),
    enrolment: operation.op === "enrolKey" ? fc.constant(true) : fc.nat(9).map((n) => n === 0),
    operation: fc.constant(operation),
    wait: fc.boolean(),
  }),
);

/** A consortium in which something has happened: a consent, a permit, an ended record, an open enrolment, a kept object, a lent store, an open vote. */
const started = consortium(4);
started.do({ by: patient }, grant());
started.do({ by: people.doctorB }, request);
const admin = { by: administration(hospitalA) };
const { credential: _, ...third } = { ...anchor(record(3), patient), object: object(90), custody: custody(91) };
started.do(admin, third);
started.do(admin, { op: "keepObject", object: object(60), record: record(3) });
started.do(admin, { op: "endRecord", record: record(3) });
started.do(
  { by: patientAtB },
  { op: "authorizeEnrolment", actor: patientAtB, enrolment: { publicKey: oneTimeKey, notAfter: at(1000), replace: false } },
);

started.do(admin, {
  op: "lendStore",
  id: "store-1",
  kind: "directory",
  site: { building: "b", city: "c", power: "p" },
  quotaMegabytes: 1,
  url: "https://store.example",
});
const { credential: __, ...fifth } = { ...anchor(record(5), patient), object: object(92), custody: custody(93) };
started.do(admin, fifth);
started.do(admin, { op: "proposeChange", id: likelyProposal, action: likelyAction, notAfter: at(1000) });

/** Decides one step as the executor does; undefined if admission turns the caller away. */
function decide(now: World, { by, enrolment, operation }: Step) {
  const actor = getActor(now, by);
  if (actor === undefined) return undefined;
  const useOneTime = enrolment && actor.enrolment !== undefined;
  const current = actor.keys.find(({ until }) => until === undefined);
  const signer = useOneTime
    ? { actor: by, key: enrolling(now, by).key, suite: actor.enrolment!.publicKey.suite }
    : current === undefined
      ? undefined
      : { actor: by, key: current.id, suite: current.publicKey.suite };
  if (signer === undefined) return undefined;
  const caller = callerOf(now, { signer, sponsor: actor.member });
  return caller.ok ? { caller: caller.value, outcome: now.decideAs(caller.value, operation) } : undefined;
}

/** Copies of all values: what a rule would have to change to change the state by itself. */
const copies = ({ entries }: World): Map<string, Bytes> => new Map([...entries].map(([key, value]) => [key, value.slice()]));
const before = copies(started);

test("rules never throw, change only what is theirs, and state each refusal as catalogued; the same state and operation decide the same", () => {
  const accepted = new Map<string, number>();
  const refused = new Map<string, number>();
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 25 }), (steps) => {
      let now = started.copy();
      const replica = new Map(before);
      for (const asked of steps) {
        if (asked.wait) now = now.copy(1);
        const { operation } = asked;
        const decided = decide(now, asked);
        if (decided === undefined) continue;
        const { caller, outcome } = decided;
        assert.deepEqual(now.copy().decideAs(caller, operation), outcome);
        const { op } = operation;
        const { subject, reason } = outcome.ok ? outcome.value : outcome.refusal;
        const entry: AuditEntry = {
          height: now.height,
          time: now.time,
          transaction: bytes(32, 1),
          index: 0,
          operation: op,
          by: { actor: caller.actorId, key: caller.key, member: caller.sponsor },
          outcome: outcome.ok ? "accepted" : "refused",
          ...(outcome.ok ? {} : { code: outcome.refusal.code, facts: outcome.refusal.facts }),
          subject,
          ...(reason === undefined ? {} : { reason }),
          operationHash: bytes(32, 2),
        };
        assert.deepEqual(decodeAuditEntry(encodeAuditEntry(entry)), auditEntry.parse(entry));
        if (!outcome.ok) {
          const { code, facts } = outcome.refusal;
          refused.set(op, (refused.get(op) ?? 0) + 1);
          assert.ok(code === "enrolment_key_only_enrols" || refusalCodesOf(op).includes(code as RefusalCode), `${op}: ${code}`);
          assert.deepEqual(Object.keys(facts).sort(), [...REFUSAL_FACTS[code as RefusalCode]].sort());
          continue;
        }
        accepted.set(op, (accepted.get(op) ?? 0) + 1);
        const { changes } = outcome.value;
        assert.ok(changes.length > 0);
        assert.equal(new Set(changes.map(({ key }) => key)).size, changes.length);
        for (const { key, value } of changes) {
          assert.match(key, TOUCHES[op]);
          assert.ok(value !== null, "no rule deletes");
          cbor.decode(value, 1 << 20);
          replica.set(key, value.slice());
        }
        now.apply(outcome.value);
      }
      assert.equal(now.entries.size, replica.size);
      for (const [key, value] of now.entries) assert.ok(equal(value, replica.get(key)!), `a rule changed ${key} itself`);
    }),
    { numRuns: 2_000 },
  );
  for (const name of OPERATION_NAMES) {
    assert.ok((refused.get(name) ?? 0) > 0, `never refused: ${name}`);
    assert.ok((accepted.get(name) ?? 0) > 0, `never accepted: ${name} ${JSON.stringify([...accepted])}`);
  }
});
