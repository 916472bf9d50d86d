import assert from "node:assert/strict";
import { test } from "node:test";
import type { ActorId } from "@xinglin/primitives";
import { getActor, type OperationOf, type Outcome, type RegisterActorRefusal } from "../../src/index.ts";
import { testRefusals } from "../support/refusals.ts";
import { administration, hex32, hospitalA, keyIdOf, people, publicKey, world } from "../support/world.ts";

const admin = { by: administration(hospitalA) };
const hire: OperationOf<"registerActor"> = { op: "registerActor", id: hex32("b1") as ActorId, kind: "staff", key: publicKey(1) };

const refusals: { [Code in RegisterActorRefusal["code"]]: Outcome } = {
  not_administration: world().decide({ by: people.doctorA }, hire),
  id_taken: world().decide(admin, { ...hire, id: people.doctorB }),
};
testRefusals("registerActor", refusals, {
  "a new doctor": world().decide(admin, hire),
  "a new device": world().decide(admin, { ...hire, kind: "device" }),
});

test("a new actor belongs to the administration's member, with its first key from this height", () => {
  const after = world();
  after.do(admin, { ...hire, kind: "device" });
  const first = { id: keyIdOf(publicKey(1)), publicKey: publicKey(1), since: after.height };
  assert.deepEqual(getActor(after, hire.id), { kind: "device", member: hospitalA, status: "active", keys: [first] });
});

test("an id that could be a member's is malformed", () => {
  assert.throws(() => world().decide(admin, { ...hire, id: "hospital-z" as ActorId }), { code: "malformed" });
});
