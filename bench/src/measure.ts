/**
 * What every benchmark suite reports, and the arithmetic behind it: interleaved rounds, percentiles, growth exponents, CPU time
 * and peak memory of a process with its children. Suites emit `Measure`s; `main.ts` prints and keeps them.
 */
import { readdirSync, readFileSync } from "node:fs";

/**
 * One figure of a suite, or the reason why it was not taken. `limit` is the slowest thing that the work cannot avoid, measured in
 * the same run on the same data, and `ratio` is value / limit (for times: limit / value). `peer` is what a user would take instead,
 * `speedup` ours against it. `conditions` state sizes, rates and what is counted. `samples` are kept in the history, not printed.
 */
export type Measure =
  | {
      readonly measure: string;
      readonly value: number;
      readonly unit: string;
      readonly limit?: { readonly name: string; readonly value: number };
      readonly ratio?: number;
      readonly peer?: { readonly name: string; readonly value: number };
      readonly speedup?: number;
      readonly conditions: Readonly<Record<string, string | number>>;
      readonly samples?: readonly number[];
    }
  | { readonly measure: string; readonly skipped: string };

/** What a suite is given: whether it must end within a minute, and where its measures go as soon as they are known. */
export type SuiteOptions = { readonly quick: boolean; readonly emit: (measure: Measure) => void };

/** A suite: resolves when all is emitted, rejects when a result was wrong (bytes differ, a proof fails) whatever the speed. */
export type Suite = (options: SuiteOptions) => Promise<void>;

const ascending = (samples: readonly number[]): number[] => {
  if (samples.length === 0) throw new RangeError("no samples");
  return [...samples].sort((a, b) => a - b);
};

/** The value below which `share` (0..1) of the samples lie, by nearest rank: p99.9 is `percentile(samples, 0.999)`. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = ascending(samples);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))]!;
}

/** The middle sample, or the mean of the two middle ones. Ours is reported by its median. */
export function median(samples: readonly number[]): number {
  const sorted = ascending(samples);
  const upper = sorted[sorted.length >> 1]!;
  return sorted.length % 2 === 1 ? upper : (sorted[(sorted.length >> 1) - 1]! + upper) / 2;
}

/** The best sample: the largest of rates, the smallest of times. Limits and peers are reported by their best round. */
export const best = (samples: readonly number[], better: "higher" | "lower" = "higher"): number => {
  const sorted = ascending(samples);
  return better === "higher" ? sorted[sorted.length - 1]! : sorted[0]!;
};

/** p50, p99, p99.9 and maximum of latencies, in the unit of the samples. */
export const latency = (samples: readonly number[]): { p50: number; p99: number; p999: number; max: number } => ({
  p50: percentile(samples, 0.5),
  p99: percentile(samples, 0.99),
  p999: percentile(samples, 0.999),
  max: percentile(samples, 1),
});

/**
 * Runs every task once a round, in turn, so that a slow spell of the machine hits all of them alike. Each task returns its own
 * figure (a rate or a time). Returns the samples by task name; `warmUp` rounds before them are thrown away.
 */
export async function interleave<const Name extends string>(
  rounds: number,
  tasks: Readonly<Record<Name, () => number | Promise<number>>>,
  warmUp = 0,
): Promise<Record<Name, number[]>> {
  const named = Object.entries(tasks) as [Name, () => number | Promise<number>][];
  const samples = Object.fromEntries(named.map(([name]) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let round = -warmUp; round < rounds; round++) {
    for (const [name, task] of named) {
      const figure = await task();
      if (!Number.isFinite(figure)) throw new Error(`${name} returned ${figure}`);
      if (round >= 0) samples[name].push(figure);
    }
  }
  return samples;
}

/**
 * The exponent e of cost ≈ c·sizeᵉ, by least squares over the logarithms: 0 costs nothing more a piece as the work grows, 1 doubles
 * when it doubles. Takes three sizes at least, a decade apart.
 */
export function growthExponent(points: readonly { readonly size: number; readonly cost: number }[]): number {
  if (points.length < 2) throw new RangeError("growth needs two sizes at least");
  const xs = points.map((point) => Math.log(point.size));
  const ys = points.map((point) => Math.log(point.cost));
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanX, meanY] = [mean(xs), mean(ys)];
  const spread = xs.reduce((sum, x) => sum + (x - meanX) ** 2, 0);
  return xs.reduce((sum, x, i) => sum + (x - meanX) * (ys[i]! - meanY), 0) / spread;
}

/** Wall and CPU seconds of `work`; the CPU of all threads of this process, children excluded (see `cpuSecondsOf`). */
export async function timed<T>(work: () => T | Promise<T>): Promise<{ result: T; seconds: number; cpuSeconds: number }> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  const result = await work();
  const seconds = (performance.now() - start) / 1_000;
  const used = process.cpuUsage(cpu);
  return { result, seconds, cpuSeconds: (used.user + used.system) / 1e6 };
}

/** This process and all its living descendants, by /proc; only this process where there is no /proc. */
export function processTree(root: number = process.pid): number[] {
  const parents = new Map<number, number>();
  for (const name of listOrEmpty("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const fields = statFields(Number(name));
    if (fields !== undefined) parents.set(Number(name), Number(fields[1]));
  }
  const tree = [root];
  for (let i = 0; i < tree.length; i++) for (const [pid, parent] of parents) if (parent === tree[i]) tree.push(pid);
  return tree;
}

/** CPU seconds that living processes have used so far, children that ended and were waited for included; 0 without /proc. */
export function cpuSecondsOf(pids: readonly number[]): number {
  // Clock ticks: USER_HZ is 100 on every Linux that Node supports.
  const ticks = pids.map((pid) => (statFields(pid) ?? []).slice(11, 15).reduce((sum, field) => sum + Number(field), 0));
  return ticks.reduce((sum, used) => sum + used, 0) / 100;
}

/**
 * Peak resident bytes of each of these processes since it started, summed; of this process alone where there is no /proc. What the system tells of a
 * process itself (`resourceUsage`) is no use in a child: it begins with what its parent held.
 */
export function peakRssBytes(pids: readonly number[] = processTree()): number {
  const peaks = pids.map((pid) => statusBytes(pid, "VmHWM"));
  if (peaks.every((peak) => peak === undefined)) return process.resourceUsage().maxRSS * 1_024;
  return peaks.reduce<number>((sum, peak) => sum + (peak ?? 0), 0);
}

/**
 * Watches the resident bytes of this process with all its children until `stop`, which returns the highest sum seen. Samples every
 * `everyMs`; what rises and falls between two samples is missed, so run memory figures in a process of their own where they matter.
 */
export function watchRss(everyMs = 20): { stop: () => number } {
  let peak = 0;
  const sample = (): void => {
    const sum = processTree().reduce((total, pid) => total + (statusBytes(pid, "VmRSS") ?? 0), 0);
    peak = Math.max(peak, sum === 0 ? process.memoryUsage.rss() : sum);
  };
  sample();
  const timer = setInterval(sample, everyMs);
  return {
    stop: () => {
      clearInterval(timer);
      sample();
      return peak;
    },
  };
}

const listOrEmpty = (folder: string): string[] => {
  try {
    return readdirSync(folder);
  } catch {
    return []; // not Linux
  }
};

/** Fields of /proc/PID/stat after the command name, which may itself hold spaces: [0] is the state, [1] the parent. */
function statFields(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined; // ended meanwhile, or not Linux
  }
}

function statusBytes(pid: number, field: "VmHWM" | "VmRSS"): number | undefined {
  try {
    const found = new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(readFileSync(`/proc/${pid}/status`, "latin1"));
    return found === null ? undefined : Number(found[1]) * 1_024;
  } catch {
    return undefined; // ended meanwhile, or not Linux
  }
}
