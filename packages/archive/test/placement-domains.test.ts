/** Placement over random consortia: as few columns at one place as can be, and the load where there is room. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { DOMAIN_KINDS, domainOf } from "../src/durability/holders.ts";
import { describeDomains, type Placeable, placeObject } from "../src/placement.ts";

/** Columns above m, over all domains. */
const tooMany = (holders: readonly Placeable[], m: number): number =>
  DOMAIN_KINDS.reduce((sum, kind) => {
    const counts = Map.groupBy(holders, (holder) => domainOf(holder, kind));
    return sum + [...counts.values()].reduce((above, { length }) => above + Math.max(0, length - m), 0);
  }, 0);

/** The least that any choice leaves. */
function least(stores: readonly Placeable[], columns: number, m: number): number {
  let best = Number.POSITIVE_INFINITY;
  const visit = (from: number, chosen: readonly Placeable[]): void => {
    if (chosen.length === columns) best = Math.min(best, tooMany(chosen, m));
    else for (let i = from; i < stores.length; i++) visit(i + 1, [...chosen, stores[i]!]);
  };
  visit(0, []);
  return best;
}

const small = fc.record({ k: fc.integer({ min: 1, max: 3 }), m: fc.integer({ min: 0, max: 2 }) });
/** Members in buildings in cities; the power supply is the city's. */
const nested = fc.array(fc.tuple(fc.nat(2), fc.nat(1), fc.nat(1)), { minLength: 6, maxLength: 9 }).map((places) =>
  places.map(([city, building, member], i): Placeable => {
    const site = { city: `c${city}`, power: `c${city}`, building: `b${city}${building}` };
    return { id: `s${i}`, member: `m${city}${building}${member}`, site };
  }),
);
/** Members, buildings, cities and power supplies as they come: a member in two cities, a supply for half a building. */
const crossing = fc.array(fc.tuple(fc.nat(3), fc.nat(3), fc.nat(2), fc.nat(2)), { minLength: 6, maxLength: 9 }).map((places) =>
  places.map(([member, building, city, power], i): Placeable => {
    return { id: `s${i}`, member: `m${member}`, site: { building: `b${building}`, city: `c${city}`, power: `p${power}` } };
  }),
);

test("where domains nest, no choice has fewer columns too many", () => {
  let [free, forced] = [0, 0];
  fc.assert(
    fc.property(nested, small, fc.uint8Array({ minLength: 16, maxLength: 16 }), (stores, { k, m }, id) => {
      const placed = placeObject(stores, { k, m }, id);
      assert.equal(new Set(placed).size, k + m);
      const best = least(stores, k + m, m);
      assert.equal(tooMany(placed, m), best);
      if (best === 0) free++;
      else forced++;
    }),
    { numRuns: 300 },
  );
  assert.ok(free > 30 && forced > 30, `generator too narrow: ${free} free, ${forced} forced`);
});

test("where domains cross, the choice is rarely more than the least", () => {
  let [best, worse] = [0, 0];
  fc.assert(
    fc.property(crossing, small, fc.uint8Array({ minLength: 16, maxLength: 16 }), (stores, { k, m }, id) => {
      if (tooMany(placeObject(stores, { k, m }, id), m) === least(stores, k + m, m)) best++;
      else worse++;
    }),
    { numRuns: 300, seed: 7 },
  );
  assert.ok(worse <= best * 0.05, `${worse} worse, ${best} best`);
});

test("the same stores, facts and object give the same slots, whatever the order of the stores", () => {
  fc.assert(
    fc.property(nested, fc.uint8Array({ minLength: 16, maxLength: 16 }), (stores, id) => {
      const facts = Object.fromEntries(stores.map((store, i) => [store.id, { freeBytes: 1000 + i }]));
      const ids = (some: readonly Placeable[]) => placeObject(some, { k: 2, m: 2 }, id, facts).map((store) => store.id);
      assert.deepEqual(ids(stores), ids(stores));
      assert.deepEqual(ids(stores), ids([...stores].reverse()));
    }),
    { numRuns: 100 },
  );
});

const alone = (count: number): Placeable[] =>
  Array.from({ length: count }, (_, i) => {
    const place = `m${i}`;
    return { id: `s${i}`, member: place, site: { building: place, city: place, power: place } };
  });
const shareOf = (stores: readonly Placeable[], facts: Parameters<typeof placeObject>[3], rounds = 4_000) => {
  const counts = new Map(stores.map(({ id }) => [id, 0]));
  for (let i = 0; i < rounds; i++) {
    const id = new Uint8Array(16);
    new DataView(id.buffer).setUint32(0, i * 2_654_435_761);
    for (const store of placeObject(stores, { k: 4, m: 2 }, id, facts)) counts.set(store.id, counts.get(store.id)! + 1);
  }
  return (id: string): number => counts.get(id)! / rounds;
};

test("each store gets columns in proportion to its free room, up to one of every object", () => {
  const stores = alone(30);
  const facts = Object.fromEntries(stores.map(({ id }, i) => [id, { freeBytes: i === 29 ? 1e6 : 1000 * (1 + (i % 4)) }]));
  const share = shareOf(stores, facts);
  assert.equal(share("s29"), 1); // more than its share
  const total = [...Array(29).keys()].reduce((sum, i) => sum + 1 + (i % 4), 0);
  for (let i = 0; i < 29; i++) {
    const expected = (5 * (1 + (i % 4))) / total;
    // Five standard deviations of 4,000 draws, and 3 % for what the method leaves.
    assert.ok(Math.abs(share(`s${i}`) - expected) < 5 * Math.sqrt((expected * (1 - expected)) / 4000) + 0.03 * expected);
  }
});

test("a store that is often out or dear gets less, one without room none unless there is no other", () => {
  const stores = alone(20);
  const facts = { s0: { availability: 0.9 }, s1: { price: 2 }, s2: { freeBytes: 0 } };
  const share = shareOf(stores, facts);
  const usual = share("s3");
  assert.ok(share("s0") < 0.2 * usual && share("s1") < 0.65 * usual && share("s1") > 0.35 * usual);
  assert.equal(share("s2"), 0);
  assert.equal(placeObject(alone(6), { k: 4, m: 2 }, randomBytes(16), { s2: { freeBytes: 0 } }).length, 6);
});

test("a change of the id changes the stores, and all columns of ids that differ in a bit do not move together", () => {
  const stores = alone(40);
  const id = new Uint8Array(16);
  const before = new Set(placeObject(stores, { k: 10, m: 4 }, id));
  let kept = 0;
  for (let bit = 0; bit < 128; bit++) {
    const other = id.slice();
    other[bit >> 3]! ^= 1 << (bit & 7);
    kept += placeObject(stores, { k: 10, m: 4 }, other).filter((store) => before.has(store)).length;
  }
  assert.ok(Math.abs(kept / 128 - (14 * 14) / 40) < 0.7, `${kept / 128} kept`); // as if drawn anew: 4.9
});

test("the loss of each place is told, the worst first", () => {
  const site = (building: string, city: string) => ({ building, city, power: city });
  const holders = [
    { member: "a", site: site("north", "wenzhou") },
    { member: "a", site: site("south", "wenzhou") },
    { member: "b", site: site("south", "wenzhou") },
    { member: "c", site: site("west", "hangzhou") },
  ];
  const losses = describeDomains(holders, { k: 2, m: 2 });
  assert.deepEqual(
    losses.filter(({ readable }) => !readable).map(({ kind, name, piecesGone, spare }) => [kind, name, piecesGone, spare]),
    [
      ["power", "wenzhou", 3, -1],
      ["city", "wenzhou", 3, -1],
    ],
  );
  assert.deepEqual(
    losses.slice(0, 2).map(({ kind, name }) => [kind, name]),
    [
      ["member", "a"],
      ["member", "b"],
    ],
  );
});
