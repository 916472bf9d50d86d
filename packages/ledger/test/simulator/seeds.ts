/** Runs a range of seeds in a test: what went wrong, with the command that runs it again, and how often which fault came up. */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { CRASH_POINTS, describeFailure, REFUSED_PROPOSALS, runSeed, TAKEN_PROPOSALS, Tally } from "../../src/simulator/index.ts";

/** Runs the seeds from `from` on, and fails with every one that failed. */
async function runSeeds(context: TestContext, from: number, count: number): Promise<Tally> {
  const tally = new Tally();
  const failures: string[] = [];
  const start = performance.now();
  let steps = 0;
  let blocks = 0;
  for (let seed = from; seed < from + count; seed++) {
    const outcome = await runSeed({ seed });
    tally.join(outcome.counts);
    steps += outcome.steps;
    blocks += outcome.height;
    if ("failure" in outcome) failures.push(describeFailure(outcome));
  }
  const seconds = (performance.now() - start) / 1000;
  context.diagnostic(
    `${count} seeds, ${steps} steps, ${blocks} blocks in ${seconds.toFixed(1)} s: ${(count / seconds).toFixed(2)} seeds/s`,
  );
  context.diagnostic(
    tally
      .entries()
      .map(([name, times]) => `${name} ${times}`)
      .join(", "),
  );
  assert.equal(failures.length, 0, `${failures.length} of ${count} seeds failed\n${failures.join("\n")}`);
  return tally;
}

/** Half of the seeds of `npm test`: nothing goes wrong, and every kind of fault came up, so that it does not hold emptily. */
export async function runHalf(context: TestContext, from: number): Promise<void> {
  const tally = await runSeeds(context, from, 150);
  assertSeen(tally, "crash", CRASH_POINTS, 10);
  assertSeen(tally, "proposal", [...REFUSED_PROPOSALS, ...TAKEN_PROPOSALS], 5);
  assertSeen(tally, "fault", ["kill", "split", "skew", "double_vote"], 15);
  assertSeen(tally, "network", ["lost", "repeated", "cutOff"], 1_000);
  assertSeen(tally, "outcome", ["permits", "refusals", "proofs", "transactions", "proposalsRefused", "validatorUpdates"], 300);
  assertSeen(tally, "outcome", ["turnedAway"], 20);
}

function assertSeen(tally: Tally, kind: string, names: readonly string[], least: number): void {
  for (const name of names) assert.ok(tally.of(kind, name) >= least, `${kind} ${name} came up ${tally.of(kind, name)} times`);
}
