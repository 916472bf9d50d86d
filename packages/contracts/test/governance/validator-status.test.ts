import assert from "node:assert/strict";
import { test } from "node:test";
import { getElection, getValidators, keys, validatorStatus } from "../../src/index.ts";
import { consortium, MEMBERS } from "../support/committee.ts";
import { World, world } from "../support/world.ts";

test("the status says seats, shares and the committee; of fewer than four it says that no cap holds", () => {
  const four = validatorStatus(consortium(4))!;
  assert.deepEqual(
    [four.seats, four.totalPower, four.isCapMissing, four.isOverCap, four.toleratedFaults],
    [{ wanted: 4, held: 4, least: 4, most: 21 }, 40, false, false, 1],
  );
  assert.deepEqual(
    four.active.map(({ sharePerMille }) => sharePerMille),
    [250, 250, 250, 250],
  );
  assert.deepEqual(four.committee, { members: MEMBERS.slice(0, 4), votesNeeded: 3 });
  const three = validatorStatus(consortium(3))!;
  assert.deepEqual([three.isCapMissing, three.toleratedFaults], [true, 0]);
  const uneven = consortium(4);
  uneven.set(
    keys.validators,
    getValidators(uneven).map((one, n) => ({ ...one, power: n === 0 ? 20 : 10 })),
  );
  assert.equal(validatorStatus(uneven)?.isOverCap, true);
});

test("faults that are survived are counted in power: heavy validators leave room for fewer", () => {
  const faults = (powers: readonly number[]): number | undefined => {
    const made = consortium(powers.length);
    made.set(
      keys.validators,
      getValidators(made).map((one, n) => ({ ...one, power: powers[n]! })),
    );
    return validatorStatus(made)?.toleratedFaults;
  };
  assert.deepEqual(
    [1, 2, 3, 4, 6, 7, 10].map((size) => faults(Array(size).fill(5))),
    [0, 0, 0, 1, 1, 2, 3],
  );
  assert.equal(faults([13, 13, 9, 9, 9, 9, 9]), 1, "two of 13 among 71 are more than a third");
  assert.equal(faults([330, 330, 170, 170]), 1);
  assert.equal(faults([334, 333, 333]), 0);
});

test("a chain of one and a state before the first block have a status too", () => {
  assert.deepEqual(
    [validatorStatus(world())?.active.length, validatorStatus(world())?.isCapMissing, validatorStatus(new World())],
    [1, true, undefined],
  );
});

test("the status shows what peers saw in the last closed epoch, and nothing before there is one", () => {
  const state = consortium(4);
  assert.equal(validatorStatus(state)?.active[0]?.seen, undefined);
  const election = getElection(state)!;
  const credited = { answeredPerMille: 990, kilobytesPerSecond: 12_000, freeMegabytes: 500 };
  const row = {
    member: MEMBERS[1]!,
    due: 0,
    signed: 0,
    points: 0,
    probers: 3,
    credited,
    answeredPerMille: 990,
    score: 1,
    strikes: 0,
    standing: "fit",
  };
  const record = { from: 0, to: 9, blocks: 1, operations: 1, utilisationPerMille: 0, seats: 4, rows: [row] };
  state.set(keys.epoch(election.epoch), record);
  state.set(keys.election, { ...election, epoch: election.epoch + 1 });
  const seen = validatorStatus(state)?.active.map((one) => one.seen);
  assert.deepEqual(
    seen?.filter((one) => one !== undefined),
    [{ epoch: election.epoch, probers: 3, ...credited }],
  );
});
