import assert from "node:assert/strict";
import { test } from "node:test";
import { Bug, Fault, invariant } from "../src/fault.ts";
import { fillMessage } from "../src/message.ts";
import { accept, refuse } from "../src/result.ts";

test("a fault carries its code, facts, cause and whether to try again", () => {
  const cause = new Error("disk");
  const fault = new Fault("disk_full", { neededBytes: 10, folder: "data" }, { cause, retry: true });
  assert.equal(fault.message, "disk_full: neededBytes=10 folder=data");
  assert.deepEqual([fault.code, fault.retry, fault.cause, fault.name], ["disk_full", true, cause, "Fault"]);
  const bare = new Fault("malformed");
  assert.deepEqual([bare.message, bare.retry, bare.facts, "cause" in bare], ["malformed", false, {}, false]);
});

test("an invariant that breaks is a bug", () => {
  invariant(true, "holds");
  assert.throws(
    () => invariant(false, "sizes differ"),
    (error: unknown) => error instanceof Bug && error.message === "sizes differ",
  );
});

test("outcomes of a rule", () => {
  assert.deepEqual(accept(1), { ok: true, value: 1 });
  assert.deepEqual(refuse({ code: "no_directive" }), { ok: false, refusal: { code: "no_directive" } });
});

test("a sentence is filled with its facts", () => {
  assert.equal(fillMessage("at {port}", {}), "at {port}");
  assert.equal(fillMessage("at {port} of {host}", { port: 80, host: "a" }), "at 80 of a");
  assert.equal(fillMessage("nothing to fill"), "nothing to fill");
});
