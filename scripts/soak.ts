/**
 * `npm run soak -- [--seeds N] [--from SEED] [--processes P]` runs the ledger's simulator over many seeds and ends with 1 if one of them failed;
 * `npm run soak -- --seed SEED [--trace]` runs one again, with `--trace` printing every step. `--plant MISTAKE` plants a mistake, to see that it
 * is found. Source: style.md, "Tests" (one command replays a seed).
 */
import { fork, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { describeFailure, MUTATIONS, type Mutation, type Outcome, runSeed, STEPS, Tally } from "@xinglin/ledger/simulator";

const USAGE = `Usage: npm run soak -- [--seeds 10000] [--from 1] [--processes 2] [--steps ${STEPS}]
       npm run soak -- --seed SEED [--trace] [--steps ${STEPS}] [--plant ${Object.keys(MUTATIONS).join("|")}]`;
const PROGRESS_MS = 15_000;

/** What a process tells of one seed; a failure cannot cross to another process, its words can. */
type Told = Pick<Outcome, "seed" | "steps" | "height" | "counts"> & { readonly failed?: string };

/** Seeds `from`, `from + every`, … below `end`. */
type Share = { readonly from: number; readonly end: number; readonly every: number; readonly steps: number };

const options = {
  seeds: { type: "string", default: "10000" },
  from: { type: "string", default: "1" },
  processes: { type: "string", default: "2" },
  steps: { type: "string", default: String(STEPS) },
  seed: { type: "string" },
  trace: { type: "boolean", default: false },
  plant: { type: "string" },
} as const;

/** An integer from 0; throws for anything else. */
function count(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`--${name} wants an integer from 0, not "${text}"`);
  return value;
}

/** The commit that the seeds belong to. */
const commit = (): string =>
  spawnSync("git", ["describe", "--always", "--dirty"], {
    cwd: fileURLToPath(new URL("..", import.meta.url)),
    encoding: "utf8",
  }).stdout?.trim() || "unknown";

async function replay(seed: number, steps: number, trace: boolean, plant: string | undefined): Promise<number> {
  if (plant !== undefined && !Object.hasOwn(MUTATIONS, plant)) throw new Error(`there is no mistake "${plant}" to plant`);
  const mutation = plant as Mutation | undefined;
  const outcome = await runSeed({
    seed,
    steps,
    ...(mutation === undefined ? {} : { mutation }),
    ...(trace ? { onTrace: (line: string) => console.log(line) } : {}),
  });
  for (const [name, times] of outcome.counts) console.log(`${String(times).padStart(8)}  ${name}`);
  console.log(`seed ${seed}: ${outcome.steps} steps, ${outcome.height} blocks, trace ${outcome.traceHash}`);
  if (!("failure" in outcome)) return 0;
  console.error(`commit ${commit()}, ${describeFailure(outcome, mutation)}`);
  return 1;
}

async function soak(from: number, seeds: number, processes: number, steps: number): Promise<number> {
  const tally = new Tally();
  const start = performance.now();
  let done = 0;
  let failed = 0;
  const onSeed = ({ counts, failed: words }: Told): void => {
    done++;
    tally.join(counts);
    if (words === undefined) return;
    failed++;
    console.error(`FAILED at commit ${commit()}, ${words}`);
  };
  const speed = (): string => `${((1000 * done) / (performance.now() - start)).toFixed(2)} seeds/s`;
  const progress = setInterval(() => console.log(`${done} of ${seeds} seeds, ${failed} failed, ${speed()}`), PROGRESS_MS);
  const shares = Array.from(
    { length: processes },
    (_, i): Share => ({ from: from + i, end: from + seeds, every: processes, steps }),
  );
  const codes = await Promise.all(shares.map((share) => runInProcess(share, onSeed)));
  clearInterval(progress);
  for (const [name, times] of tally.entries()) console.log(`${String(times).padStart(10)}  ${name}`);
  console.log(`${done} seeds from ${from} on, ${steps} steps each, ${failed} failed, ${speed()} in ${processes} processes`);
  return failed > 0 || codes.some((code) => code !== 0) || done !== seeds ? 1 : 0;
}

function runInProcess(share: Share, onSeed: (told: Told) => void): Promise<number> {
  const child = fork(fileURLToPath(import.meta.url), [], { env: { ...process.env, [SHARE]: JSON.stringify(share) } });
  const stop = (): boolean => child.kill();
  process.once("exit", stop);
  child.on("message", (told) => onSeed(told as Told));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => {
      process.off("exit", stop);
      resolve(code ?? 1);
    });
  });
}

/** Says to a child process of this script which seeds are its. */
const SHARE = "XINGLIN_SOAK_SHARE";

async function runShare({ from, end, every, steps }: Share): Promise<number> {
  for (let seed = from; seed < end; seed += every) {
    const outcome = await runSeed({ seed, steps });
    const { height, counts } = outcome;
    const words = "failure" in outcome ? { failed: describeFailure(outcome) } : {};
    const told: Told = { seed, steps: outcome.steps, height, counts, ...words };
    await new Promise<void>((resolve) => process.send?.(told, undefined, {}, () => resolve()));
  }
  process.disconnect();
  return 0;
}

async function main(): Promise<number> {
  const share = process.env[SHARE];
  if (share !== undefined && process.send !== undefined) return runShare(JSON.parse(share) as Share);
  try {
    const { values } = parseArgs({ options });
    const steps = count("steps", values.steps);
    if (values.seed !== undefined) return await replay(count("seed", values.seed), steps, values.trace, values.plant);
    return await soak(
      count("from", values.from),
      count("seeds", values.seeds),
      Math.max(1, count("processes", values.processes)),
      steps,
    );
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`);
    return 1;
  }
}

process.exitCode = await main();
