/** What peers hand on waits in a queue that no flood makes longer. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Application } from "@xinglin/ledger";
import { Fault } from "@xinglin/primitives";
import { Arrivals } from "../../src/driver/arrivals.ts";

/** An application that turns away everything, and counts. */
function refusing(): { application: Application; asked: () => number } {
  let asked = 0;
  const insertTx = (): never => {
    asked++;
    throw new Fault("malformed");
  };
  return { application: { insertTx } as unknown as Application, asked: () => asked };
}
const many = (count: number, length: number): Uint8Array[] => Array.from({ length: count }, () => new Uint8Array(length));

for (const [what, length, most] of [
  ["tiny ones", 1, 33_000],
  ["large ones", 100_000, 84],
] as const)
  test(`a flood of ${what} is pushed back, and taken again when the queue is empty`, async () => {
    const { application, asked } = refusing();
    const arrivals = new Arrivals(application, () => assert.fail("nothing began to wait"));
    let taken = 0;
    while (arrivals.add(many(10, length))) taken += 10;
    assert.ok(taken > 0 && taken <= most, `${taken} were taken`);
    while (asked() < taken) await new Promise(setImmediate);
    assert.ok(arrivals.add(many(10, length)));
    while (asked() < taken + 10) await new Promise(setImmediate);
  });
