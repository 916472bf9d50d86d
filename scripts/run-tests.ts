/**
 * Runs test files, each in a process of its own, and keeps score. Stricter than the bare runner: a file that loads no test, ends
 * before its tests do, or skips one without a reason counts as a failure, because each would otherwise look like success.
 * Source: style.md, "Tests".
 */
import { relative } from "node:path";
import { run } from "node:test";
import { inspect } from "node:util";

/** A test that failed: where it is, what it is called, and what it said. */
export type Failure = { readonly file: string; readonly name: string; readonly said: string };
/** How a run went, over all files. */
export type Score = {
  readonly files: number;
  readonly passed: number;
  readonly failures: readonly Failure[];
  /** Reasons as the tests give them, `engine: why`, with the number of tests that each kept from running. */
  readonly skipped: ReadonlyMap<string, number>;
  /** All tests that ran, slowest first. */
  readonly timings: readonly { readonly file: string; readonly name: string; readonly ms: number }[];
};

/** One file may take this long; beyond it something waits for what will not come, and its process is ended. */
const FILE_TIMEOUT_MS = 10 * 60_000;
/** Of what a failing file printed, so many characters from its end are shown. */
const SHOWN_CHARACTERS = 6_000;

/** How tests are run. File names in the score are relative to `root`; `onFile` is told a line as each file ends. */
export type RunOptions = {
  readonly root: string;
  /** Files at a time. */
  readonly concurrency: number;
  readonly onFile: (line: string) => void;
  readonly fileTimeoutMs?: number;
};

/** Runs `files` (absolute paths). */
export async function runTests(files: readonly string[], options: RunOptions): Promise<Score> {
  const outcomes = new Map<string, FileOutcome>();
  const waiting = [...files];
  const work = async (): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const outcome = await runFile(file, options);
      outcomes.set(file, outcome);
      const name = relative(options.root, file);
      options.onFile(`${outcome.failures.length > 0 ? "FAILED" : "ok    "} ${inSeconds(outcome.ms)}  ${name}`);
    }
  };
  await Promise.all(Array.from({ length: options.concurrency }, work));

  const inOrder = files.map((file) => outcomes.get(file)!);
  const skipped = new Map<string, number>();
  for (const reason of inOrder.flatMap((outcome) => outcome.skipped)) skipped.set(reason, (skipped.get(reason) ?? 0) + 1);
  return {
    files: files.length,
    passed: inOrder.reduce((sum, { passed }) => sum + passed, 0),
    failures: inOrder.flatMap(({ failures }) => failures),
    skipped,
    timings: inOrder.flatMap(({ timings }) => timings).sort((a, b) => b.ms - a.ms),
  };
}

type FileOutcome = {
  passed: number;
  failures: Failure[];
  skipped: string[];
  timings: { file: string; name: string; ms: number }[];
  ms: number;
};

/** Runs one file in a process of its own. The runner's own time limit ends a test but not its process; the signal ends both. */
async function runFile(path: string, { root, fileTimeoutMs = FILE_TIMEOUT_MS }: RunOptions): Promise<FileOutcome> {
  const file = relative(root, path);
  const outcome: FileOutcome = { passed: 0, failures: [], skipped: [], timings: [], ms: 0 };
  const running = new Map<number, string>();
  let output = "";
  let hasEnded = false;
  let trouble: TestError | undefined;

  const onTest = ({ name = "", details, skip, todo }: TestEvent["data"]): void => {
    const error = details?.error;
    if (error?.failureType === "subtestsFailed" || (details?.type === "suite" && details.passed && !skip)) return; // its children count
    outcome.timings.push({ file, name, ms: details?.duration_ms ?? 0 });
    const reason = skip ?? todo ?? false;
    if (typeof reason === "string" && reason !== "") outcome.skipped.push(reason);
    else if (reason !== false) outcome.failures.push({ file, name, said: "skipped without a reason" });
    else if (details?.passed !== true) outcome.failures.push({ file, name, said: describe(error) });
    else outcome.passed += 1;
  };

  const events = run({ files: [path], isolation: "process", signal: AbortSignal.timeout(fileTimeoutMs) });
  for await (const { type, data } of events as AsyncIterable<TestEvent>) {
    const isOfProcess = data.entryFile !== undefined;
    if (type === "test:stdout" || type === "test:stderr" || (type === "test:diagnostic" && data.file !== undefined))
      output = (output + (data.message ?? "")).slice(-SHOWN_CHARACTERS);
    else if (type === "test:summary" && isOfProcess) hasEnded = true;
    else if (type === "test:dequeue" && isOfProcess) running.set(data.testId ?? 0, data.name ?? "");
    else if (type === "test:complete" && isOfProcess) {
      running.delete(data.testId ?? 0);
      onTest(data);
    } else if (type === "test:complete") {
      outcome.ms = data.details?.duration_ms ?? 0;
      if (data.details?.passed === false) trouble = data.details.error;
    }
  }

  const said = whyFileFailed();
  if (said !== undefined) outcome.failures.push({ file, name: "(the file itself)", said });
  const last = outcome.failures.pop();
  const printed = output.trim() === "" ? "" : `\nprinted:\n${output.trim()}`;
  if (last !== undefined) outcome.failures.push({ ...last, said: last.said + printed });
  return outcome;

  /** A reason beyond its tests, if there is one. */
  function whyFileFailed(): string | undefined {
    if (trouble?.failureType === "testAborted")
      return `ended after ${inSeconds(fileTimeoutMs).trim()}, in the middle of: ${[...running.values()].join(" › ") || "loading"}`;
    if (trouble !== undefined && trouble.failureType !== "subtestsFailed") return "failed outside of its tests";
    if (outcome.timings.length === 0) return "runs no test";
    return hasEnded ? undefined : "ended before its tests did";
  }
}

/** Milliseconds as seconds, in a column. */
export const inSeconds = (ms = 0): string => `${(ms / 1_000).toFixed(1).padStart(6)} s`;

// What is used of the events; the published types leave out `entryFile`.
type TestError = { readonly failureType?: string; readonly cause?: unknown };
type TestEvent = {
  readonly type: string;
  readonly data: {
    readonly file?: string;
    /** Of events that a file's process sent: that file. Absent from those about a file as a whole. */
    readonly entryFile?: string;
    readonly name?: string;
    readonly testId?: number;
    readonly message?: string;
    readonly skip?: string | boolean;
    readonly todo?: string | boolean;
    readonly details?: {
      readonly duration_ms?: number;
      readonly type?: string;
      readonly passed?: boolean;
      readonly error?: TestError;
    };
  };
};

function describe(error: TestError | undefined): string {
  const cause = error?.cause ?? error;
  return cause instanceof Error ? (cause.stack ?? cause.message) : inspect(cause);
}
