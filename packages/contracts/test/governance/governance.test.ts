import assert from "node:assert/strict";
import { test } from "node:test";
import type { ActorId, MemberId } from "@xinglin/primitives";
import {
  BASES,
  CATEGORIES,
  getApproval,
  getClassRule,
  LEVELS,
  type OperationOf,
  type Outcome,
  type RecordApprovalRefusal,
  type SetClassRuleRefusal,
} from "../../src/index.ts";
import { testRefusals } from "../support/refusals.ts";
import {
  administration,
  at,
  bytes,
  commission,
  credential,
  hospitalA,
  hospitalB,
  imaging,
  institute,
  people,
  world,
  YEAR,
} from "../support/world.ts";

const health = { by: administration(commission) };
const admin = { by: administration(hospitalA) };
const review: OperationOf<"recordApproval"> = {
  op: "recordApproval",
  id: credential(80),
  kind: "review",
  member: hospitalA,
  grantee: { kind: "institution", member: hospitalB },
  purpose: "HOPERAT",
  categories: ["cost"],
  levels: ["internal"],
  notBefore: at(0),
  notAfter: at(YEAR),
};
const ethics: OperationOf<"recordApproval"> = {
  ...review,
  kind: "ethics",
  member: commission,
  protocol: bytes(32, 3),
  purpose: "HRESCH",
};
const { protocol: _, ...withoutProtocol } = ethics;
const recorded = world();
recorded.do(admin, review);

const approvalRefusals: { [Code in RecordApprovalRefusal["code"]]: Outcome } = {
  not_administration: world().decide({ by: administration(hospitalB) }, review),
  not_commission: world().decide(admin, { ...ethics, member: hospitalA }),
  protocol_missing: world().decide(health, withoutProtocol),
  grantee_not_allowed: world().decide(admin, { ...review, grantee: { kind: "study", approval: credential(81) } }),
  unknown_member: world().decide(admin, { ...review, grantee: { kind: "role", member: "nobody" as MemberId, role: "doctor" } }),
  unknown_actor: world().decide(admin, {
    ...review,
    grantee: { kind: "person", member: hospitalB, actor: "0".repeat(32) as ActorId },
  }),
  actor_of_another_member: world().decide(admin, {
    ...review,
    grantee: { kind: "person", member: institute, actor: people.doctorB },
  }),
  period_empty: world().decide(admin, { ...review, notAfter: review.notBefore }),
  id_taken: recorded.decide(admin, review),
};
testRefusals("recordApproval", approvalRefusals, {
  "a review": world().decide(admin, review),
  "an ethics approval": world().decide(health, ethics),
});

test("an approval stands as it was recorded", () => {
  const { op, id, ...said } = review;
  assert.deepEqual(getApproval(recorded, id), said);
  const byCommission = world();
  byCommission.do(health, ethics);
  assert.deepEqual(getApproval(byCommission, id)?.protocol, ethics.protocol);
});

const change: OperationOf<"setClassRule"> = { op: "setClassRule", ...imaging, basis: "ethics" };
const classRefusals: { [Code in SetClassRuleRefusal["code"]]: Outcome } = {
  not_commission: world().decide(admin, change),
  unchanged: world().decide(health, { ...change, basis: "consent" }),
};
testRefusals("setClassRule", classRefusals, {
  "a stricter demand": world().decide(health, change),
});

test("the first matrix demands by level, for each of the 44 classes; one change changes one cell", () => {
  const changed = world();
  changed.do(health, change);
  let cells = 0;
  for (const [i, level] of LEVELS.entries())
    for (const category of CATEGORIES) {
      cells++;
      assert.equal(getClassRule(world(), { level, category })?.basis, BASES[i]);
      const isChanged = level === imaging.level && category === imaging.category;
      assert.equal(getClassRule(changed, { level, category })?.basis, isChanged ? "ethics" : BASES[i]);
    }
  assert.equal(cells, 44);
});
