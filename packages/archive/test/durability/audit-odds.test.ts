/** What samples find. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { lostPieces, meanDaysToFind, oddsOfFinding, oddsOverObjects, sampleFor } from "../../src/durability/audit-odds.ts";

test("460 pieces find a loss of 1 % with 99 %, as published, and of a small pack fewer do", () => {
  // Ateniese et al. 2007: 460 blocks for 99 % and 300 for 95 % of a file of 10,000 blocks that lost 1 %.
  assert.ok(oddsOfFinding({ pieces: 10_000, sampled: 460 }, 100) >= 0.99);
  assert.ok(oddsOfFinding({ pieces: 10_000, sampled: 300 }, 100) >= 0.95);
  assert.ok(sampleFor(1e9, 0.01, 0.99) <= 460 && sampleFor(1e9, 0.01, 0.99) > 455);
  assert.equal(sampleFor(191, 0.01, 0.99), 172); // 500 MB at 10+4: two of 191 pieces are gone
  assert.equal(sampleFor(1, 0.01, 0.99), 1);
});

test("odds are those of the hypergeometric distribution", () => {
  const choose = (n: number, k: number): bigint => {
    let ways = 1n;
    for (let i = 0; i < k; i++) ways = (ways * BigInt(n - i)) / BigInt(i + 1);
    return ways;
  };
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 60 }), fc.nat(60), fc.nat(60), (pieces, a, b) => {
      const [sampled, lost] = [a % (pieces + 1), b % (pieces + 1)];
      const missed = sampled + lost > pieces ? 0 : Number(choose(pieces - lost, sampled)) / Number(choose(pieces, sampled));
      assert.ok(Math.abs(oddsOfFinding({ pieces, sampled }, lost) - (1 - missed)) < 1e-9);
    }),
  );
});

test("the sample for a confidence is the smallest", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 5_000 }), fc.double({ min: 0.001, max: 0.5, noNaN: true }), (pieces, share) => {
      const sampled = sampleFor(pieces, share, 0.99);
      const odds = (count: number) => oddsOfFinding({ pieces, sampled: count }, lostPieces(pieces, share));
      assert.ok(odds(sampled) >= 0.99 && (sampled === 1 || odds(sampled - 1) < 0.99));
    }),
  );
});

test("over several objects the odds are for the worst place of the loss", () => {
  const objects = [
    { pieces: 10, sampled: 10 },
    { pieces: 90, sampled: 9 },
  ];
  assert.ok(Math.abs(oddsOverObjects(objects, 0.01) - 0.1) < 1e-12); // one piece, in the object that was looked at least
  assert.equal(oddsOverObjects([{ pieces: 5, sampled: 5 }], 0.01), 1);
  assert.equal(
    oddsOverObjects(
      [
        { pieces: 5, sampled: 5 },
        { pieces: 7, sampled: 7 },
      ],
      0.01,
    ),
    1,
  );
  assert.equal(oddsOverObjects([], 0.01), 0);
  // Any way of losing the pieces is found at least as often.
  const two = { pieces: 50, sampled: 10 };
  const worst = oddsOverObjects([two, two], 0.04);
  for (let first = 0; first <= 4; first++) {
    const missed = (1 - oddsOfFinding(two, first)) * (1 - oddsOfFinding(two, 4 - first));
    assert.ok(1 - missed >= worst - 1e-12);
  }
});

test("an audit that finds everything finds it after half a period", () => {
  assert.equal(meanDaysToFind({ pieces: 10, sampled: 10 }, 0.01, 30), 15);
  assert.equal(meanDaysToFind({ pieces: 10, sampled: 5 }, 0.1, 30), 45);
});
