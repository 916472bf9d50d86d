import assert from "node:assert/strict";
import { test } from "node:test";
import { ReapWait } from "../../src/driver/reap-wait.ts";

/** Whether a promise has settled once everything that can settle now has. */
async function isDone(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  void promise.then(() => {
    done = true;
  });
  await new Promise(setImmediate);
  return done;
}

test("an answer waits until there may be something", async () => {
  const wait = new ReapWait();
  const answer = wait.untilWork();
  assert.equal(await isDone(answer), false);
  wait.notify();
  await answer;
});

test("what came between two questions is not waited for", async () => {
  const wait = new ReapWait();
  wait.notify();
  assert.equal(await isDone(wait.untilWork()), true);
  const next = wait.untilWork();
  assert.equal(await isDone(next), false);
  wait.release();
  await next;
});

test("while a block is made final nothing waits", async () => {
  const wait = new ReapWait();
  const before = wait.untilWork();
  assert.equal(await isDone(before), false);
  wait.hold();
  assert.equal(await isDone(before), true);
  assert.equal(await isDone(wait.untilWork()), true);
  assert.equal(await isDone(wait.untilWork()), true);
  wait.resume();
  wait.release();
  assert.equal(await isDone(wait.untilWork()), true);
});

test("an answer that nothing wakes comes all the same", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const wait = new ReapWait();
  const answer = wait.untilWork();
  assert.equal(await isDone(answer), false);
  context.mock.timers.tick(500);
  assert.equal(await isDone(answer), true);
});
