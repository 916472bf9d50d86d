/**
 * CometBFT as a process of ours: started by absolute path without a shell, its output in a bounded log, started again when it ends, stopped within a
 * bound.
 *
 * It never outlives us: it ends by itself when the connections to our ABCI server break, and while it has none yet its complaints about that go
 * into a pipe that nobody reads any more, which ends a Go program too. It has a process group of its own, so that ctrl-C reaches only us and we
 * stop it in order.
 * Source: CometBFT v0.40 `proxy/multi_app_conn.go` (killTMOnClientError); Go `os/signal`, "SIGPIPE".
 */
import { type ChildProcess, spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { RotatingLog } from "./rotating-log.ts";

/** How long CometBFT may take to stop before it is killed. */
const STOP_MS = 5_000;
const FIRST_DELAY_MS = 250;
const MOST_DELAY_MS = 10_000;
/** A run this long was a good one: the next failure counts as the first. */
const GOOD_RUN_MS = 30_000;
/**
 * For Go's runtime. Consensus takes less than a core beneath an application that decides on one thread, and threads that look for work which is not
 * there cost a third of what it takes. Memory is collected a quarter as often as by default, up to a bound.
 */
const RUNTIME = { GOMAXPROCS: "1", GOGC: "400", GOMEMLIMIT: "1GiB" } as const;

export interface EngineProcessOptions {
  readonly binary: string;
  readonly home: string;
  readonly logFile: string;
  /** Asked before each start: what an earlier run left behind is removed. */
  readonly beforeStart: () => Promise<void>;
}

/** One end of the process that nobody asked for. */
export interface EngineExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Ends in a row without a good run between. */
  readonly inARow: number;
  /** The end of its log. Holds no keys: CometBFT never logs them. */
  readonly lastLines: readonly string[];
}

interface Events {
  started: [];
  exited: [EngineExit];
  line: [string];
}

export class EngineProcess extends EventEmitter<Events> {
  readonly #options: EngineProcessOptions;
  readonly #log: RotatingLog;
  readonly #stop = new AbortController();
  #child: ChildProcess | undefined;
  #running: Promise<void> | undefined;
  #failures = 0;

  constructor(options: EngineProcessOptions) {
    super();
    this.#options = options;
    this.#log = new RotatingLog(options.logFile);
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }
  get logFile(): string {
    return this.#log.path;
  }

  /** Starts it, and again whenever it ends, until `stop`. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Ends it at once, as a crash would; it is started again. */
  kill(signal: NodeJS.Signals = "SIGKILL"): void {
    this.#child?.kill(signal);
  }

  /** Stops it in order; after a while by force. */
  async stop(): Promise<void> {
    this.#stop.abort();
    const child = this.#child;
    if (child !== undefined) {
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
      await this.#running;
      clearTimeout(timer);
    }
    await this.#running;
    this.#log.close();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await this.#options.beforeStart();
      // Stopped meanwhile: who waits for the end of it would wait for one that nobody asks to end.
      if (signal.aborted) return;
      const started = performance.now();
      const [code, endedBy] = await this.#runOnce();
      if (signal.aborted) return;
      this.#failures = performance.now() - started > GOOD_RUN_MS ? 1 : this.#failures + 1;
      this.emit("exited", { code, signal: endedBy, inARow: this.#failures, lastLines: this.#log.lastLines() });
      await delay(Math.min(FIRST_DELAY_MS * 2 ** (this.#failures - 1), MOST_DELAY_MS), signal);
    }
  }

  async #runOnce(): Promise<[number | null, NodeJS.Signals | null]> {
    const { binary, home } = this.#options;
    const child = spawn(binary, ["start", "--home", home], {
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
      // Settings come from the folder alone: CometBFT would also take them from variables.
      env: { PATH: process.env.PATH ?? "", HOME: home, ...RUNTIME },
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => {
        for (const line of this.#log.write(text)) this.emit("line", line);
      });
    this.emit("started");
    try {
      const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
      return [code, signal];
    } catch (error) {
      this.#log.write(`${String(error)}\n`);
      return [null, null];
    } finally {
      this.#child = undefined;
    }
  }
}

/** Waits, or until it is stopped. */
function delay(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(done, milliseconds);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
    signal.addEventListener("abort", done);
  });
}
