import assert from "node:assert/strict";
import { test } from "node:test";
import { cbor } from "@xinglin/primitives";
import { getAudit, getAuditHead, type OperationOf, type Outcome, type RecordAuditsRefusal } from "../../src/index.ts";
import { codeOf, testRefusals } from "../support/refusals.ts";
import { administration, bytes, custodians, hospitalA, hospitalB, people, world } from "../support/world.ts";

const a = { by: administration(hospitalA) };
const round: OperationOf<"recordAudits"> = {
  op: "recordAudits",
  number: 1,
  root: bytes(32, 1),
  count: 3,
  objects: 700,
  drawn: 39_200,
  lost: 12,
  repaired: 2_810,
  endangered: 1,
  next: bytes(32, 2),
};
const { next: _, ...withoutNext } = round;

const refusals: { [Code in RecordAuditsRefusal["code"]]: Outcome } = {
  caller_not_allowed: world().decide({ by: people.ict }, round),
  audit_number_wrong: world().decide(a, { ...round, number: 2 }),
};
testRefusals("recordAudits", refusals, {
  "a round by an administration": world().decide(a, round),
  "a round by a device": world().decide({ by: people.workStation }, round),
  "a round by a custodian, without a secret for the next": world().decide({ by: custodians[0]! }, withoutNext),
});

test("each member's rounds have numbers of their own, none is recorded twice, and the head says when the last one came", () => {
  const made = world();
  made.do(a, round);
  assert.equal(codeOf(made.decide(a, round)), "audit_number_wrong");
  made.do({ by: administration(hospitalB) }, { ...round, root: bytes(32, 3) });
  const later = made.copy(1);
  later.do(a, { ...round, number: 2, root: bytes(32, 4) });
  assert.deepEqual(getAuditHead(later, hospitalA), { count: 2, at: { height: later.height, time: later.time } });
  assert.equal(getAuditHead(later, hospitalB).count, 1);
  assert.deepEqual(getAudit(later, hospitalA, 1)?.root, bytes(32, 1));
  assert.deepEqual(getAudit(later, hospitalA, 2)?.by.actor, administration(hospitalA));
  assert.equal(getAudit(later, hospitalA, 3), undefined);
});

test("what a round takes on the chain does not grow with what was looked at", () => {
  const most = Object.fromEntries(["objects", "drawn", "lost", "repaired", "endangered"].map((name) => [name, 2 ** 53 - 1]));
  assert.ok(cbor.encode({ ...round, ...most, number: 2 ** 53 - 1, count: 1_000_000 }).length < 300);
});
