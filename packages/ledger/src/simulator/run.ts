/**
 * Runs seeds: each for so many steps with its faults, then without them until everything that waits has its block.
 * Source: style.md, "Tests" (a failure prints seed and commit, one command replays it).
 */
import type { Mutation } from "./mutations.ts";
import type { Profile } from "./profile.ts";
import { Simulation } from "./simulation.ts";
import { Violation } from "./violation.ts";

/** Steps with faults. */
export const STEPS = 500;

/** How one seed went. */
export interface Outcome {
  readonly seed: number;
  readonly steps: number;
  /** Blocks decided. */
  readonly height: number;
  /** Hash over the whole trace; partial where something went wrong. */
  readonly traceHash: string;
  /** What went wrong: a `Violation`, or anything that code threw. */
  readonly failure?: unknown;
  /** How often what happened: `kind/name` and count. */
  readonly counts: readonly (readonly [string, number])[];
}

/** What to run: `steps` with faults (default `STEPS`), another `profile` than the seed's, a planted mistake. */
export interface RunOptions {
  readonly seed: number;
  readonly steps?: number;
  readonly mutation?: Mutation;
  readonly profile?: Partial<Profile>;
  readonly onTrace?: (line: string) => void;
}

/** Runs one seed. Never rejects: what went wrong is in the outcome. */
export async function runSeed({ steps = STEPS, ...options }: RunOptions): Promise<Outcome> {
  const simulation = new Simulation(options);
  let failure: { readonly failure: unknown } | undefined;
  try {
    await simulation.run(steps);
    await simulation.heal();
  } catch (error) {
    failure = { failure: error };
  }
  const { referee, tally } = simulation;
  tally.join(countsOf("outcome", { ...referee.counts, ...referee.access.counts }));
  tally.join(countsOf("network", simulation.networkCounts));
  tally.add("nodes", String(simulation.size));
  return {
    seed: options.seed,
    steps: simulation.steps,
    height: referee.height,
    traceHash: simulation.traceHash(),
    ...failure,
    counts: tally.entries(),
  };
}

const countsOf = (kind: string, counts: Readonly<Record<string, number>>): [string, number][] =>
  Object.entries(counts).map(([name, times]) => [`${kind}/${name}`, times]);

/** The command that runs a seed again and prints every step. */
export const replayCommand = (seed: number, mutation?: Mutation): string =>
  `npm run soak -- --seed ${seed} --trace${mutation === undefined ? "" : ` --plant ${mutation}`}`;

/** What to tell of a seed that went wrong. */
export function describeFailure({ seed, steps, failure }: Outcome, mutation?: Mutation): string {
  const told =
    failure instanceof Violation
      ? failure.message
      : failure instanceof Error
        ? (failure.stack ?? failure.message)
        : String(failure);
  return `seed ${seed}, step ${steps}: ${told}\nrun it again: ${replayCommand(seed, mutation)}`;
}
