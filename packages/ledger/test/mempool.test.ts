import assert from "node:assert/strict";
import { test } from "node:test";
import type { MemberId } from "@xinglin/primitives";
import fc from "fast-check";
import { Mempool, type Waiting } from "../src/mempool.ts";

const latest = { time: 10_000, height: 10_000 };
const block = { maxBytes: 1_000_000, maxOperations: 1_000, maxVerification: 1_000, quota: 1_000, time: 100, height: 10, latest };
let made = 0;
function waiting(sponsor: string, change: Partial<Waiting> = {}): Waiting {
  const id = new Uint8Array(32);
  new DataView(id.buffer).setUint32(0, ++made);
  const notAfter = { time: 1_000, height: 1_000 };
  return {
    id,
    idKey: String(made),
    hashKey: `hash ${made}`,
    bytes: new Uint8Array(100),
    sponsor: sponsor as MemberId,
    operations: 1,
    verification: 1,
    notAfter,
    standing: 0,
    ...change,
  };
}
function put(mempool: Mempool, ...all: Waiting[]): void {
  for (const one of all) mempool.add(one);
}
const idKeys = (all: readonly Waiting[]): string[] => all.map(({ idKey }) => idKey);

/** Adds for one member until it is pushed back; how many went in, and with which code it ended. */
function fill(mempool: Mempool, sponsor: string, most = 1_000): { count: number; code: string | undefined } {
  for (let count = 0; count < most; count++) {
    try {
      put(mempool, waiting(sponsor));
    } catch (error) {
      return { count, code: (error as { code: string }).code };
    }
  }
  return { count: most, code: undefined };
}

test("one member gets half of the pool, the next half of the rest, and nobody is thrown out", () => {
  const mempool = new Mempool({ maxBytes: 1_000_000, maxCount: 120 });
  assert.deepEqual(fill(mempool, "a"), { count: 60, code: "mempool_quota" });
  assert.deepEqual(fill(mempool, "b"), { count: 30, code: "mempool_quota" });
  assert.deepEqual(fill(mempool, "c"), { count: 15, code: "mempool_quota" });
  assert.equal(mempool.size, 105);
});

test("bytes are shared as numbers are, and a pool without room for one more is full", () => {
  const mempool = new Mempool({ maxBytes: 1_000, maxCount: 1_000 });
  assert.deepEqual(fill(mempool, "a"), { count: 5, code: "mempool_quota" });
  const ofB = (length: number): Waiting => waiting("b", { bytes: new Uint8Array(length) });
  assert.throws(() => mempool.add(ofB(501)), { code: "mempool_full", retry: true });
  mempool.add(ofB(250));
  assert.throws(() => mempool.checkRoom("b" as MemberId, 250), { code: "mempool_quota", retry: true });
  assert.throws(() => mempool.add(ofB(250)), { code: "mempool_quota", retry: true });
  assert.equal(mempool.size, 6);
});

test("room counts until what took it has left", () => {
  const mempool = new Mempool({ maxBytes: 1_000, maxCount: 2 });
  const one = waiting("a");
  mempool.add(one);
  assert.throws(() => mempool.checkRoom("a" as MemberId, 10), { code: "mempool_quota" });
  mempool.remove(one.idKey);
  mempool.remove(one.idKey);
  assert.equal(fill(mempool, "a").count, 1);
});

test("a block takes from each member in turn, in order of arrival within a member", () => {
  const mempool = new Mempool({ maxBytes: 1_000_000, maxCount: 1_000 });
  const crowd = Array.from({ length: 50 }, () => waiting("crowd"));
  const few = [waiting("few"), waiting("few")];
  put(mempool, ...crowd, ...few);
  const { transactions } = mempool.take({ ...block, maxOperations: 6 });
  assert.deepEqual(idKeys(transactions), idKeys([crowd[0]!, few[0]!, crowd[1]!, few[1]!, crowd[2]!, crowd[3]!]));
  for (const { idKey } of transactions) mempool.remove(idKey);
  assert.deepEqual(idKeys(mempool.take({ ...block, maxOperations: 2 }).transactions), idKeys(crowd.slice(4, 6)));
});

test("a block keeps to its bytes, its operations and each member's quota; what does not fit keeps its turn", () => {
  const mempool = new Mempool({ maxBytes: 1_000_000, maxCount: 1_000 });
  const large = waiting("a", { operations: 8 });
  const after = waiting("a");
  const other = [waiting("b"), waiting("b"), waiting("b")];
  put(mempool, large, after, ...other);
  assert.deepEqual(idKeys(mempool.take({ ...block, quota: 7 }).transactions), idKeys(other));
  assert.deepEqual(idKeys(mempool.take({ ...block, quota: 2 }).transactions), idKeys(other.slice(0, 2)));
  assert.deepEqual(idKeys(mempool.take({ ...block, maxBytes: 250 }).transactions), idKeys([large, other[0]!]));
});

test("a block keeps to what its signatures may cost, and who sends costly ones gets fewer of them", () => {
  const mempool = new Mempool({ maxBytes: 1_000_000, maxCount: 1_000 });
  // An operation each: seven units of work against two.
  const costly = Array.from({ length: 20 }, () => waiting("costly", { verification: 6 }));
  const cheap = Array.from({ length: 40 }, () => waiting("cheap"));
  put(mempool, ...costly, ...cheap);
  const { transactions } = mempool.take({ ...block, maxVerification: 37 });
  const of = (sponsor: string): number => transactions.filter((one) => one.sponsor === sponsor).length;
  assert.equal(
    transactions.reduce((sum, { verification }) => sum + verification, 0),
    37,
  );
  assert.deepEqual([of("costly"), of("cheap")], [4, 13]);
  // At the bound from both sides; what is dearer than what is left waits, and others go on.
  const alone = new Mempool({ maxBytes: 1_000_000, maxCount: 1_000 });
  put(alone, ...costly.slice(0, 3), cheap[0]!);
  assert.deepEqual(
    idKeys(alone.take({ ...block, maxVerification: 18 }).transactions),
    idKeys([costly[0]!, cheap[0]!, costly[1]!]),
  );
  assert.deepEqual(idKeys(alone.take({ ...block, maxVerification: 19 }).transactions).length, 4);
});

test("a transaction with more operations than a block should have comes alone", () => {
  const mempool = new Mempool({ maxBytes: 1_000_000, maxCount: 1_000 });
  const [small, large, last] = [waiting("a"), waiting("a", { operations: 50 }), waiting("a")];
  put(mempool, small, large, last);
  const next = (): string[] => {
    const { transactions } = mempool.take({ ...block, maxOperations: 10 });
    for (const { idKey } of transactions) mempool.remove(idKey);
    return idKeys(transactions);
  };
  assert.deepEqual([next(), next(), next()], [idKeys([small]), idKeys([large]), idKeys([last])]);
});

test("a transaction that fits only into an empty block has its turn, however busy another member is", () => {
  const mempool = new Mempool({ maxBytes: 1_000_000, maxCount: 1_000 });
  const crowd = (): Waiting[] => Array.from({ length: 10 }, () => waiting("busy"));
  put(mempool, ...crowd(), ...crowd());
  const large = waiting("patient", { operations: 10 });
  put(mempool, large);
  const blocks: boolean[] = [];
  for (let i = 0; i < 4 && !blocks.includes(true); i++) {
    const { transactions } = mempool.take({ ...block, maxOperations: 10 });
    for (const { idKey } of transactions) mempool.remove(idKey);
    blocks.push(transactions.includes(large));
    put(mempool, ...crowd());
  }
  assert.deepEqual(blocks, [false, true]);
});

test("whole blocks are shared, too: neither a backlog nor one sent after the other shuts the other member out", () => {
  const mempool = new Mempool({ maxBytes: 1_000_000, maxCount: 1_000 });
  put(mempool, ...Array.from({ length: 20 }, () => waiting("backlog", { operations: 10 })));
  put(mempool, waiting("single", { operations: 10 }));
  const sponsors: string[] = [];
  for (let i = 0; i < 8; i++) {
    const { transactions } = mempool.take({ ...block, maxOperations: 10 });
    for (const { idKey, sponsor } of transactions) {
      mempool.remove(idKey);
      sponsors.push(sponsor);
      if (sponsor === "single") put(mempool, waiting("single", { operations: 10 }));
    }
  }
  assert.deepEqual(sponsors, ["backlog", "single", "backlog", "single", "backlog", "single", "backlog", "single"]);
});

test("what is past its validity leaves, by time and by height, and at the boundary stays", () => {
  const mempool = new Mempool({ maxBytes: 1_000_000, maxCount: 1_000 });
  const byTime = waiting("a", { notAfter: { time: 99, height: 1_000 } });
  const byHeight = waiting("a", { notAfter: { time: 1_000, height: 9 } });
  const last = waiting("a", { notAfter: { time: 100, height: 10 } });
  put(mempool, byTime, byHeight, last);
  const taken = mempool.take(block);
  assert.deepEqual([idKeys(taken.expired), idKeys(taken.transactions)], [idKeys([byTime, byHeight]), idKeys([last])]);
  assert.deepEqual([idKeys(mempool.expire(101, 10)), mempool.size], [idKeys([last]), 0]);
});

test("what is too far ahead of a block waits on and holds back nothing", () => {
  const mempool = new Mempool({ maxBytes: 1_000_000, maxCount: 1_000 });
  const byTime = waiting("a", { notAfter: { time: 10_001, height: 1_000 } });
  const byHeight = waiting("a", { notAfter: { time: 1_000, height: 10_001 } });
  const last = waiting("a", { notAfter: latest });
  put(mempool, byTime, byHeight, last);
  const taken = mempool.take(block);
  assert.deepEqual([idKeys(taken.expired), idKeys(taken.transactions), mempool.size], [[], idKeys([last]), 3]);
  const later = mempool.take({ ...block, latest: { time: 10_001, height: 10_001 } });
  assert.deepEqual(idKeys(later.transactions), idKeys([byTime, byHeight, last]));
});

test("through any traffic the bounds hold, and what went in comes out once, in order", () => {
  let refused = 0;
  let passed = 0;
  const action = fc.oneof(
    fc.record({ put: fc.constantFrom("a", "b", "c"), size: fc.integer({ min: 1, max: 400 }) }),
    fc.record({ take: fc.integer({ min: 1, max: 3 }) }),
  );
  fc.assert(
    fc.property(fc.array(action, { minLength: 60, maxLength: 120 }), (actions) => {
      const mempool = new Mempool({ maxBytes: 2_000, maxCount: 20 });
      const model = new Map<string, Waiting[]>([
        ["a", []],
        ["b", []],
        ["c", []],
      ]);
      for (const act of actions) {
        const everyone = [...model.values()].flat();
        const bytes = everyone.reduce((sum, one) => sum + one.bytes.length, 0);
        if ("put" in act) {
          const one = waiting(act.put, { bytes: new Uint8Array(act.size) });
          const own = model.get(act.put)!;
          const ownBytes = own.reduce((sum, other) => sum + other.bytes.length, 0);
          const fits = ownBytes + act.size <= 2_000 - bytes && own.length + 1 <= 20 - everyone.length;
          try {
            put(mempool, one);
            assert.ok(fits);
            own.push(one);
            passed++;
          } catch (error) {
            if (!/^mempool_/.test((error as { code?: string }).code ?? "")) throw error;
            assert.ok(!fits);
            refused++;
          }
        } else {
          for (const one of mempool.take({ ...block, maxOperations: act.take }).transactions) {
            assert.equal(model.get(one.sponsor)!.shift(), one);
            mempool.remove(one.idKey);
          }
        }
        assert.equal(mempool.size, [...model.values()].flat().length);
      }
    }),
    { numRuns: 200 },
  );
  assert.ok(refused > 100 && passed > 500, `${refused} refused, ${passed} passed`);
});
