export { REFUSED_PROPOSALS, TAKEN_PROPOSALS } from "./byzantine.ts";
export type { QuietChain } from "./cluster.ts";
export { SimulatedValidators } from "./driver.ts";
export { MUTATIONS, type Mutation } from "./mutations.ts";
export { describeFailure, type Outcome, type RunOptions, replayCommand, runSeed, STEPS } from "./run.ts";
export { Tally } from "./tally.ts";
export { Violation } from "./violation.ts";
export { CRASH_POINTS } from "./witness.ts";
export type { SigningKey } from "./world.ts";
