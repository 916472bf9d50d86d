/** Half of the seeds; the first half lies beside it, so that two processes share them. */
import { test } from "node:test";
import { CRASH_POINTS, REFUSED_PROPOSALS, TAKEN_PROPOSALS } from "../../src/simulator/index.ts";
import { assertSeen, runSeeds } from "./seeds.ts";

const FROM = 151;
const SEEDS = 150;

test("whole nodes agree, lose nothing, decide every read and prove every refusal, whatever fails: seeds 151 to 300", async (context) => {
  const tally = await runSeeds(context, FROM, SEEDS);
  assertSeen(tally, "crash", CRASH_POINTS, 10);
  assertSeen(tally, "proposal", [...REFUSED_PROPOSALS, ...TAKEN_PROPOSALS], 5);
  assertSeen(tally, "fault", ["kill", "split", "skew", "double_vote"], 15);
  assertSeen(tally, "network", ["lost", "repeated", "cutOff"], 1_000);
  assertSeen(tally, "outcome", ["permits", "refusals", "proofs", "transactions", "proposalsRefused", "validatorUpdates"], 300);
  assertSeen(tally, "outcome", ["turnedAway"], 20);
});
