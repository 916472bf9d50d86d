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

/** One file may take this long; beyond it something waits for what will not come. */
const FILE_TIMEOUT_MS = 15 * 60_000;
/** Of what a failing file printed, so many characters from its end are shown. */
const SHOWN_CHARACTERS = 6_000;

/**
 * Runs `files` (absolute paths), `concurrency` at a time; `onFile` is told a line as each ends. File names in the score are relative
 * to `root`.
 */
export async function runTests(
  files: readonly string[],
  options: { readonly root: string; readonly concurrency: number; readonly onFile: (line: string) => void },
): Promise<Score> {
  const states = new Map(files.map((file) => [file, new FileState()]));
  const skipped = new Map<string, number>();
  const timings: { file: string; name: string; ms: number }[] = [];
  let passed = 0;

  const onTest = (state: FileState, file: string, data: TestEvent["data"]): void => {
    const { name = "", details, skip, todo } = data;
    const error = details?.error;
    if (error?.failureType === "subtestsFailed" || (details?.type === "suite" && details.passed && !skip)) return; // its children count
    state.tests += 1;
    timings.push({ file, name, ms: details?.duration_ms ?? 0 });
    const reason = skip ?? todo ?? false;
    if (typeof reason === "string" && reason !== "") skipped.set(reason, (skipped.get(reason) ?? 0) + 1);
    else if (reason !== false) state.failures.push({ file, name, said: "skipped without a reason" });
    else if (details?.passed !== true) state.failures.push({ file, name, said: describe(error) });
    else passed += 1;
  };

  const events = run({ files: [...files], concurrency: options.concurrency, isolation: "process", timeout: FILE_TIMEOUT_MS });
  for await (const { type, data } of events as AsyncIterable<TestEvent>) {
    const path = data.entryFile ?? data.file;
    const state = path === undefined ? undefined : states.get(path);
    if (path === undefined || state === undefined) continue; // the total over all files
    const file = relative(options.root, path);
    if (type === "test:stdout" || type === "test:stderr" || type === "test:diagnostic") state.printed(data.message ?? "");
    else if (type === "test:summary") state.summarised = true;
    else if (type === "test:complete" && data.entryFile !== undefined) onTest(state, file, data);
    else if (type === "test:complete") {
      if (data.details?.passed === false) state.crash = data.details.error;
      const failed = state.failures.length > 0 || state.tests === 0 || state.crash !== undefined;
      options.onFile(`${failed ? "FAILED" : "ok    "} ${inSeconds(data.details?.duration_ms)}  ${file}`);
    }
  }

  const failures: Failure[] = [];
  for (const [path, state] of states) {
    const file = relative(options.root, path);
    const reason = state.whyFileFailed();
    if (reason !== undefined) state.failures.push({ file, name: "(the file itself)", said: reason });
    const last = state.failures.pop();
    const output = state.output.trim();
    if (last !== undefined)
      failures.push(...state.failures, output === "" ? last : { ...last, said: `${last.said}\nprinted:\n${output}` });
  }
  timings.sort((a, b) => b.ms - a.ms);
  return { files: files.length, passed, failures, skipped, timings };
}

/** Milliseconds as seconds, in a column. */
export const inSeconds = (ms = 0): string => `${(ms / 1_000).toFixed(1).padStart(6)} s`;

class FileState {
  tests = 0;
  summarised = false;
  crash: TestError | undefined;
  output = "";
  readonly failures: Failure[] = [];

  printed(text: string): void {
    this.output = (this.output + text).slice(-SHOWN_CHARACTERS);
  }

  /** A reason beyond its tests, if there is one. */
  whyFileFailed(): string | undefined {
    if (this.crash !== undefined && this.crash.failureType !== "subtestsFailed")
      return this.crash.failureType === "testTimeoutFailure"
        ? `took longer than ${inSeconds(FILE_TIMEOUT_MS).trim()}`
        : "failed outside of its tests";
    if (this.tests === 0) return "runs no test";
    return this.summarised ? undefined : "ended before its tests did";
  }
}

// What is used of the events; the published types leave out `entryFile`.
type TestError = { readonly failureType?: string; readonly cause?: unknown };
type TestEvent = {
  readonly type: string;
  readonly data: {
    readonly file?: string;
    /** Of events that a file's process sent: that file. Absent from those about a file as a whole. */
    readonly entryFile?: string;
    readonly name?: string;
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
