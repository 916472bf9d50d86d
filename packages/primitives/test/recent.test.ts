import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Recent } from "../src/recent.ts";

test("keeps the newest half, forgets beyond its bound, never answers a stale value", () => {
  let kept = 0;
  let forgotten = 0;
  const steps = fc.array(fc.record({ act: fc.constantFrom("get", "set", "delete"), key: fc.nat(30) }), {
    minLength: 100,
    maxLength: 200,
  });
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 20 }), steps, (atMost, run) => {
      const recent = new Recent<number, number>(atMost);
      const last = new Map<number, number>();
      /** Keys by when they were last used, newest first. */
      let order: number[] = [];
      run.forEach(({ act, key }, step) => {
        const before = recent.get(key);
        if (before === undefined) forgotten += last.has(key) ? 1 : 0;
        else kept++;
        if (before !== undefined || !last.has(key)) assert.equal(before, last.get(key));
        else assert.ok(order.indexOf(key) >= Math.floor(atMost / 2), "one of the newest half was forgotten");
        if (act === "set") {
          recent.set(key, step);
          last.set(key, step);
        }
        if (act === "delete") {
          recent.delete(key);
          last.delete(key);
        }
        if (act === "set" || (before !== undefined && act === "get")) order = [key, ...order.filter((other) => other !== key)];
      });
    }),
  );
  assert.ok(kept > 100 && forgotten > 100, `kept ${kept}, forgotten ${forgotten}`);
});
