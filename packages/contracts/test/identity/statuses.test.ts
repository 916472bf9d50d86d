import assert from "node:assert/strict";
import { test } from "node:test";
import type { ActorId, CredentialId, MemberId } from "@xinglin/primitives";
import {
  callerOf,
  getActor,
  getCredential,
  getMember,
  keys,
  type Outcome,
  type SetActorStatusRefusal,
  type SetCredentialStatusRefusal,
  type SetMemberStatusRefusal,
} from "../../src/index.ts";
import { consortium } from "../support/committee.ts";
import { codeOf, testRefusals } from "../support/refusals.ts";
import {
  administration,
  commission,
  credentials,
  custodians,
  hospitalA,
  hospitalB,
  patient,
  people,
  request,
  world,
} from "../support/world.ts";

const adminA = { by: administration(hospitalA) };
const adminB = { by: administration(hospitalB) };
const health = { by: administration(commission) };
const suspendDoctor = { op: "setActorStatus", id: people.doctorB, status: "suspended" } as const;
const suspendCredential = { op: "setCredentialStatus", id: credentials.doctorB, status: "suspended" } as const;
const suspendMember = { op: "setMemberStatus", id: hospitalB, status: "suspended" } as const;

const actorRefusals: { [Code in SetActorStatusRefusal["code"]]: Outcome } = {
  unknown_actor: world().decide(adminA, { ...suspendDoctor, id: "0".repeat(32) as ActorId }),
  not_administration: world().decide(adminA, suspendDoctor),
  kind_not_allowed: world().decide(adminA, { ...suspendDoctor, id: patient }),
  unchanged: world().decide(adminB, { ...suspendDoctor, status: "active" }),
};
testRefusals("setActorStatus", actorRefusals, {
  "a suspension": world().decide(adminB, suspendDoctor),
});

const removed = world();
removed.set(keys.member(hospitalB), { ...getMember(removed, hospitalB), status: "suspended", removedAt: 9 });
/** One of four of the committee is suspended already. */
const threatened = consortium(4);
threatened.do(health, { ...suspendMember, id: hospitalA });
const memberRefusals: { [Code in SetMemberStatusRefusal["code"]]: Outcome } = {
  not_commission: world().decide(adminA, suspendMember),
  own_member: world().decide(health, { ...suspendMember, id: commission }),
  unknown_member: world().decide(health, { ...suspendMember, id: "nobody" as MemberId }),
  member_removed: removed.decide(health, { ...suspendMember, status: "active" }),
  unchanged: world().decide(health, { ...suspendMember, status: "active" }),
  committee_needed: threatened.decide(health, suspendMember),
};
testRefusals("setMemberStatus", memberRefusals, {
  "a suspension": world().decide(health, suspendMember),
});

const credentialRefusals: { [Code in SetCredentialStatusRefusal["code"]]: Outcome } = {
  unknown_credential: world().decide(adminB, { ...suspendCredential, id: "0".repeat(32) as CredentialId }),
  not_administration: world().decide(adminA, suspendCredential),
  unchanged: world().decide(adminB, { ...suspendCredential, status: "active" }),
};
testRefusals("setCredentialStatus", credentialRefusals, {
  "a suspension": world().decide(adminB, suspendCredential),
});

test("nobody suspends a custodian or an administration as if it were staff", () => {
  assert.equal(codeOf(world().decide(adminA, { ...suspendDoctor, id: custodians[0]! })), "kind_not_allowed");
  assert.equal(codeOf(world().decide(adminB, { ...suspendDoctor, id: administration(hospitalB) })), "kind_not_allowed");
  assert.equal(codeOf(world().decide({ by: people.registrar }, { ...suspendDoctor, id: people.doctorA })), "not_administration");
});

test("a suspended doctor can't sign; suspension and return change the status and nothing else", () => {
  const changed = world();
  const before = getActor(changed, people.doctorB);
  changed.do(adminB, suspendDoctor);
  assert.deepEqual(getActor(changed, people.doctorB), { ...before, status: "suspended" });
  const signer = { actor: people.doctorB, key: before!.keys[0]!.id, suite: "ed25519" } as const;
  const suspended = callerOf(changed, { signer, sponsor: hospitalB });
  assert.equal(!suspended.ok && suspended.refusal.code, "signer_suspended");
  changed.do(adminB, { ...suspendDoctor, status: "active" });
  assert.deepEqual(getActor(changed, people.doctorB), before);
  assert.ok(callerOf(changed, { signer, sponsor: hospitalB }).ok);
});

test("a suspended credential stops counting for the next operation, and counts again when it is lifted", () => {
  const changed = world();
  const before = getCredential(changed, credentials.doctorB);
  const without = codeOf(changed.decide({ by: people.doctorB }, request));
  assert.equal(without, "no_directive");
  changed.do(adminB, suspendCredential);
  assert.equal(codeOf(changed.decide({ by: people.doctorB }, request)), "credential_not_in_force");
  changed.do(adminB, { ...suspendCredential, status: "active" });
  assert.deepEqual(getCredential(changed, credentials.doctorB), before);
  assert.equal(codeOf(changed.decide({ by: people.doctorB }, request)), without);
});

test("a suspended member's staff can't act, and its credentials do not count; its patients can still act", () => {
  const changed = world();
  changed.do(health, { ...suspendMember, id: hospitalA });
  assert.equal(getMember(changed, hospitalA)?.status, "suspended");
  const asked = (actor: ActorId) => {
    const { id } = getActor(changed, actor)!.keys[0]!;
    return callerOf(changed, { signer: { actor, key: id, suite: "ed25519" }, sponsor: hospitalA });
  };
  for (const actor of [people.doctorA, people.workStation, administration(hospitalA), custodians[0]!]) {
    const admitted = asked(actor);
    assert.equal(!admitted.ok && admitted.refusal.code, "sponsor_suspended", actor);
  }
  assert.ok(asked(patient).ok);
  const outcome = changed.decide({ by: people.doctorA }, { ...request, credential: credentials.doctorA });
  assert.ok(!outcome.ok);
  assert.equal(outcome.refusal.facts.which, "issuer_suspended");
});
