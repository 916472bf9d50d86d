import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { toHex } from "@xinglin/primitives";
import fc from "fast-check";
import { IdTable, type Place } from "../src/id-table.ts";

const idOf = (n: number): Uint8Array => createHash("sha256").update(String(n)).digest();

test("behaves as a map through any mixture of additions and removals", () => {
  let found = 0;
  let missing = 0;
  const step = fc.record({
    remove: fc.boolean(),
    n: fc.nat(60),
    height: fc.integer({ min: 1, max: 2 ** 40 }),
    index: fc.nat(99),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 100, maxLength: 300 }), (steps) => {
      const table = new IdTable();
      const model = new Map<string, Place>();
      for (const { remove, n, height, index } of steps) {
        const id = idOf(n);
        const name = toHex(id);
        if (remove) {
          table.delete(id);
          model.delete(name);
        } else {
          table.add(id, height, index);
          if (!model.has(name)) model.set(name, { height, index });
        }
      }
      for (let n = 0; n <= 60; n++) {
        const expected = model.get(toHex(idOf(n)));
        assert.deepEqual(table.find(idOf(n)), expected);
        assert.equal(table.has(idOf(n)), expected !== undefined);
        if (expected === undefined) missing++;
        else found++;
      }
      return table.size === model.size;
    }),
    { numRuns: 100 },
  );
  assert.ok(found > 500 && missing > 500, `${found} found, ${missing} missing`);
});

test("grows and shrinks by tens of thousands without losing one", () => {
  const table = new IdTable();
  const ids = Array.from({ length: 20_000 }, (_, n) => idOf(n));
  for (const [i, id] of ids.entries()) table.add(id, i + 1, i);
  for (const id of ids.slice(0, 15_000)) table.delete(id);
  assert.equal(table.size, 5_000);
  ids.forEach((id, i) => {
    assert.deepEqual(table.find(id), i < 15_000 ? undefined : { height: i + 1, index: i });
  });
});
