import assert from "node:assert/strict";
import { test } from "node:test";
import { Attention } from "../src/wallet/attention.ts";

test("a prompt opens only while its owner is at hand, and one at a time", async () => {
  const attention = new Attention();
  await assert.rejects(
    attention.ask(async () => "signed"),
    { code: "unlock_needed" },
  );
  const order: string[] = [];
  await attention.during(async () => {
    const slow = Promise.withResolvers<void>();
    const first = attention.ask(async () => {
      order.push("first opens");
      await slow.promise;
      order.push("first closes");
      throw new Error("refused");
    });
    const second = attention.ask(async () => order.push("second opens"));
    slow.resolve();
    await assert.rejects(first, /refused/);
    await second;
  });
  assert.deepEqual(order, ["first opens", "first closes", "second opens"]);
  await assert.rejects(
    attention.ask(async () => "signed"),
    { code: "unlock_needed" },
  );
});
