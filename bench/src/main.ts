/**
 * `npm run bench -- NAME [--json] [--quick]` runs one suite and prints what it measured; `--list` names the suites. Without
 * `--quick`, each measure is also appended to `bench/history.jsonl` with its raw samples, and pages that quote figures are written anew. Ends with 1 if the suite found a wrong
 * result, whatever the speed.
 */
import { spawnSync } from "node:child_process";
import { appendFileSync } from "node:fs";
import { arch, cpus, platform, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { HISTORY, rounded, writeFigures } from "./figures.ts";
import type { Measure, Suite } from "./measure.ts";

/** Suites by name, with what each answers; loaded only when asked for, since each pulls in what it measures. */
const SUITES: Readonly<Record<string, { readonly about: string; readonly load: () => Promise<{ run: Suite }> }>> = {
  state: { about: "durable updates of the authenticated map, and how their cost grows", load: () => import("./state.ts") },
  archive: {
    about: "the archive: import, retrieval, ranges, audit, repair, memory, growth, and what a user would take instead",
    load: () => import("./archive.ts"),
  },
  records: {
    about: "a million small records from content to anchor: a quarter of an hour",
    load: () => import("./records.ts"),
  },
  durability: {
    about: "which code keeps the promise, simulated years against the calculus, cost and energy of a gigabyte-month",
    load: () => import("./durability.ts"),
  },
  suites: { about: "signatures checked and made a second in each suite, and their bytes", load: () => import("./suites.ts") },
  ledger: { about: "signed transactions, finality and record batches of the solo ledger", load: () => import("./ledger.ts") },
  network: {
    about: "four validators on CometBFT: rates held, CPU and energy of a transaction",
    load: () => import("./network.ts"),
  },
};

const USAGE = "Usage: npm run bench -- NAME [--json] [--quick], or npm run bench -- --list";

/** What stands beside every figure, so that it can be compared later. Names the machine's parts, never the machine. */
type Origin = { readonly suite: string; readonly commit: string; readonly machine: string };

/** The commit that is measured; "+dirty" if files differ from it, the history itself aside. */
function currentCommit(): string {
  const git = (...args: string[]): string =>
    spawnSync("git", args, { cwd: fileURLToPath(new URL("../..", import.meta.url)), encoding: "utf8" }).stdout?.trim() ?? "";
  const commit = git("rev-parse", "--short", "HEAD");
  if (commit === "") return "unknown";
  return git("status", "--porcelain", "--", ".", ":!bench/history.jsonl") === "" ? commit : `${commit}+dirty`;
}

function describeMachine(): string {
  const [first] = cpus();
  const memoryGib = (totalmem() / 2 ** 30).toFixed(1);
  return `${first?.model ?? arch()}, ${cpus().length} cores, ${memoryGib} GiB, ${platform()} ${arch()}, Node ${process.versions.node}`;
}

/** One measure as a line for people. */
function asLine(measure: Measure): string {
  if ("skipped" in measure) return `${measure.measure.padEnd(22)} skipped: ${measure.skipped}`;
  const { limit, ratio, peer, speedup } = measure;
  const parts = [`${measure.measure.padEnd(22)} ${rounded(measure.value).padStart(12)} ${measure.unit.padEnd(10)}`];
  if (ratio !== undefined)
    parts.push(`${rounded(ratio)} of ${limit === undefined ? "its limit" : `${limit.name} ${rounded(limit.value)}`}`);
  else if (limit !== undefined) parts.push(`limit ${limit.name} ${rounded(limit.value)}`);
  if (peer !== undefined)
    parts.push(`${speedup === undefined ? "" : `${rounded(speedup)} × `}${peer.name} ${rounded(peer.value)}`);
  parts.push(
    Object.entries(measure.conditions)
      .map(([name, value]) => `${name} ${value}`)
      .join(", "),
  );
  return parts.filter((part) => part !== "").join("  ");
}

async function runSuite(name: string, options: { json: boolean; quick: boolean }): Promise<void> {
  const suite = Object.hasOwn(SUITES, name) ? SUITES[name] : undefined;
  if (suite === undefined) throw new Error(`there is no suite "${name}"\n${USAGE}`);
  const origin: Origin = { suite: name, commit: currentCommit(), machine: describeMachine() };
  if (!options.json) console.log(`${name} at ${origin.commit} on ${origin.machine}\n`);
  const emit = (measure: Measure): void => {
    const { samples, ...printed } = { samples: undefined, ...measure };
    const full = { suite: name, ...printed, commit: origin.commit, machine: origin.machine };
    console.log(options.json ? JSON.stringify(full) : asLine(measure));
    if (options.quick || "skipped" in measure) return;
    appendFileSync(
      HISTORY,
      `${JSON.stringify({ at: new Date().toISOString(), ...full, samples: samples ?? [measure.value] })}\n`,
    );
  };
  const { run } = await suite.load();
  try {
    await run({ quick: options.quick, emit });
  } finally {
    if (!options.quick) writeFigures(); // of a run that broke off, too: the history has its lines
  }
}

function readArguments(): { values: { json: boolean; quick: boolean; list: boolean }; positionals: string[] } {
  const flag = { type: "boolean", default: false } as const;
  try {
    return parseArgs({ allowPositionals: true, options: { json: flag, quick: flag, list: flag } });
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${USAGE}`);
  }
}

try {
  const { values, positionals } = readArguments();
  if (values.list) for (const [name, { about }] of Object.entries(SUITES)) console.log(`${name.padEnd(8)} ${about}`);
  else if (positionals.length !== 1) throw new Error(USAGE);
  else await runSuite(positionals[0]!, values);
} catch (error) {
  console.error(error instanceof Error && error.message.includes(USAGE) ? error.message : error);
  process.exit(1);
}
process.exit(0); // a suite's engines may leave timers behind
