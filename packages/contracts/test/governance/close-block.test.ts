import assert from "node:assert/strict";
import { test } from "node:test";
import type { MemberId } from "@xinglin/primitives";
import fc from "fast-check";
import {
  getEarlierValidators,
  getElection,
  getEpoch,
  getPenalty,
  getTally,
  getValidators,
  getValidatorsAt,
  keys,
  type Observation,
  validatorStatus,
} from "../../src/index.ts";
import {
  addressOf,
  by,
  candidateOf,
  close,
  consortium,
  decide,
  MEMBERS,
  NOT_ASKED,
  proposalId,
  validatorKeyOf,
  withCandidates,
} from "../support/committee.ts";
import { bytes, type World } from "../support/world.ts";

const powersIn = (of: World): Record<string, number> =>
  Object.fromEntries(getValidators(of).map(({ member, power }) => [member, power]));
const good: Observation = { answeredPerMille: 1000, kilobytesPerSecond: 10_000, freeMegabytes: 100_000 };
/** Everybody probes everybody, `seen` tells what of whom. */
function probeAll(of: World, size: number, seen: (n: number, prober: number) => Observation | undefined): void {
  const { epoch } = getElection(of)!;
  for (let n = 0; n < size; n++)
    for (let prober = 0; prober < size; prober++) {
      const what = prober === n ? undefined : seen(n, prober);
      if (what !== undefined) of.do(by(prober), { op: "recordProbe", epoch, member: MEMBERS[n]!, seen: what });
    }
}
/** Blocks until the epoch is over. */
function epoch(of: World, conduct: Parameters<typeof close>[1] = {}): ReturnType<typeof close> {
  const { epoch } = getElection(of)!;
  let closed = close(of, conduct);
  while (getElection(of)!.epoch === epoch) closed = close(of, conduct);
  return closed;
}
/** Epochs begin where the world stands, and last `epochBlocks`. */
const begun = (size: number, changed: Parameters<typeof consortium>[1] = {}): World => {
  const made = consortium(size, { epochBlocks: 20, ...changed });
  return made.set(keys.election, { ...getElection(made)!, since: made.height });
};

test("a block without transactions changes nothing, and one with transactions the tally only", () => {
  const now = begun(4);
  const before = new Map(now.entries);
  assert.deepEqual(close(now, { operations: 0 }), { changes: [], validatorUpdates: [] });
  assert.deepEqual(now.entries, before);
  const closed = close(now, {
    operations: 7,
    points: new Map([
      [MEMBERS[1]!, 3],
      ["clinic" as MemberId, 9],
    ]),
  });
  assert.deepEqual(
    closed.changes.map(({ key }) => key),
    [keys.tally],
  );
  assert.deepEqual(getTally(now)?.rows[1], { member: MEMBERS[1], due: 1, signed: 1, points: 3 });
  assert.equal(getTally(now)?.operations, 7);
});

test("a chain of one validator never counts, changes or is told anything", () => {
  for (const maxSeats of [1, 4]) {
    const now = consortium(1, { minSeats: 1, maxSeats, epochBlocks: 2 });
    const before = new Map(now.entries);
    for (let i = 0; i < 9; i++)
      assert.deepEqual(
        close(now, { misbehaviour: [{ kind: "duplicate_vote", address: addressOf(0), height: 1 }] }).validatorUpdates,
        [],
      );
    assert.deepEqual(now.entries, before);
  }
});

test("a chain of one seat keeps its validator, however much better those who stand by are", () => {
  const now = withCandidates(consortium(3, { minSeats: 1, maxSeats: 1, epochBlocks: 2 }), { 0: { score: 1 } });
  const only = getValidators(now).slice(0, 1);
  now.set(keys.validators, only).set(keys.election, { ...getElection(now)!, seats: 1 });
  const before = new Map(now.entries);
  for (let i = 0; i < 9; i++) close(now);
  assert.deepEqual(now.entries, before);
});

test("a penalty acts at once, however small the step, and leaves nobody above the cap", () => {
  const now = begun(5, { stepPerMille: 1 });
  close(now, { operations: 0, misbehaviour: [{ kind: "duplicate_vote", address: addressOf(1), height: 3 }] });
  assert.deepEqual(Object.values(powersIn(now)), [250_000, 250_000, 250_000, 250_000]);
});

test("few commits due are held against nobody; from ten on they are", () => {
  for (const [blocks, strikes] of [
    [9, 0],
    [10, 1],
  ] as const) {
    const now = begun(4, { epochBlocks: blocks });
    epoch(now, { lastCommit: [{ address: addressOf(2), signed: false }] });
    assert.equal(getEpoch(now, 1)?.rows[2]?.due, blocks);
    assert.equal(getElection(now)?.candidates[2]?.strikes, strikes);
  }
});

test("a seat changes hands for a score more than a tenth higher, and for no less", () => {
  for (const [points, keeps] of [
    [11, true],
    [18, false],
  ] as const) {
    // One of six stands by; who sits scores 800,000, who stands by 840,000 or 1,120,000.
    const now = begun(6, { maxSeats: 5, weights: { base: 400, records: 400, storage: 0, stability: 0 } });
    const sitting = getValidators(now).slice(0, 5);
    now.set(keys.validators, sitting).set(keys.election, { ...getElection(now)!, seats: 5 });
    epoch(now, { points: new Map(MEMBERS.slice(0, 6).map((member, n) => [member, n === 5 ? points : 10])) });
    assert.equal(powersIn(now)[MEMBERS[5]!] === undefined, keeps, `${points} points`);
  }
});

test("an epoch ends with the first block with transactions at or after its boundary, and the next begins there", () => {
  const now = begun(4);
  const first = now.height;
  for (let i = 0; i < 25; i++) close(now, { operations: 0 });
  assert.equal(getElection(now)?.epoch, 1);
  close(now);
  assert.equal(getElection(now)?.epoch, 2);
  assert.equal(getElection(now)?.since, first + 26);
  assert.deepEqual([getEpoch(now, 1)?.from, getEpoch(now, 1)?.to, getEpoch(now, 1)?.blocks], [first, first + 26, 1]);
  assert.deepEqual(getTally(now), { blocks: 0, operations: 0, rows: [] });
});

test("whoever anchors more, lends more and signs more has more power after the epoch, and no caps are passed", () => {
  const now = begun(4);
  const points = new Map([
    [MEMBERS[0]!, 20],
    [MEMBERS[1]!, 10],
    [MEMBERS[2]!, 10],
  ]);
  const lastCommit = [0, 1, 2, 3].map((n) => ({ address: addressOf(n), signed: n !== 3 }));
  probeAll(now, 4, (n) => ({ ...good, freeMegabytes: n === 0 ? 200_000 : 100_000 }));
  const closed = epoch(now, { points, lastCommit });
  // base 400 + records 200 × R + storage 100 × S + stability 300 × T, in thousands
  const scores = getEpoch(now, 1)?.rows.map(({ score }) => score);
  assert.deepEqual(scores, [1_300_000, 1_000_000, 1_000_000, 650_000]);
  const status = validatorStatus(now)!;
  assert.deepEqual(
    getElection(now)?.candidates.map(({ strikes }) => strikes),
    [0, 0, 0, 1],
    "no commit signed",
  );
  assert.deepEqual(
    status.active.map(({ member }) => member),
    MEMBERS.slice(0, 4),
  );
  // 1300 : 1000 : 1000 : 325, as the last one's strike halves it; the first is at its cap.
  assert.deepEqual(powersIn(now), {
    [MEMBERS[0]!]: 330_000,
    [MEMBERS[1]!]: 288_172,
    [MEMBERS[2]!]: 288_172,
    [MEMBERS[3]!]: 93_655,
  });
  assert.equal(closed.validatorUpdates.length, 4);
});

test("what is decided at H is in force from H+2 on", () => {
  const now = begun(4);
  const before = getValidators(now);
  decide(now, { kind: "removeValidator", member: MEMBERS[3]!, force: true }, proposalId(1), 3);
  const closed = close(now);
  const height = now.height;
  const after = getValidators(now);
  assert.deepEqual(closed.validatorUpdates.at(-1), { publicKey: validatorKeyOf(3), power: 0 });
  assert.equal(after.length, 3);
  for (const at of [height, height + 1]) assert.deepEqual(getValidatorsAt(now, at), before);
  assert.deepEqual(getValidatorsAt(now, height + 2), after);
  decide(now, { kind: "removeValidator", member: MEMBERS[2]!, force: true }, proposalId(2), 3);
  close(now);
  assert.deepEqual(getValidatorsAt(now, height + 1), before);
  assert.deepEqual(getValidatorsAt(now, height + 2), after);
  assert.equal(getValidatorsAt(now, height + 3).length, 2);
  for (let i = 0; i < 5; i++) close(now);
  assert.ok(getEarlierValidators(now).length <= 3);
  assert.equal(getValidatorsAt(now, now.height).length, 2);
});

test("a validator admitted by vote has a seat in that block; several at once come in as fast as a step allows", () => {
  const now = begun(4);
  for (const n of [4, 5, 6]) now.set(keys.member(MEMBERS[n]!), now.read<object>(keys.member(MEMBERS[1]!)));
  const admit = (n: number): void =>
    decide(
      now,
      { kind: "admitValidator", member: MEMBERS[n]!, publicKey: validatorKeyOf(n), possession: NOT_ASKED },
      proposalId(n),
      3,
    );
  admit(4);
  close(now);
  assert.equal(getElection(now)?.seats, 5);
  // Four of score 1,000,000 and a newcomer with the base of 400,000.
  assert.deepEqual(Object.values(powersIn(now)).sort(), [227_272, 227_272, 227_272, 227_272, 90_909]);
  const three = begun(4, { stepPerMille: 100 });
  for (const n of [4, 5, 6]) three.set(keys.member(MEMBERS[n]!), three.read<object>(keys.member(MEMBERS[1]!)));
  const { candidates, ...rest } = getElection(three)!;
  three.set(keys.election, { ...rest, seats: 7, candidates: [...candidates, ...[4, 5, 6].map((n) => candidateOf(n))] });
  const newcomers: number[] = [];
  for (let i = 0; i < 6; i++) {
    close(three);
    newcomers.push([4, 5, 6].reduce((sum, n) => sum + (powersIn(three)[MEMBERS[n]!] ?? 0), 0));
  }
  // A tenth is the first step; then every key has its seat, and the powers wait for the epoch.
  assert.deepEqual(newcomers, Array(6).fill(99_999));
});

test("misbehaviour takes the seat in any block, once, and is recorded; evidence from before the admission is not", () => {
  const now = withCandidates(begun(5), { 4: { since: 50 as never } });
  const evidence = (n: number, height: number) => ({ kind: "duplicate_vote" as const, address: addressOf(n), height });
  const closed = close(now, {
    operations: 0,
    misbehaviour: [evidence(1, 3), evidence(4, 3), { ...evidence(2, 3), address: bytes(20, 9) }],
  });
  assert.deepEqual(getPenalty(now, 1), {
    member: MEMBERS[1],
    address: addressOf(1),
    kind: "duplicate_vote",
    height: 3,
    at: now.height,
  });
  assert.equal(getElection(now)?.penalties, 1);
  assert.ok(
    closed.validatorUpdates.some(({ publicKey, power }) => power === 0 && String(publicKey) === String(validatorKeyOf(1))),
  );
  assert.equal(powersIn(now)[MEMBERS[1]!], undefined);
  assert.equal(getTally(now), undefined, "no transaction, no tally");
  assert.deepEqual(close(now, { operations: 0, misbehaviour: [evidence(1, 3)] }), { changes: [], validatorUpdates: [] });
  assert.deepEqual(
    validatorStatus(now)?.penalised.map(({ member }) => member),
    [MEMBERS[1]],
  );
});

test("evidence against a key that was replaced since finds whoever had it", () => {
  const now = withCandidates(begun(5), { 2: { address: bytes(20, 1), publicKey: bytes(32, 1), former: [addressOf(2)] } });
  close(now, { misbehaviour: [{ kind: "light_client_attack", address: addressOf(2), height: 4 }] });
  assert.equal(getPenalty(now, 1)?.member, MEMBERS[2]);
});

test("misbehaviour of everybody leaves the set as it is rather than empty", () => {
  const now = begun(4);
  const misbehaviour = [0, 1, 2, 3].map((n) => ({ kind: "duplicate_vote" as const, address: addressOf(n), height: 3 }));
  assert.deepEqual(close(now, { misbehaviour }).validatorUpdates, []);
  assert.equal(getElection(now)?.penalties, 4);
  assert.equal(getValidators(now).length, 4);
});

test("an unfit node loses power by halves, then the seat; a vote brings it back", () => {
  const now = begun(5, { maxSeats: 5 });
  const shares: number[] = [];
  for (let i = 0; i < 3; i++) {
    probeAll(now, 5, (n) => (n === 4 ? { ...good, answeredPerMille: 100 } : good));
    epoch(now);
    shares.push(powersIn(now)[MEMBERS[4]!] ?? 0);
  }
  assert.ok(shares[0]! > shares[1]! * 1.7 && shares[1]! > 0 && shares[2] === 0, String(shares));
  assert.equal(getElection(now)?.candidates[4]?.standing, "unfit");
  assert.deepEqual(
    validatorStatus(now)?.unfit.map(({ member }) => member),
    [MEMBERS[4]],
  );
  epoch(now);
  assert.equal(getValidators(now).length, 4, "it does not come back by itself");
  decide(
    now,
    { kind: "admitValidator", member: MEMBERS[4]!, publicKey: validatorKeyOf(4), possession: NOT_ASKED },
    proposalId(1),
    4,
  );
  close(now);
  assert.equal(getValidators(now).length, 5);
});

test("with four fit ones the unfit keeps a seat with the least power, and that is said; one good epoch and it is forgiven", () => {
  const now = begun(4);
  for (let i = 0; i < 5; i++) {
    probeAll(now, 4, (n) => (n === 3 ? { ...good, kilobytesPerSecond: 1 } : good));
    epoch(now);
  }
  const kept = validatorStatus(now)!.active.find(({ member }) => member === MEMBERS[3])!;
  assert.ok(kept.isKeptForLackOfOthers && kept.power < 20_000 && kept.power >= 1, JSON.stringify(kept));
  probeAll(now, 4, () => good);
  epoch(now);
  assert.equal(getElection(now)?.candidates[3]?.strikes, 0);
});

test("a lying minority neither gets an honest node out nor keeps its own in", () => {
  const now = begun(7, { maxSeats: 7 });
  const lies: Observation = { answeredPerMille: 0, kilobytesPerSecond: 0, freeMegabytes: 0 };
  for (let i = 0; i < 4; i++) {
    // 5 and 6 speak ill of everybody and well of each other, while 6 is really slow.
    probeAll(now, 7, (n, prober) => {
      if (prober >= 5) return n >= 5 ? good : lies;
      return n === 6 ? { ...good, kilobytesPerSecond: 5 } : good;
    });
    epoch(now);
  }
  const { unfit, active } = validatorStatus(now)!;
  assert.deepEqual(
    unfit.map(({ member }) => member),
    [MEMBERS[6]],
  );
  assert.equal(active.length, 6);
  assert.ok(active.every(({ strikes }) => strikes === 0));
});

test("full blocks take validators out down to the least, empty ones bring them in up to the most, one an epoch", () => {
  const now = begun(7, { minSeats: 4, maxSeats: 7, blockOperations: 100 });
  const held: number[] = [];
  for (let i = 0; i < 4; i++) {
    epoch(now, { operations: 90 });
    held.push(getValidators(now).length);
  }
  assert.deepEqual(held, [6, 5, 4, 4]);
  assert.equal(validatorStatus(now)?.standby.length, 3);
  assert.equal(validatorStatus(now)?.committee.members.length, 7, "who stands by still votes");
  for (let i = 0; i < 4; i++) {
    epoch(now, { operations: 10 });
    held.push(getValidators(now).length);
  }
  assert.deepEqual(held.slice(4), [5, 6, 7, 7]);
});

test("closing blocks is the same for any order of candidates, votes and probes", () => {
  const permuted = fc.shuffledSubarray([0, 1, 2, 3, 4, 5], { minLength: 6 });
  fc.assert(
    fc.property(permuted, permuted, fc.array(fc.nat(40), { minLength: 6, maxLength: 6 }), (order, other, points) => {
      const run = (places: readonly number[]): unknown => {
        const now = begun(6, { epochBlocks: 12 });
        const election = getElection(now)!;
        now.set(keys.election, { ...election, candidates: places.map((n) => candidateOf(n)) });
        for (const prober of places)
          for (const n of places)
            if (n !== prober)
              now.do(by(prober), {
                op: "recordProbe",
                epoch: 1,
                member: MEMBERS[n]!,
                seen: { ...good, freeMegabytes: 1000 * (n + prober) },
              });
        const lastCommit = places.map((n) => ({ address: addressOf(n), signed: n !== 2 }));
        const told = epoch(now, { points: new Map(places.map((n) => [MEMBERS[n]!, points[n]!])), lastCommit });
        return [now.entries.get(keys.validators), told.validatorUpdates];
      };
      assert.deepEqual(run(order), run(other));
    }),
    { numRuns: 25 },
  );
});

test("only the newest hundred epochs stay in the state", () => {
  const now = begun(4, { epochBlocks: 2 });
  for (let i = 0; i < 103; i++) epoch(now);
  assert.equal(getEpoch(now, 3), undefined);
  assert.ok(getEpoch(now, 4) !== undefined && getEpoch(now, 103) !== undefined);
});
