import assert from "node:assert/strict";
import { test } from "node:test";
import { lock, tryLock } from "../src/machine-lock.ts";

test("a lock is held by one at a time, and who waits gets it when it is given back", async () => {
  const name = `test-${process.pid}`;
  const held = await tryLock(name);
  assert.ok(held !== undefined);
  assert.equal(await tryLock(name), undefined);
  const order: string[] = [];
  const next = lock(name).then((taken) => {
    order.push("taken");
    return taken;
  });
  assert.equal(await tryLock(name), undefined);
  order.push("released");
  await held.release();
  await (await next).release();
  assert.deepEqual(order, ["released", "taken"]);
  await (await tryLock(name))?.release();
});
