/** The choice of k and m. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { chooseCode, DEFAULT_GOAL } from "../../src/durability/choose-code.ts";
import { type MeasuredStore, oddsOfCode } from "../../src/durability/code-odds.ts";
import { rateOfAfr } from "../../src/durability/yearly-loss.ts";
import { siteOf } from "../../src/store/description.ts";

const hazards = [{ perYear: rateOfAfr(0.05), repairDays: 7 }];
const stores = (count: number, availability: number, cities = count): MeasuredStore[] =>
  Array.from({ length: count }, (_, i) => {
    const member = `m${i}`;
    return { id: `s${i}`, member, site: siteOf({ member, site: { city: `c${i % cities}` } }), availability, hazards };
  });
const codeOf = (choice: ReturnType<typeof chooseCode>) => choice.isReached && [choice.chosen.code.k, choice.chosen.code.m];

test("fourteen stores at 99 % get 10+4, as published; better stores get less overhead", () => {
  assert.deepEqual(codeOf(chooseCode({ stores: stores(14, 0.99) })), [10, 4]);
  const fast = stores(14, 0.999).map((store) => ({ ...store, hazards: [{ perYear: rateOfAfr(0.05), repairDays: 1 }] }));
  const better = chooseCode({ stores: fast });
  assert.ok(better.isReached && better.chosen.overhead < 1.4);
  const more = chooseCode({ stores: stores(18, 0.99) });
  assert.ok(more.isReached && more.chosen.overhead < 1.4 && more.chosen.unreadable <= 1e-6 && more.chosen.yearlyLoss <= 1e-9);
});

test("the code chosen is the cheapest: the next cheaper ones miss the goal", () => {
  const all = { stores: stores(14, 0.99) };
  assert.equal(chooseCode(all, { ...DEFAULT_GOAL, maxOverhead: 1.399 }).isReached, false);
  assert.deepEqual(codeOf(chooseCode(all, { ...DEFAULT_GOAL, maxOverhead: 3 })), [10, 4]);
});

test("a promise that cannot be kept is not made: what is nearest, and what would help, each of which then does", () => {
  const goal = { ...DEFAULT_GOAL, yearlyLoss: 1e-7 };
  const choice = chooseCode({ stores: stores(9, 0.99) }, goal);
  assert.ok(!choice.isReached);
  assert.deepEqual(choice.nearest?.code, { k: 6, m: 3 }); // 1.2e-6, as published
  const { moreStores, overhead, availability } = choice.needs;
  const isReached = (count: number, at: number, maxOverhead = 1.5) =>
    chooseCode({ stores: stores(count, at) }, { ...goal, maxOverhead }).isReached;
  assert.deepEqual([isReached(9 + moreStores!, 0.99), isReached(8 + moreStores!, 0.99)], [true, false]);
  assert.equal(isReached(9, 0.99, overhead!), true);
  assert.deepEqual([isReached(9, availability!), isReached(9, availability! - 2e-5)], [true, false]);
  // What no availability mends is not said to be mended by it: the yearly loss of nine stores.
  const strict = chooseCode({ stores: stores(9, 0.99) });
  assert.ok(!strict.isReached && strict.needs.availability === undefined && strict.needs.moreStores === 3); // 8+4;
  const none = chooseCode({ stores: [] });
  assert.ok(!none.isReached && none.nearest === undefined);
});

test("cities that are lost whole cost overhead, and a consortium in one city is exposed", () => {
  const flood = { city: { perYear: 1e-3, repairDays: 14 } };
  const spread = chooseCode({ stores: stores(15, 0.99), domainHazards: flood });
  const seven = chooseCode({ stores: stores(15, 0.99, 7), domainHazards: flood });
  assert.ok(spread.isReached);
  assert.ok(!seven.isReached || seven.chosen.overhead > spread.chosen.overhead);
  const one = chooseCode({ stores: stores(15, 0.99, 1), domainHazards: flood });
  assert.ok(!one.isReached && one.nearest?.isExposed === true && one.needs.overhead === undefined);
});

/** The story's six members: 2 + 3 + 3 + 3 + 2 + 1 stores, each member's behind one node. */
const sixMembers = (node: number) => ({
  stores: [2, 3, 3, 3, 2, 1].flatMap((count, m) =>
    Array.from({ length: count }, (_, i) => {
      const member = `m${m}`;
      return { id: `${member}-${i}`, member, site: siteOf({ member }), availability: 0.999, hazards };
    }),
  ),
  outage: { member: Object.fromEntries(Array.from({ length: 6 }, (_, m) => [`m${m}`, 1 - node])) },
});

test("fourteen stores behind six nodes are not fourteen: the nearest loses nothing, and further members keep the promise", () => {
  const six = sixMembers(0.99);
  const choice = chooseCode(six);
  assert.ok(!choice.isReached);
  assert.deepEqual(choice.nearest?.code, { k: 8, m: 4 });
  assert.ok(choice.nearest.yearlyLoss < 1e-9 && choice.nearest.unreadable > 1e-4);
  assert.equal(choice.nearest.isExposed, false);
  const more = choice.needs.moreStores!;
  const further = stores(more, 0.99 * 0.999); // about as good as those behind nodes
  const joined = {
    ...six,
    stores: [...six.stores, ...further.map((store) => ({ ...store, member: `+${store.member}`, id: `+${store.id}` }))],
  };
  assert.equal(chooseCode(joined).isReached, true);
  // The same stores, each behind a node of its own, would do; and so would better nodes.
  assert.equal(chooseCode({ stores: stores(14, 0.99) }).isReached, true);
  const { availability } = choice.needs;
  const isReached = (node: number) => chooseCode(sixMembers(node)).isReached;
  assert.deepEqual([isReached(availability!), isReached(availability! - 2e-5)], [true, false]);
});

test("an outage of one named member counts for its columns, and for nobody else's", () => {
  const [a, b, c] = stores(3, 1);
  const odds = { stores: [a!, b!, c!], outage: { member: { m1: 0.01 } } };
  assert.ok(Math.abs(oddsOfCode(odds, { k: 3, m: 0 }).unreadable - 0.01) < 1e-12);
  assert.equal(oddsOfCode(odds, { k: 2, m: 1 }).unreadable, 0);
  const other = { ...odds, outage: { member: { m9: 0.5 } } };
  assert.equal(oddsOfCode(other, { k: 3, m: 0 }).unreadable, 0);
});

test("at the same promise more stores cost less", () => {
  const overheads = [14, 18, 30].map((count) => {
    const choice = chooseCode({ stores: stores(count, 0.99) });
    assert.ok(choice.isReached);
    return choice.chosen.overhead;
  });
  assert.deepEqual(
    overheads,
    [...new Set(overheads)].sort((a, b) => b - a),
  );
});

/** Each row of the table in the documentation: stores, then what comes out at 95, 98 and 99 %; a code in brackets misses the promise. */
test("the table of codes in the documentation is what comes out", () => {
  const page = readFileSync(new URL("../../../../docs/internals/durability.md", import.meta.url), "utf8");
  const rows = [...page.matchAll(/^\| (\d+|six members, fourteen stores) ((?:\| \(?\d+\+\d+\)? ){3})\|$/gm)];
  assert.deepEqual(
    rows.map(([, first]) => first),
    ["3", "6", "14", "30", "100", "six members, fourteen stores"],
  );
  for (const [, first, cells] of rows) {
    const found = [0.95, 0.98, 0.99].map((availability) => {
      const choice = chooseCode(
        first?.startsWith("six") ? sixMembers(availability) : { stores: stores(Number(first), availability) },
      );
      const { code } = choice.isReached ? choice.chosen : choice.nearest!;
      return choice.isReached ? `${code.k}+${code.m}` : `(${code.k}+${code.m})`;
    });
    assert.deepEqual(
      cells
        ?.split("|")
        .slice(1)
        .map((cell) => cell.trim()),
      found,
      first,
    );
  }
});

test("slow repair is part of the promise", () => {
  const slow = stores(14, 0.999).map((store) => ({ ...store, hazards: [{ perYear: rateOfAfr(0.2), repairDays: 30 }] }));
  assert.equal(chooseCode({ stores: slow }).isReached, false);
  assert.equal(chooseCode({ stores: slow }, { ...DEFAULT_GOAL, yearlyLoss: 1 }).isReached, true);
});
