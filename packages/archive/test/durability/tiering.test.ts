/** Tiers: which objects are cold, and which move first. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { movesDue, type TieredObject, type TierPolicy, tierOf } from "../../src/durability/tiering.ts";

const DAY = 86_400;
const policy: TierPolicy = [
  { name: "hot", afterDays: 0, unreadDays: 0, minBytes: 0, yuanPerGbMonth: 0.1 },
  { name: "cool", afterDays: 90, unreadDays: 60, minBytes: 1000, yuanPerGbMonth: 0.05 },
  { name: "cold", afterDays: 365, unreadDays: 180, minBytes: 1000, yuanPerGbMonth: 0.02 },
];
const object = (id: string, ageDays: number, unreadDays: number | undefined, tier = "hot", sizeBytes = 1e9): TieredObject => {
  const lastReadAt = unreadDays === undefined ? undefined : 1000 * DAY - unreadDays * DAY;
  return { id, sizeBytes, archivedAt: 1000 * DAY - ageDays * DAY, lastReadAt, tier };
};
const now = 1000 * DAY;
const nameOf = (some: TieredObject) => tierOf(some, policy, now).name;

test("an object is as cold as age and last read allow, each boundary from both sides", () => {
  assert.equal(nameOf(object("a", 89, undefined)), "hot");
  assert.equal(nameOf(object("a", 90, undefined)), "cool");
  assert.equal(nameOf(object("a", 400, 59)), "hot");
  assert.equal(nameOf(object("a", 400, 60)), "cool");
  assert.equal(nameOf(object("a", 400, 180)), "cold");
  assert.equal(nameOf(object("a", 364, 364)), "cool");
  assert.equal(nameOf(object("a", 900, undefined)), "cold");
  assert.equal(nameOf(object("a", 900, undefined, "hot", 999)), "hot");
});

test("what was read again moves first, then what saves most, within the budget", () => {
  const objects = [
    object("to-cool", 100, undefined),
    object("to-cold", 900, undefined),
    object("back", 900, 1, "cold"),
    object("stays", 900, undefined, "cold"),
    object("large", 900, undefined, "hot", 5e9),
  ];
  const moves = (budget: number) => movesDue(objects, policy, now, budget).map(({ object: { id }, to }) => `${id} ${to.name}`);
  assert.deepEqual(moves(1e10), ["back hot", "large cold", "to-cold cold", "to-cool cool"]);
  assert.deepEqual(moves(2e9), ["back hot", "to-cold cold"]);
  assert.deepEqual(moves(0), []);
  const [back, large] = movesDue(objects, policy, now, 1e10);
  assert.ok(Math.abs(back!.yuanPerMonth + 0.08) < 1e-12 && Math.abs(large!.yuanPerMonth - 0.4) < 1e-12);
});

test("no move is due twice: after all are made, none is left", () => {
  const any = fc.record({
    id: fc.uuid(),
    sizeBytes: fc.nat(1e9),
    age: fc.nat(999),
    unread: fc.option(fc.nat(999), { nil: undefined }),
  });
  let moved = 0;
  fc.assert(
    fc.property(fc.array(any, { maxLength: 20 }), fc.constantFrom("hot", "cool", "cold"), (some, tier) => {
      const objects = some.map(({ id, sizeBytes, age, unread }) => object(id, age, unread, tier, sizeBytes));
      const moves = movesDue(objects, policy, now, Number.POSITIVE_INFINITY);
      moved += moves.length;
      const after = objects.map((one) => ({
        ...one,
        tier: moves.find((move) => move.object.id === one.id)?.to.name ?? one.tier,
      }));
      assert.deepEqual(movesDue(after, policy, now, Number.POSITIVE_INFINITY), []);
    }),
  );
  assert.ok(moved > 100);
});
