/** Whom a gateway shares a key among, and how many of them put it together again. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_CUSTODIANS } from "@xinglin/contracts";
import type { ActorId, RecordId } from "@xinglin/primitives";
import { custodiansFor, thresholdFor } from "../src/custodians.ts";

const custodians = (count: number) => Array.from({ length: count }, (_, i) => ({ id: `custodian-${100 + i}` as ActorId }));
const record = (n: number): RecordId => n.toString(16).padStart(32, "0") as RecordId;

test("all custodians keep a share while a key has room for all", () => {
  for (const count of [1, MAX_CUSTODIANS]) assert.deepEqual(custodiansFor(record(1), custodians(count)), custodians(count));
});

test("of more, each record has sixteen of its own choice, always the same and in order; all are chosen by some record", () => {
  const all = custodians(40);
  const chosen = Array.from({ length: 60 }, (_, n) => custodiansFor(record(n), all));
  for (const [n, some] of chosen.entries()) {
    assert.equal(some.length, MAX_CUSTODIANS);
    assert.deepEqual(
      some,
      all.filter((one) => some.includes(one)),
    );
    assert.deepEqual(custodiansFor(record(n), all.toReversed()).toReversed(), some);
  }
  assert.equal(new Set(chosen.flat()).size, all.length);
  assert.notDeepEqual(chosen[0], chosen[1]);
});

test("the threshold is the one that was told, or more than half if that is more", () => {
  assert.deepEqual(
    [4, 5, 6, 7].map((count) => thresholdFor(4, count)),
    [4, 4, 4, 4],
  );
  assert.deepEqual(
    [8, 9, 16].map((count) => thresholdFor(4, count)),
    [5, 5, 9],
  );
  // Told more than there are: the rules refuse it, nobody lowers it in silence.
  assert.equal(thresholdFor(4, 3), 4);
});
