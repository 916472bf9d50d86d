import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { keys } from "@xinglin/contracts";
import type { Bytes } from "@xinglin/primitives";
import { type Included, ReplayWindow } from "../src/replay-window.ts";

const idOf = (name: string): Bytes => createHash("sha256").update(name).digest();
const included = (name: string, time: number, height = 1_000): Included => ({ id: idOf(name), notAfter: { time, height } });

class World {
  readonly state = new Map<string, Bytes>();
  readonly reader = { get: (key: string) => this.state.get(key) };
  window = ReplayWindow.load(this.reader);

  block(height: number, time: number, ...all: Included[]): number {
    const step = this.window.step(this.reader, { height, time }, all);
    for (const { key, value } of step.changes) {
      if (value === null) this.state.delete(key);
      else this.state.set(key, value);
    }
    this.window.adopt(step);
    return step.changes.length;
  }
}

test("remembers ids with their places until the last of their block is over, by time or height", () => {
  const world = new World();
  world.block(5, 100, included("a", 200), included("b", 300));
  world.block(9, 100, included("c", 900, 12));
  assert.deepEqual(world.window.find(idOf("b")), { height: 5, index: 1 });
  world.block(10, 300, included("d", 900));
  assert.ok(world.window.has(idOf("a")), "at its last second a transaction could still be included");
  world.block(11, 301, included("e", 900));
  assert.ok(!world.window.has(idOf("a")) && !world.window.has(idOf("b")));
  assert.equal(world.state.has(keys.replay(5)), false);
  world.block(12, 301, included("f", 900));
  assert.ok(world.window.has(idOf("c")));
  world.block(13, 301, included("g", 900));
  assert.ok(!world.window.has(idOf("c")));
  assert.equal(world.window.size, 4);
});

test("an empty block changes nothing, whatever is over", () => {
  const world = new World();
  world.block(1, 100, included("a", 200));
  assert.equal(world.block(2, 10_000), 0);
});

test("prunes a few entries a block, the oldest first, and catches up", () => {
  const world = new World();
  for (let height = 1; height <= 20; height++) world.block(height, 100, included(`tx ${height}`, 200));
  const left = [];
  for (let height = 21; height <= 27; height++) {
    world.block(height, 500, included(`tx ${height}`, 900));
    left.push(world.window.size);
  }
  assert.deepEqual(left, [17, 14, 11, 8, 5, 6, 7]);
  assert.equal([...world.state.keys()].filter((key) => key.startsWith("replay/")).length, 7);
});

test("a window loaded from the state is the same one", () => {
  const world = new World();
  for (let height = 1; height <= 30; height += 3) {
    world.block(height, height * 10, included(`x${height}`, height * 10 + 100), included(`y${height}`, height * 10 + 50));
    const loaded = ReplayWindow.load(world.reader);
    assert.equal(loaded.size, world.window.size);
    for (let seen = 1; seen <= height; seen += 3)
      for (const name of [`x${seen}`, `y${seen}`]) assert.deepEqual(loaded.find(idOf(name)), world.window.find(idOf(name)));
    const next = { height: height + 1, time: height * 10 + 5 };
    assert.deepEqual(
      loaded.step(world.reader, next, [included("n", 900)]),
      world.window.step(world.reader, next, [included("n", 900)]),
    );
  }
  assert.ok(world.window.size < 20, "some were pruned");
});
