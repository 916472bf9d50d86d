import assert from "node:assert/strict";
import { test } from "node:test";
import type { ActorId } from "@xinglin/primitives";
import { getCredential, type IssueCredentialRefusal, notInForce, type Outcome } from "../../src/index.ts";
import { testRefusals } from "../support/refusals.ts";
import {
  administration,
  at,
  commission,
  credential,
  credentials,
  hospitalA,
  hospitalB,
  issue,
  people,
  world,
} from "../support/world.ts";

const admin = { by: administration(hospitalA) };
const issued = issue(credential(50), people.doctorA, "doctor", { notBefore: 10, notAfter: 20 });

const refusals: { [Code in IssueCredentialRefusal["code"]]: Outcome } = {
  unknown_actor: world().decide(admin, { ...issued, subject: "0".repeat(32) as ActorId }),
  not_administration: world().decide({ by: administration(hospitalB) }, issued),
  kind_not_allowed: world().decide(admin, { ...issued, subject: people.workStation }),
  period_empty: world().decide(admin, { ...issued, notAfter: issued.notBefore }),
  id_taken: world().decide(admin, { ...issued, id: credentials.nurseA }),
};
testRefusals("issueCredential", refusals, {
  "a credential of a doctor": world().decide(admin, issued),
});

test("the issuer is the subject's member", () => {
  const after = world();
  after.do(admin, issued);
  const { op, id, ...said } = issued;
  assert.deepEqual(getCredential(after, id), { ...said, issuer: hospitalA, status: "active" });
});

test("a credential counts from notBefore on, until notAfter, which is outside", () => {
  const after = world();
  after.do(admin, issued);
  const held = getCredential(after, issued.id)!;
  assert.equal(notInForce(after, held, at(9)), "not_yet");
  assert.equal(notInForce(after, held, at(10)), undefined);
  assert.equal(notInForce(after, held, at(19)), undefined);
  assert.equal(notInForce(after, held, at(20)), "ended");
});

test("a suspension of credential, holder or issuer keeps it from counting", () => {
  const suspended = [
    ["suspended", admin, { op: "setCredentialStatus", id: issued.id, status: "suspended" }],
    ["subject_suspended", admin, { op: "setActorStatus", id: people.doctorA, status: "suspended" }],
    ["issuer_suspended", { by: administration(commission) }, { op: "setMemberStatus", id: hospitalA, status: "suspended" }],
  ] as const;
  for (const [which, by, operation] of suspended) {
    const after = world();
    after.do(admin, issued);
    after.do(by, operation);
    assert.equal(notInForce(after, getCredential(after, issued.id)!, at(15)), which);
  }
});
