import assert from "node:assert/strict";
import { test } from "node:test";
import { describeFailure, MUTATIONS, type Mutation, type RunOptions, runSeed } from "../../src/simulator/index.ts";
import { Simulation } from "../../src/simulator/simulation.ts";

test("a seed gives the same trace, step by step, on every run; another seed another", async () => {
  const traced = async (seed: number): Promise<{ lines: string[]; hash: string }> => {
    const lines: string[] = [];
    const { traceHash } = await runSeed({ seed, onTrace: (line) => lines.push(line) });
    return { lines, hash: traceHash };
  };
  for (const seed of [6, 17]) {
    const [one, other] = [await traced(seed), await traced(seed)];
    assert.deepEqual(one.lines, other.lines);
    assert.equal(one.hash, other.hash);
    assert.ok(one.lines.length >= 500);
  }
  assert.notEqual((await traced(6)).hash, (await traced(17)).hash);
});

/** Four nodes, of which one is faulty, and nothing else goes wrong. */
const quiet = {
  powers: [10, 10, 10, 10],
  byzantine: [2],
  doubleVoters: [],
  network: { lost: 0, repeated: 0, slow: 0 },
  crash: 0,
  tornWrite: 0,
  faultEveryMs: 1_000_000,
  skewMs: 0,
  submitEveryMs: 200,
  mempool: { maxBytes: 1_000_000, maxCount: 1_000 },
  memberQuota: 1_000,
  blockOperations: 1_000,
  epochBlocks: 2_000,
  maxValiditySeconds: 120,
} as const;

/** With these a planted mistake shows soon; the seeds' own odds find them too, later. */
const PROFILES: { readonly [Planted in Mutation]: NonNullable<RunOptions["profile"]> } = {
  forgives_replays: { ...quiet, tricks: ["replayed", "twice"] },
  forgives_quota: { ...quiet, tricks: ["over_quota"], memberQuota: 6 },
  forgives_signatures: { ...quiet, tricks: ["forged"] },
  refuses_some: quiet,
  own_order: quiet,
  own_clock: { ...quiet, skewMs: 5_000 },
  starves_member: quiet,
  forgets_synced_batch: { crash: 20 },
  tears_batch: { powers: [10, 10, 10, 10], tornWrite: 150 },
};
const WITHIN_SEEDS = 8;

for (const [planted, what] of Object.entries(MUTATIONS) as [Mutation, string][])
  test(`finds a planted mistake: ${what}`, async (context) => {
    for (let seed = 1; seed <= WITHIN_SEEDS; seed++) {
      const outcome = await runSeed({ seed, mutation: planted, profile: PROFILES[planted] });
      if (!("failure" in outcome)) continue;
      const told = describeFailure(outcome);
      context.diagnostic(told.split("\n", 1)[0] as string);
      assert.match(told, new RegExp(`npm run soak -- --seed ${seed} --trace$`));
      return;
    }
    assert.fail(`not found within ${WITHIN_SEEDS} seeds`);
  });

test("without a planted mistake the same profiles are clean", async () => {
  for (const profile of Object.values(PROFILES)) {
    const outcome = await runSeed({ seed: 3, profile });
    assert.ok(!("failure" in outcome), describeFailure(outcome));
  }
});

test("a transaction that one proposer leaves out is included within f + 1 proposers of the rotation", async () => {
  const faulty = quiet.byzantine.length;
  let leftOut = 0;
  for (let seed = 1; seed <= 6; seed++) {
    const simulation = new Simulation({ seed, profile: { ...quiet, tricks: ["withheld"] } });
    /** Since which height each transaction waits at every node. */
    const since = new Map<string, number>();
    const nodes = simulation.members.map(({ node }) => node);
    await simulation.run(10);
    for (let step = 0; step < 800; step++) {
      await simulation.run(1);
      const waiting = nodes.map(({ application }) => new Set(application.waitingTransactions().map(nameOf)));
      const [first, ...others] = waiting as [Set<string>, ...Set<string>[]];
      for (const name of first)
        if (!since.has(name) && others.every((set) => set.has(name))) since.set(name, simulation.referee.height);
      for (const [name, height] of since) {
        // The proposal for the next height may have been made before it was everywhere.
        const proposers = simulation.referee.height - height - 1;
        if (waiting.every((set) => !set.has(name))) {
          if (proposers > 1) leftOut++;
          since.delete(name);
        } else assert.ok(proposers <= faulty + 1, `seed ${seed}: still waits after ${proposers} proposers`);
      }
    }
  }
  assert.ok(leftOut > 5, `only ${leftOut} were left out by somebody`);
});

test("most of the power may be away: nothing is decided, nothing forks, and the chain goes on when it is back", async () => {
  const simulation = new Simulation({ seed: 5, profile: { ...quiet, byzantine: [] } });
  await simulation.run(200);
  const [first, second] = simulation.members;
  first!.node.stop();
  second!.node.stop();
  const { height } = simulation.referee;
  for (let i = 0; i < 300; i++) await simulation.next();
  assert.ok(simulation.referee.height <= height + 1, "half of the power decided blocks");
  await simulation.heal();
  assert.ok(simulation.referee.height > height + 1);
});

const nameOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");
