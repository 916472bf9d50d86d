/** The parts of which a simulation is made do what their names say: otherwise it would simulate something else. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex, utf8 } from "@xinglin/primitives";
import { Agenda } from "../../src/simulator/agenda.ts";
import { PowerCut, SimulatedDisk } from "../../src/simulator/disk.ts";
import { Network } from "../../src/simulator/network.ts";
import { Random } from "../../src/simulator/random.ts";
import { ValidatorSchedule } from "../../src/simulator/validators.ts";
import { NIL, type Vote, Votes } from "../../src/simulator/votes.ts";
import { keyOf } from "../support/chain.ts";

const put = (name: string) => ({ type: "put", key: utf8(name), value: utf8(name) }) as const;

test("the disk keeps what was synced, loses the newest of what was not, and never tears a batch", async () => {
  const kept = new Map<number, number>();
  for (let seed = 0; seed < 200; seed++) {
    const disk = new SimulatedDisk(new Random(seed));
    const database = await disk.open();
    await database.batch([put("a"), put("b")], { sync: true });
    for (const name of ["c", "d", "e"]) await database.batch([put(name), put(`${name}2`)]);
    disk.cutPower();
    const again = await disk.open();
    const has = (name: string): boolean => again.getSync(utf8(name)) !== undefined;
    assert.ok(has("a") && has("b"));
    const left = ["c", "d", "e"].filter(has);
    assert.deepEqual(left, ["c", "d", "e"].slice(0, left.length));
    for (const name of ["c", "d", "e"]) assert.equal(has(name), has(`${name}2`));
    kept.set(left.length, (kept.get(left.length) ?? 0) + 1);
    assert.throws(() => database.getSync(utf8("a")), { name: "Bug" });
  }
  assert.equal(kept.size, 4, "every number of batches was kept at some time");
});

test("a write under way when the power goes is there or is not, and a full disk takes nothing", async () => {
  const disk = new SimulatedDisk(new Random(1));
  for (const [fault, isThere] of [
    ["power_cut_before", false],
    ["power_cut_after", true],
  ] as const) {
    const database = await disk.open();
    disk.failNextWrite(fault);
    await assert.rejects(Promise.resolve(database.batch([put(fault)], { sync: true })), PowerCut);
    disk.cutPower();
    assert.equal((await disk.open()).getSync(utf8(fault)) !== undefined, isThere);
  }
  const database = await disk.open();
  disk.failNextWrite("write_fails");
  await assert.rejects(Promise.resolve(database.batch([put("full")], { sync: true })), /No space left/);
  assert.equal(database.getSync(utf8("full")), undefined);
});

test("bytes that go in or come out of the disk are copies", async () => {
  const database = await new SimulatedDisk(new Random(1)).open();
  const value = utf8("value");
  await database.batch([{ type: "put", key: utf8("k"), value }], { sync: true });
  value[0]! ^= 1;
  database.getSync(utf8("k"))![1]! ^= 1;
  assert.deepEqual(database.getSync(utf8("k")), utf8("value"));
});

test("events happen in the order of their times, and of one time in the order in which they were planned", () => {
  const random = new Random(4);
  const agenda = new Agenda<string>();
  const planned = Array.from({ length: 500 }, (_, i) => ({ at: random.below(40), i }));
  for (const { at, i } of planned) agenda.plan(at, `${at} ${i}`);
  const happened = Array.from({ length: 500 }, () => agenda.next());
  assert.deepEqual(
    happened,
    planned.toSorted((a, b) => a.at - b.at || a.i - b.i).map(({ at, i }) => `${at} ${i}`),
  );
  assert.equal(agenda.next(), undefined);
});

test("a split network carries nothing between its parts, and everything once it is healed", () => {
  const network = new Network(new Random(2), { lost: 500, repeated: 300, slow: 0 });
  network.split([0, 0, 1]);
  const arrivals = Array.from({ length: 400 }, () => network.send(0, 1, 7).length);
  assert.deepEqual([...new Set(arrivals)].toSorted(), [0, 1, 2]);
  assert.deepEqual(network.send(0, 2, 7), []);
  network.heal();
  for (let i = 0; i < 100; i++) assert.equal(network.send(0, 2, 7).length, 1);
});

test("validators propose as often as their power says, and an update holds from two heights above", () => {
  const keys = [0, 1, 2, 3].map((i) => keyOf(`rotation ${i}`).publicKey);
  const powers = [1, 2, 3, 4];
  const schedule = new ValidatorSchedule(keys.map((publicKey, i) => ({ publicKey, power: powers[i] as number })));
  const turns = new Map<string, number>();
  for (let height = 1; height <= 100; height++) {
    const name = toHex(schedule.proposer(height, 0));
    turns.set(name, (turns.get(name) ?? 0) + 1);
    schedule.decided(height, []);
  }
  assert.deepEqual(
    keys.map((key) => turns.get(toHex(key))),
    [10, 20, 30, 40],
  );
  const rounds = new Set(Array.from({ length: 10 }, (_, round) => toHex(schedule.proposer(101, round))));
  assert.equal(rounds.size, 4, "the rounds of one height come to every validator");
  schedule.decided(101, [
    { publicKey: keys[3]!, power: 0 },
    { publicKey: keyOf("newcomer").publicKey, power: 5 },
  ]);
  assert.deepEqual([schedule.powerOf(102, keys[3]!), schedule.powerOf(103, keys[3]!)], [4, 0]);
  assert.deepEqual(
    [102, 103].map((height) => schedule.at(height).total),
    [10, 11],
  );
});

test("a quorum is more than two thirds of the power, and who votes twice is found out", () => {
  const votes = new Votes((voter) => (voter < 4 ? 1 : 0), 4);
  const vote = (voter: number, key: string): Vote => ({
    type: "prevote",
    height: 1,
    round: 0,
    key,
    voter,
    time: { seconds: 1, nanos: 0 },
    signature: new Uint8Array(0),
  });
  for (const voter of [0, 1, 9]) votes.add(vote(voter, "x"));
  votes.add(vote(1, "x"));
  assert.equal(votes.quorumKey("prevote", 0), undefined);
  votes.add(vote(2, NIL));
  assert.ok(votes.hasQuorum("prevote", 0) && !votes.hasQuorum("prevote", 0, "x"));
  assert.equal(votes.doubleVoters.size, 0);
  votes.add(vote(2, "x"));
  assert.equal(votes.quorumKey("prevote", 0), "x");
  assert.deepEqual([...votes.doubleVoters], [2]);
});
