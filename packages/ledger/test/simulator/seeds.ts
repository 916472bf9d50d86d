/** Runs a range of seeds in a test: what went wrong, with the command that runs it again, and how often which fault came up. */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { describeFailure, runSeed, Tally } from "../../src/simulator/index.ts";

/** Runs the seeds from `from` on, and fails with every one that failed. */
export async function runSeeds(context: TestContext, from: number, count: number): Promise<Tally> {
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

/** Every kind of fault that a range of seeds must have seen, so that it cannot hold emptily. */
export function assertSeen(tally: Tally, kind: string, names: readonly string[], least: number): void {
  for (const name of names) assert.ok(tally.of(kind, name) >= least, `${kind} ${name} came up ${tally.of(kind, name)} times`);
}
