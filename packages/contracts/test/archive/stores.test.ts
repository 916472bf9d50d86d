import assert from "node:assert/strict";
import { test } from "node:test";
import {
  getLentStore,
  getLentStoreIds,
  keys,
  type LendStoreRefusal,
  MAX_LENT_STORES,
  MAX_STORES_A_MEMBER,
  type OperationOf,
  type Outcome,
  type RetireStoreRefusal,
} from "../../src/index.ts";
import { codeOf, testRefusals } from "../support/refusals.ts";
import { administration, hospitalA, hospitalB, people, world } from "../support/world.ts";

const a = { by: administration(hospitalA) };
const b = { by: administration(hospitalB) };
const site = { building: "north-wing", city: "hangzhou", power: "grid-1" };
const lend: OperationOf<"lendStore"> = {
  op: "lendStore",
  id: "hospital-a-1",
  kind: "directory",
  site,
  quotaMegabytes: 2_000_000,
  url: "https://store.hospital-a.example:8770",
};
const retire = (state: "offered" | "draining" | "withdrawn", id = lend.id) => ({ op: "retireStore", id, state }) as const;

const lent = world();
lent.do(a, lend);
const draining = lent.copy();
draining.do(a, retire("draining"));
const full = (count: number): ReturnType<typeof world> => {
  const made = world();
  const entry = { ...getLentStore(lent, lend.id)! };
  const ids = Array.from({ length: count }, (_, i) => `s-${i}`);
  const member = count > MAX_STORES_A_MEMBER ? hospitalB : hospitalA;
  for (const id of ids) made.set(keys.store(id), { ...entry, member });
  made.set(keys.stores, ids);
  return made;
};

const lendRefusals: { [Code in LendStoreRefusal["code"]]: Outcome } = {
  caller_not_allowed: world().decide({ by: people.ict }, lend),
  store_of_another_member: lent.decide(b, lend),
  store_state_wrong: draining.decide(a, { ...lend, quotaMegabytes: 1 }),
  store_limit: full(MAX_STORES_A_MEMBER).decide(a, lend),
  unchanged: lent.decide(a, lend),
};
testRefusals("lendStore", lendRefusals, {
  "a store by an administration": world().decide(a, lend),
  "a store by a device": world().decide({ by: people.workStation }, { ...lend, kind: "s3" }),
  "other terms": lent.decide(a, { ...lend, quotaMegabytes: 1 }),
  "another city": lent.decide(a, { ...lend, site: { ...site, city: "ningbo" } }),
});

const retireRefusals: { [Code in RetireStoreRefusal["code"]]: Outcome } = {
  caller_not_allowed: lent.decide({ by: people.ict }, retire("draining")),
  unknown_store: lent.decide(a, retire("draining", "nowhere")),
  store_of_another_member: lent.decide(b, retire("draining")),
  store_state_wrong: lent.decide(a, retire("withdrawn")),
};
testRefusals("retireStore", retireRefusals, {
  "a drain": lent.decide(a, retire("draining")),
  "a drain taken back": draining.decide(a, retire("offered")),
  "a store that is empty": draining.decide(a, retire("withdrawn")),
});

test("a store is listed once, keeps its entry when it is withdrawn, and may be offered again", () => {
  const made = draining.copy();
  made.do(a, retire("withdrawn"));
  for (const next of ["offered", "draining", "withdrawn"] as const)
    assert.equal(codeOf(made.decide(a, retire(next))), "store_state_wrong");
  assert.equal(getLentStore(made, lend.id)?.state, "withdrawn");
  made.do(a, { ...lend, url: "https://new.example" });
  assert.deepEqual([getLentStore(made, lend.id)?.state, getLentStore(made, lend.id)?.url], ["offered", "https://new.example"]);
  assert.deepEqual(getLentStoreIds(made), [lend.id]);
});

test("the consortium has so many stores at most, whoever lends them", () => {
  assert.equal(codeOf(full(MAX_LENT_STORES).decide(a, lend)), "store_limit");
  assert.equal(full(MAX_LENT_STORES - 1).decide(a, lend).ok, true);
});
