/** Every node finds the same answer to whose turn an object is, and nobody is waited for who has gone. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Pulse } from "../../src/keeping/pulse.ts";
import { turnOf } from "../../src/keeping/whose-turn.ts";

const everyone = ["a", "b", "c", "d"];
const without = (...away: string[]) => {
  const standIns = everyone.filter((member) => !away.includes(member));
  return { isThere: (member: string) => standIns.includes(member), standIns };
};
const objects = Array.from({ length: 400 }, () => ({ id: randomBytes(16).toString("hex"), source: "a" }));

test("the owner mends its own; when it is away the others share them, and when one of those goes only its part moves", () => {
  for (const object of objects) assert.equal(turnOf(without(), object), "a");
  const turns = objects.map((object) => turnOf(without("a"), object));
  for (const member of ["b", "c", "d"]) assert.ok(turns.filter((turn) => turn === member).length > 80, member);
  for (const [i, object] of objects.entries()) {
    const turn = turnOf(without("a", "c"), object);
    if (turns[i] !== "c") assert.equal(turn, turns[i]);
    else assert.ok(turn === "b" || turn === "d");
  }
  assert.equal(turnOf(without(...everyone), objects[0]!), "a");
});

test("silence counts from when this node first saw it, over restarts, and ends with the next recorded round", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "xp-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const before = new Pulse(folder);
  assert.equal(before.member("b", 7, 1_000), 0);
  assert.equal(before.store("b-1", false, 1_000), 0);
  before.save();
  const pulse = new Pulse(folder);
  assert.deepEqual([pulse.member("b", 7, 5_000), pulse.store("b-1", false, 6_000)], [4_000, 5_000]);
  assert.deepEqual([pulse.member("b", 8, 7_000), pulse.store("b-1", true, 7_000)], [0, 0]);
  assert.deepEqual([pulse.member("b", 8, 7_500), pulse.store("b-1", false, 8_000)], [500, 0]);
});
