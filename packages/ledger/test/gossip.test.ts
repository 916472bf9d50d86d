import assert from "node:assert/strict";
import { test } from "node:test";
import type { Bytes, MemberId } from "@xinglin/primitives";
import { Gossip } from "../src/gossip.ts";
import type { Waiting } from "../src/mempool.ts";

const waiting = (name: number, sizeBytes = 100): Waiting => ({
  id: new Uint8Array(32).fill(name),
  idKey: String(name),
  hashKey: String(name),
  bytes: new Uint8Array(sizeBytes).fill(name),
  sponsor: "hospital-a" as MemberId,
  operations: 1,
  verification: 1,
  notAfter: { time: 1_000, height: 1_000 },
  standing: 0,
});
const names = (reaped: readonly Bytes[]): number[] => reaped.map((bytes) => bytes[0]!);
const setUp = (): { here: Set<Waiting>; gossip: Gossip; add: (one: Waiting, origin: "own" | "peer") => void } => {
  const here = new Set<Waiting>();
  const gossip = new Gossip((one) => here.has(one));
  const add = (one: Waiting, origin: "own" | "peer"): void => {
    here.add(one);
    gossip.add(one, origin, here.size);
  };
  return { here, gossip, add };
};
const all = { maxBytes: 10_000, height: 5, relay: true };

test("each transaction is handed on once, own ones first, as many as fit and at least one", () => {
  const { gossip, add } = setUp();
  add(waiting(1), "peer");
  for (const name of [2, 3, 4]) add(waiting(name), "own");
  add(waiting(5, 900), "own");
  assert.deepEqual(names(gossip.reap({ ...all, maxBytes: 200 })), [2, 3]);
  assert.deepEqual(names(gossip.reap({ ...all, maxBytes: 200 })), [4, 1]);
  assert.deepEqual(names(gossip.reap({ ...all, maxBytes: 200 })), [5]);
  assert.deepEqual(gossip.reap(all), []);
});

test("what came from peers is handed on only where the mesh is not full, and not later", () => {
  const { gossip, add } = setUp();
  add(waiting(1), "peer");
  assert.deepEqual(gossip.reap({ ...all, relay: false }), []);
  assert.deepEqual(gossip.reap(all), []);
  add(waiting(2), "peer");
  assert.deepEqual(names(gossip.reap(all)), [2]);
});

test("an own transaction that still waits eight blocks later is handed on again, a committed one is not", () => {
  const { here, gossip, add } = setUp();
  const [stays, leaves] = [waiting(1), waiting(2)];
  add(stays, "own");
  add(leaves, "own");
  gossip.reap(all);
  here.delete(leaves);
  assert.deepEqual(gossip.reap({ ...all, height: 12 }), []);
  assert.deepEqual(names(gossip.reap({ ...all, height: 13 })), [1]);
  assert.deepEqual(gossip.reap({ ...all, height: 13 }), []);
});

test("what left the mempool is not handed on, and is forgotten although nobody reaps", () => {
  const { here, gossip, add } = setUp();
  const gone = waiting(1);
  add(gone, "own");
  here.delete(gone);
  for (let name = 0; name < 5_000; name++) {
    const one = waiting(2);
    add(one, "own");
    here.delete(one);
  }
  assert.deepEqual(gossip.reap(all), []);
});
